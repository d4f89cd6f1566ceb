"""All documents of a session in one file, with a note on what each is for."""

from __future__ import annotations

import io
import zipfile

from facilitation.exports import FORMATS, Format
from facilitation.exports.said import TALKING, who_and_when
from facilitation.language import _
from facilitation.report import Report

README = "README.txt"


def write(report: Report) -> bytes:
    """The file. Every part bears the day of the session, not of the download."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_entry(report, README), readme(report))
        for known in _parts():
            archive.writestr(_entry(report, known.file_name(report)), known.write(report))
    return made.getvalue()


def _parts() -> list[Format]:
    return [known for known in FORMATS.values() if known.module != "everything_zip"]


def _entry(report: Report, name: str) -> zipfile.ZipInfo:
    day = report.held_on
    entry = zipfile.ZipInfo(name, (max(day.year, 1980), day.month, day.day, 12, 0, 0))  # ZIP knows no earlier year
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def readme(report: Report) -> bytes:
    """The note, with the line ends that every text editor understands."""
    files = [line for known in _parts() for line in (known.file_name(report), f"    {_(known.use)}", "")]
    lines = [
        who_and_when(report),
        "",
        *files,
        *_(
            "These files hold no answers of single people, and no result that fewer than %(k)s people gave. They do "
            "hold the\nnames and notes that the group wrote down: pass them on with care.",
            k=report.k,
        ).split("\n"),
        _(TALKING),
        "",
        report.credit,
        "",
    ]
    return "\r\n".join(lines).encode("utf-8-sig")
