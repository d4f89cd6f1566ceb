"""A pack as one CSV file: the first cell of a row says what it is (pack, hallmark, question, scale, note). Pure."""

from __future__ import annotations

import csv
import io
import re

from facilitation.hallmarks import Framework
from facilitation.language import _, mark
from facilitation.packs.table import (
    MOST_COLUMNS,
    MOST_ROWS,
    PARTS,
    BadPack,
    Column,
    Line,
    Lines,
    headings,
    known_headings,
    letter,
    lines_of,
)
from facilitation.words import tidy

_PART = Column("Part", mark("What this row is: pack, hallmark, question, scale; or note, which is left out."))
_FORMULA = re.compile(r"'*[=+\-@]")
_QUOTED = re.compile(r"'+[=+\-@]")


def write(framework: Framework, *, explained: bool = False) -> bytes:
    """The file, in UTF-8 with the byte order mark Excel needs. explained: with notes on every column."""
    columns = list(dict.fromkeys(heading for part in PARTS for heading in headings(part, framework)))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([_PART.heading, *columns])
    for note in _notes() if explained else ():
        writer.writerow(["note", note])
    for part in PARTS:
        for line in lines_of(part, framework):
            writer.writerow([part.word, *(_harmless(line.get(heading, "")) for heading in columns)])
    return text.getvalue().encode("utf-8-sig")


def read(content: bytes, name: str) -> Lines:
    """The rows of a file. Raises BadPack when it cannot be read as CSV at all."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = content.count(b"\n", 0, error.start) + 1
        raise BadPack(
            name, [_("Line %(line)s: this is not UTF-8 text. In Excel choose “Save as”, “CSV UTF-8”.", line=at)]
        ) from None
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    found, lines = Lines(), csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = list(lines)
    except csv.Error:
        raise BadPack(
            name, [_("Line %(line)s: a quotation mark is missing here or further up.", line=lines.line_num)]
        ) from None
    if not rows:  # nothing but a byte order mark
        raise BadPack(name, [_("The file is empty.")])
    if len(rows) > MOST_ROWS:
        raise BadPack(name, [_("The file has %(count)s rows; %(most)s is the most.", count=len(rows), most=MOST_ROWS)])
    columns = {column.heading: column for part in PARTS for column in part.columns}
    places = known_headings(rows[0][:MOST_COLUMNS], [_PART, *columns.values()], _("Row 1"), found.faults)
    if _PART.heading not in places.values():
        raise BadPack(
            name, [_("Row 1: the column “Part” is missing. Is this a question pack? Start from the template.")]
        )
    words = {part.word for part in PARTS}
    for number, row in enumerate(rows[1:], start=2):
        cells = {places[at]: (letter(at), tidy(_plain(cell))) for at, cell in enumerate(row) if at in places}
        line = Line("", number, cells)
        word = cells.get(_PART.heading, ("", ""))[1].casefold()
        if word in words:
            found.rows[word].append(line)
        elif word != "note" and any(cell.strip() for cell in row):
            found.faults.append(
                _(
                    "%(place)s: this must be one of pack, hallmark, question, scale, note.",
                    place=line.place(_PART.heading),
                )
            )
    for part in PARTS:
        if not found.rows[part.word]:
            found.faults.append(_("There is no row whose part is “%(part)s”.", part=part.word))
    return found


def _notes() -> list[str]:
    made = [
        _("How to fill this in: write over the rows below. The first cell of a row says what it is."),
        _("A heading with a language, such as Question (cy), holds the same text in that language. English is needed."),
    ]
    for part in PARTS:
        made += [f"{part.word}, {column.heading}: {_(column.says)}" for column in part.columns]
    return made


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula. `_plain` takes the apostrophe off again."""
    return f"'{text}" if _FORMULA.match(text) else text


def _plain(text: str) -> str:
    return text[1:] if _QUOTED.match(text) else text
