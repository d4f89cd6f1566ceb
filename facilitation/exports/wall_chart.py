"""A chart for the wall: the profile with the number of each question in its square, and the three things to discuss.

A3 landscape; a printer that fits it to A4 keeps it readable at a table.
"""

from __future__ import annotations

from typing import Any

from facilitation.exports import report_pdf, said, typeset
from facilitation.profile import mark
from facilitation.report import Report


def write(report: Report) -> bytes:
    """The file: one page, tagged, PDF/UA-1."""
    page = report_pdf.page_one(report)
    page["glance"] = said.titled(report, page["glance"])  # what this document is called
    for row, shown in zip(report.profile, page["profile"], strict=True):
        for level, cell in enumerate(shown["cells"], start=1):
            cell["marks"] = _labelled(report, row.key, level)
            cell["spoken"] = said.spoken(cell["marks"])
    return typeset.pdf("wall_chart.typ", page, report.held_on)


def _labelled(report: Report, hallmark: str, level: int) -> list[dict[str, Any]]:
    """The squares of one cell, each with its question's number, in running order."""
    standing = [(answer, mark(vote.tally)) for answer in report.answers if (vote := answer.shown)]
    return [
        {"label": answer.plate, "apart": one.apart, "between": one.between}
        for answer, one in standing
        if one and answer.hallmark == hallmark and one.level == level
    ]
