"""All documents of a session in one file, with a note on what each is for."""

from __future__ import annotations

import io
import zipfile

from facilitation.exports import FORMATS
from facilitation.exports.said import TALKING, who_and_when
from facilitation.report import Report

README = "README.txt"

_WHAT_FOR = {
    "plan": "Send this out today. It says who does what by when, and you can change it.",
    "report-word": "The whole report, to change or to copy from. Page 1 stands alone, for the board.",
    "report-pdf": "The same report, to print or to send.",
    "wall-chart": "One large page for the wall. Prints on A3, or smaller on A4.",
    "calendar": "Open it to put the days of the plan into your calendar. Opening a newer one brings them up to date.",
    "workbook": "Every action, result and parked item as tables for Excel or LibreOffice.",
    "results-csv": "The counts alone, for a statistics program.",
    "actions-csv": "The actions alone, for another program.",
    "session-json": "The whole session, for loading it into this program again. Not for reading.",
}


def write(report: Report) -> bytes:
    """The file. Every part bears the day of the session, not of the download."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_entry(report, README), readme(report))
        for name in _WHAT_FOR:
            archive.writestr(_entry(report, FORMATS[name].file_name(report)), FORMATS[name].write(report))
    return made.getvalue()


def _entry(report: Report, name: str) -> zipfile.ZipInfo:
    day = report.held_on
    entry = zipfile.ZipInfo(name, (max(day.year, 1980), day.month, day.day, 12, 0, 0))  # ZIP knows no earlier year
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def readme(report: Report) -> bytes:
    """The note, with the line ends that every text editor understands."""
    files = [line for name, use in _WHAT_FOR.items() for line in (FORMATS[name].file_name(report), f"    {use}", "")]
    lines = [
        who_and_when(report),
        "",
        *files,
        "These files hold no answers of single people, and no result that fewer than "
        f"{report.k} people gave. They do hold the",
        "names and notes that the group wrote down: pass them on with care.",
        TALKING,
        "",
        report.credit,
        "",
    ]
    return "\r\n".join(lines).encode("utf-8-sig")
