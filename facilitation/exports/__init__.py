"""Report -> documents: one module a format, and the list of them from which the web layer makes its links."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from facilitation.errors import Refused
from facilitation.language import _, mark
from facilitation.report import Report
from facilitation.store import Kind


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of document. `module` of this package writes it, and is loaded when it is first needed: some are large."""

    name: str  # in an address, and the end of the file's name: "action-plan.docx"
    title: str  # for a link: "Action plan (Word)"
    use: str  # what it is for, in a sentence or two
    mimetype: str
    module: str
    slow: bool = False  # may take longer than a second
    of_example: bool = False  # made of the example too, for people: no program can take it for a real one

    def file_name(self, report: Report) -> str:
        """What the download is called: wexcombe-mill-museum-2026-11-21-action-plan.docx."""
        made_up = "example-" if report.made_up else ""
        return f"{made_up}{report.slug}-{'unfinished-' if report.unfinished else ''}{self.name}"

    def write(self, report: Report) -> bytes:
        """The document. Takes from a millisecond to a few seconds: not for a thread that others wait for.

        Raises Refused for what did not happen: a rehearsal, and the example where it is not `of_example`.
        """
        if report.kind == Kind.REHEARSAL:
            raise Refused(_("Nobody met in a rehearsal, so no document is made of it."))
        if report.made_up and not self.of_example:
            raise Refused(_("This file is not made of the example: another program would take it for a real session."))
        write: Callable[[Report], bytes] = importlib.import_module(f"{__name__}.{self.module}").write
        return write(report)


_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV = "text/csv; charset=utf-8"

FORMATS = {
    known.name: known
    for known in (
        Format(
            "action-plan.docx",
            mark("Action plan (Word)"),
            mark("Send this out today. It says who does what by when, and you can change it."),
            _WORD,
            "plan_docx",
            of_example=True,
        ),
        Format(
            "report.docx",
            mark("Report (Word)"),
            mark("The whole report, to change or to copy from. Page 1 stands alone, for the board."),
            _WORD,
            "report_docx",
            slow=True,
            of_example=True,
        ),
        Format(
            "report.pdf",
            mark("Report (PDF)"),
            mark("The same report, to print or to send."),
            "application/pdf",
            "report_pdf",
            slow=True,
            of_example=True,
        ),
        Format(
            "wall-chart.pdf",
            mark("Wall chart (PDF)"),
            mark("One large page for the wall. Prints on A3, or smaller on A4."),
            "application/pdf",
            "wall_chart",
            of_example=True,
        ),
        Format(
            "dates.ics",
            mark("Dates for your calendar"),
            mark("Open it to put the days of the plan into your calendar. Opening a newer one brings them up to date."),
            "text/calendar; charset=utf-8",
            "calendar_ics",
        ),
        Format(
            "tables.xlsx",
            mark("Everything as tables (Excel)"),
            mark("Every action, result and parked item as tables for Excel or LibreOffice."),
            _EXCEL,
            "workbook_xlsx",
        ),
        Format(
            "results.csv",
            mark("Results (CSV)"),
            mark("The counts alone, for a statistics program."),
            _CSV,
            "results_csv",
        ),
        Format(
            "actions.csv", mark("Actions (CSV)"), mark("The actions alone, for another program."), _CSV, "actions_csv"
        ),
        Format(
            "session.json",
            mark("Whole session (JSON)"),
            mark("The whole session, for loading it into this program again. Not for reading."),
            "application/json",
            "session_json",
        ),
        Format(
            "everything.zip",
            mark("All of these in one file (ZIP)"),
            mark("To keep, or to send on in one go. A note inside says what each file is for."),
            "application/zip",
            "everything_zip",
            slow=True,
        ),
    )
}
"""Every download by its name, in the order of use: the plan goes out first."""
