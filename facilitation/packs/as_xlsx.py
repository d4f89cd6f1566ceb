"""A pack as an Excel workbook: the sheets Pack, Hallmarks, Questions and Scales, and one that explains them. Pure.

A workbook from outside is a zip file of XML: it is measured before it is unpacked, and read cell by cell. Formulas are
refused, never computed.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

from xlsxwriter.workbook import Workbook

from facilitation.hallmarks import Framework
from facilitation.language import _
from facilitation.packs.table import (
    MOST_COLUMNS,
    MOST_ROWS,
    PARTS,
    BadPack,
    Line,
    Lines,
    Part,
    headings,
    known_headings,
    letter,
    lines_of,
)
from facilitation.words import tidy

MAGIC, OLD_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
LARGEST_UNPACKED = 4_000_000
MOST_FILES = 100
_ENTITIES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_WIDE = 60  # characters of a column, at most


def write(framework: Framework, *, explained: bool = False) -> bytes:
    """The file. explained: with a first sheet on how to fill it in."""
    file = io.BytesIO()
    book = Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    base = {"font_name": "Arial", "font_size": 10, "valign": "top"}
    head = book.add_format({**base, "bold": True, "bottom": 2})
    text = book.add_format({**base, "text_wrap": True, "num_format": "@"})  # as text: 2026.10 keeps its nought

    def sheet(name: str, columns: list[str], rows: list[list[str]], spare: int = 0) -> None:
        made = book.add_worksheet(name)
        for place, heading in enumerate(columns):
            longest = max([len(heading), *(len(row[place]) for row in rows)])
            made.set_column(place, place, min(longest + 2, _WIDE), text)
            made.write_string(0, place, heading, head)
        for number, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                if cell:
                    made.write_string(number, place, cell, text)
        made.freeze_panes(1, 0)
        made.set_landscape()
        made.set_paper(9)  # A4
        made.fit_to_pages(1, 0)
        made.repeat_rows(0)

    if explained:
        sheet(
            "How to fill this in",
            [_("Sheet"), _("Column"), _("What stands there"), _("Characters, at most")],
            _explanation(),
        )
    for part in PARTS:
        columns = headings(part, framework)
        lines = lines_of(part, framework)
        sheet(part.sheet, columns, [[line.get(heading, "") for heading in columns] for line in lines])
    book.close()
    return file.getvalue()


def _explanation() -> list[list[str]]:
    general = [
        [
            _("All"),
            "",
            _("Write over the rows that are there, and add as many as you need. Empty rows do no harm."),
            "",
        ],
        [
            _("All"),
            "",
            _("A column such as Question (cy) holds the same text in that language. English is needed."),
            "",
        ],
        [_("All"), "", _("Type texts, not formulas. When you load the file, every fault is named with its place."), ""],
    ]
    columns = [
        [part.sheet, column.heading, _(column.says), str(column.longest)] for part in PARTS for column in part.columns
    ]
    return general + columns


def read(content: bytes, name: str) -> Lines:
    """The rows of a workbook. Raises BadPack when it cannot be opened, or is not one that people have written."""
    book = _opened(content, name)
    found = Lines()
    sheets = {sheet.title.strip().casefold(): sheet for sheet in book.worksheets}
    for part in PARTS:
        sheet = sheets.get(part.sheet.casefold())
        if sheet is None:
            found.faults.append(_("There is no sheet “%(sheet)s”.", sheet=part.sheet))
            continue
        try:
            rows = list(sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS))
        except Exception:  # the XML of one sheet may be broken in any way
            found.faults.append(_("Sheet “%(sheet)s” is damaged and cannot be read.", sheet=part.sheet))
            continue
        _read_sheet(part, rows, found)
    return found


def _read_sheet(part: Part, rows: list[tuple[Any, ...]], found: Lines) -> None:
    texts = [[_text(cell, part, found.faults) for cell in row] for row in rows]
    while texts and not any(texts[-1]):
        texts.pop()
    if len(texts) > MOST_ROWS + 1:
        found.faults.append(_("Sheet “%(sheet)s” has more than %(most)s rows.", sheet=part.sheet, most=MOST_ROWS))
        return
    if len(texts) < 2:
        found.faults.append(_("Sheet “%(sheet)s” holds no row below its headings.", sheet=part.sheet))
        return
    places = known_headings(texts[0], part.columns, _("Sheet “%(sheet)s”, row 1", sheet=part.sheet), found.faults)
    for number, row in enumerate(texts[1:], start=2):
        if any(row):
            cells = {heading: (letter(at), row[at]) for at, heading in places.items() if at < len(row)}
            found.rows[part.word].append(Line(part.sheet, number, cells))


def _text(cell: Any, part: Part, faults: list[str]) -> str:
    """What a cell says. A number is what it looks like; what is computed, dated or broken is a fault."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "s" and isinstance(value, str):
        return tidy(value)
    if cell.data_type == "n" and isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else str(value)
    what = {
        "f": _("a formula; type the text itself"),
        "d": _("a date; type it as text, with an apostrophe before it"),
        "e": _("an error of a formula; type the text itself"),
        "b": _("true or false; type a text"),
    }.get(cell.data_type, _("something that is not text"))
    faults.append(
        _(
            "Sheet “%(sheet)s”, row %(row)s, column %(column)s: the cell holds %(what)s.",
            sheet=part.sheet,
            row=cell.row,
            column=letter(cell.column - 1),
            what=what,
        )
    )
    return "-"


def _opened(content: bytes, name: str) -> Any:
    # openpyxl is loaded when it is first needed: it is large, and few sessions import a pack
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            if len(parts) > MOST_FILES or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise BadPack(
                    name, [_("The workbook is too big when it is unpacked. Save only these sheets as a new file.")]
                )
            # a document type is where an XML file hides text that grows without end; no spreadsheet program writes one
            if any(mark in packed.read(part) for part in parts for mark in _ENTITIES):
                raise BadPack(name, [_("The workbook holds something that no spreadsheet program writes.")])
        return load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    except BadPack:
        raise
    except Exception as trouble:  # openpyxl raises whatever it trips over
        raise BadPack(name, [_("This is not an Excel workbook (.xlsx), or it is damaged.")]) from trouble
