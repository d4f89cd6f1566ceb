"""Report -> documents: one module a format, and the list of them from which the web layer makes its links."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from facilitation.report import Report


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of document. `module` of this package writes it, and is loaded when it is first needed: some are large."""

    title: str  # for a link: "Action plan (Word)"
    suffix: str  # of the file's name: "action-plan.docx"
    mimetype: str
    module: str

    def file_name(self, report: Report) -> str:
        """What the download is called: wexcombe-mill-museum-2026-11-21-action-plan.docx."""
        return f"{report.slug}-{self.suffix}"

    def write(self, report: Report) -> bytes:
        """The document. Takes from a millisecond to a second: not for a thread that others wait for."""
        write: Callable[[Report], bytes] = importlib.import_module(f"{__name__}.{self.module}").write
        return write(report)


_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV = "text/csv; charset=utf-8"

FORMATS = {
    "plan": Format("Action plan (Word)", "action-plan.docx", _WORD, "plan_docx"),
    "report-word": Format("Report (Word)", "report.docx", _WORD, "report_docx"),
    "report-pdf": Format("Report (PDF)", "report.pdf", "application/pdf", "report_pdf"),
    "wall-chart": Format("Wall chart (PDF, A3 or A4)", "wall-chart.pdf", "application/pdf", "wall_chart"),
    "calendar": Format("Dates for your calendar", "dates.ics", "text/calendar; charset=utf-8", "calendar_ics"),
    "workbook": Format("Everything as tables (Excel)", "tables.xlsx", _EXCEL, "workbook_xlsx"),
    "results-csv": Format("Results (CSV)", "results.csv", _CSV, "results_csv"),
    "actions-csv": Format("Actions (CSV)", "actions.csv", _CSV, "actions_csv"),
    "session-json": Format("Whole session, to load again (JSON)", "session.json", "application/json", "session_json"),
    "everything": Format("All of these in one file (ZIP)", "everything.zip", "application/zip", "everything_zip"),
}
"""Every download by the name it has in an address, in the order of use: the plan goes out first."""
