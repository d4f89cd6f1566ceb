"""A framework as tables: four sheets with a row for each thing, the same in CSV and in Excel. Pure.

Lines go in and out here; how they lie in a file is the business of as_csv and as_xlsx. Every fault of a file is found
at once and named by its place, because people correct a spreadsheet in one go.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from facilitation.errors import BadFramework, Refused
from facilitation.hallmarks import (
    LANGUAGE,
    LINE,
    PARAGRAPH,
    POINTS,
    QUESTION,
    Framework,
    Hallmark,
    LanguageMap,
    Question,
    Scale,
    read_key,
    read_text,
)
from facilitation.language import _, mark, ngettext
from facilitation.words import tidy

MOST_ROWS, MOST_COLUMNS = 500, 60
MOST_FAULTS = 40  # that are shown at once
NO_PROMPT = "What do you see in this result?"
SHORT = 48  # characters of a short name that is made from the question


class BadPack(Refused):
    """What cannot be used as a pack: `faults` are all that was found, a sentence with its place each. Without a `name`
    it is no file, but an edition that was made from a form."""

    def __init__(self, name: str, faults: Sequence[str]) -> None:
        self.faults = tuple(faults[:MOST_FAULTS])
        if more := len(faults[MOST_FAULTS:]):
            self.faults += (ngettext("And %(num)s more.", "And %(num)s more.", more),)
        imported = ngettext(
            "Nothing was imported: %(name)s has one thing to correct.",
            "Nothing was imported: %(name)s has %(num)s things to correct.",
            len(faults),
            name=name,
        )
        kept = ngettext(
            "Nothing was kept: this edition has one thing to correct.",
            "Nothing was kept: this edition has %(num)s things to correct.",
            len(faults),
        )
        super().__init__(imported if name else kept)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet. `says` explains it in the template; a translated one may stand again as "Title (cy)"."""

    heading: str
    says: str
    translated: bool = False
    longest: int = LINE


@dataclass(frozen=True, slots=True)
class Part:
    """A sheet of a workbook, or the rows of a CSV file whose first cell says `word`."""

    sheet: str
    word: str
    columns: tuple[Column, ...]


_KEY_FROM_TITLE = mark(
    "Small letters, digits and hyphens. It names this for ever, so leave it when you change the words. Left empty, the "
    "program makes one from the title."
)
_KEY_FROM_WORDS = mark(
    "Small letters, digits and hyphens. It names this for ever, so leave it when you change the words. Left empty, the "
    "program makes one from the words."
)
PACK = Part(
    "Pack",
    "pack",
    (
        Column("Key", _KEY_FROM_TITLE),
        Column("Edition", mark("For example 2026.1. Change it whenever anything in the pack changes.")),
        Column("Title", mark("What the pack is called."), translated=True),
        Column("Credit", mark("Whose words these are. It stands in every report."), translated=True, longest=PARAGRAPH),
    ),
)
HALLMARKS = Part(
    "Hallmarks",
    "hallmark",
    (
        Column("Key", _KEY_FROM_TITLE),
        Column("Title", mark("A heading for a group of questions."), translated=True),
        Column("Definition", mark("One sentence: what it is to do well here."), translated=True, longest=PARAGRAPH),
        Column("Description", mark("One paragraph. May be left empty."), translated=True, longest=PARAGRAPH),
        Column(
            "Attribution",
            mark("Whose words these are, if they are quoted from somebody. May be left empty."),
            translated=True,
            longest=PARAGRAPH,
        ),
    ),
)
QUESTIONS = Part(
    "Questions",
    "question",
    (
        Column("Hallmark", mark("The key or the title of a hallmark on the sheet Hallmarks.")),
        Column("Key", _KEY_FROM_WORDS),
        Column("Question", mark("What people are asked. It must fit the words of its scale."), True, QUESTION),
        Column(
            "Short name", mark("For the run sheet. Left empty, it is the beginning of the question."), translated=True
        ),
        Column("Prompt", mark("One to three sentences for the talk. May be left empty."), True, PARAGRAPH),
        Column("Scale", mark("The key of a scale on the sheet Scales.")),
    ),
)
SCALES = Part(
    "Scales",
    "scale",
    (
        Column("Key", mark("Small letters, digits and hyphens.")),
        *(
            Column(
                f"Answer {n}",
                {1: mark("The lowest answer."), POINTS: mark("The highest answer.")}.get(n, mark("In between.")),
                True,
            )
            for n in range(1, POINTS + 1)
        ),
    ),
)
PARTS = (PACK, HALLMARKS, QUESTIONS, SCALES)

_LANGUAGE = re.compile(r"(?P<heading>.+?) ?\((?P<language>[A-Za-z-]+)\)")


# --- Writing ---------------------------------------------------------------------------------------------------------


def headings(part: Part, framework: Framework) -> list[str]:
    """The headings of a part: a column for each language that the framework uses in it, English first."""
    found = []
    for column in part.columns:
        found.append(column.heading)
        if column.translated:
            languages = {language for row in _rows(part, framework) for language in _map(row[column.heading])}
            found += [f"{column.heading} ({language})" for language in sorted(languages - {"en"})]
    return found


def lines_of(part: Part, framework: Framework) -> list[dict[str, str]]:
    """The rows of a part, by heading."""
    made = []
    for row in _rows(part, framework):
        line = {}
        for heading, value in row.items():
            for language, text in _map(value).items():
                line[heading if language == "en" else f"{heading} ({language})"] = text
        made.append(line)
    return made


def _map(value: str | LanguageMap) -> LanguageMap:
    return {"en": value} if isinstance(value, str) else value


def _rows(part: Part, framework: Framework) -> Iterator[dict[str, str | LanguageMap]]:
    if part is PACK:
        yield {
            "Key": framework.key,
            "Edition": framework.edition,
            "Title": framework.title,
            "Credit": framework.credit,
        }
    if part is SCALES:
        for scale in framework.scales.values():
            yield {"Key": scale.key} | {f"Answer {n}": label for n, label in enumerate(scale.labels, start=1)}
    for hallmark in framework.hallmarks:
        if part is HALLMARKS:
            yield {
                "Key": hallmark.key,
                "Title": hallmark.title,
                "Definition": hallmark.definition,
                "Description": hallmark.description,
                "Attribution": hallmark.attribution or {},
            }
        for question in hallmark.questions if part is QUESTIONS else ():
            yield {
                "Hallmark": hallmark.key,
                "Key": question.key,
                "Question": question.text,
                "Short name": question.short,
                "Prompt": question.prompt,
                "Scale": question.scale,
            }


# --- Reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it stands in a file: `row` is its number there, `cells` its texts with the letter of their column."""

    sheet: str  # "" in a file that has none
    row: int
    cells: Mapping[str, tuple[str, str]]

    def place(self, heading: str = "") -> str:
        """Where a cell stands: "Sheet “Questions”, row 4, column C (Question)"."""
        where = _("Row %(row)s", row=self.row)
        if self.sheet:
            where = _("Sheet “%(sheet)s”, row %(row)s", sheet=self.sheet, row=self.row)
        if letter := self.cells[heading][0] if heading in self.cells else "":
            return _("%(place)s, column %(column)s (%(heading)s)", place=where, column=letter, heading=heading)
        return f"{where}, {heading}" if heading else where


@dataclass(slots=True)
class Lines:
    """What was read from a file: the rows of each part, and the faults that were found on the way."""

    rows: dict[str, list[Line]] = field(default_factory=lambda: {part.word: [] for part in PARTS})
    faults: list[str] = field(default_factory=list)


def letter(place: int) -> str:
    """The letters of a column, counted from 0: A … Z, AA …"""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def known_headings(cells: Sequence[str], columns: Sequence[Column], place: str, faults: list[str]) -> dict[int, str]:
    """Which column holds what: place from 0 -> heading as the program writes it. Adds faults for the others."""
    known = {column.heading.casefold(): column for column in columns}
    found: dict[int, str] = {}
    for at, cell in enumerate(cells):
        said = tidy(cell)
        if not said:
            continue
        match = _LANGUAGE.fullmatch(said)
        column = known.get((match["heading"] if match else said).casefold())
        heading = column.heading if column else ""
        if column and match:
            heading = f"{column.heading} ({match['language']})"
        if not column or (match and not (column.translated and LANGUAGE.fullmatch(match["language"]))):
            faults.append(
                _(
                    "%(place)s, column %(column)s: “%(heading)s” is not a heading that is known here.",
                    place=place,
                    column=letter(at),
                    heading=said[:40],
                )
            )
        elif heading in found.values():
            faults.append(
                _(
                    "%(place)s, column %(column)s: the heading “%(heading)s” stands here twice.",
                    place=place,
                    column=letter(at),
                    heading=heading,
                )
            )
        else:
            found[at] = heading
    missing = [column.heading for column in columns if column.heading not in found.values()]
    faults += [
        _("%(place)s: the column “%(heading)s” is missing.", place=place, heading=heading) for heading in missing
    ]
    return found


def framework_in(lines: Lines, name: str) -> Framework:
    """The framework that the rows of a file hold. Raises BadPack with everything that is wrong with them."""
    reader = _Reader(lines)
    made = reader.framework()
    if reader.faults or made is None:
        raise BadPack(name, reader.faults)
    return made


class _Reader:
    """Reads rows and collects what is wrong with them; a value with a fault is replaced by an empty one."""

    def __init__(self, lines: Lines) -> None:
        self.rows = lines.rows
        self.faults = list(lines.faults)

    def framework(self) -> Framework | None:
        scales = self._scales()
        chapters = self._hallmarks()
        self._questions(chapters, scales)
        pack = self.rows[PACK.word]
        if not pack:
            return None
        if len(pack) > 1:
            self.fault(pack[1].place(), _("a pack has one row here, and this is the second."))
        title = self.texts(pack[0], "Title")
        return Framework(
            key=self.key(pack[0], set(), slug(title.get("en", ""))),
            edition=self.text(pack[0], "Edition"),
            title=title,
            credit=self.texts(pack[0], "Credit", PARAGRAPH),
            scales=scales,
            hallmarks=tuple(
                Hallmark(
                    key=chapter.key,
                    number=number,
                    title=chapter.title,
                    definition=self.texts(chapter.line, "Definition", PARAGRAPH),
                    description=self.texts(chapter.line, "Description", PARAGRAPH, instead="Definition"),
                    questions=tuple(
                        Question(key, f"{number}.{place}", text, short, prompt, scale)
                        for place, (key, text, short, prompt, scale) in enumerate(chapter.questions, start=1)
                    ),
                    attribution=self.texts(chapter.line, "Attribution", PARAGRAPH, needed=False) or None,
                )
                for number, chapter in enumerate(chapters.values(), start=1)
            ),
        )

    def _scales(self) -> dict[str, Scale]:
        taken: set[str] = set()
        made: dict[str, Scale] = {}
        for line in self.rows[SCALES.word]:
            key = self.key(line, taken)
            made[key] = Scale(key, tuple(self.texts(line, f"Answer {n}") for n in range(1, POINTS + 1)))
        return made

    def _hallmarks(self) -> dict[str, _Chapter]:
        taken: set[str] = set()
        made: dict[str, _Chapter] = {}
        for line in self.rows[HALLMARKS.word]:
            title = self.texts(line, "Title")
            key = self.key(line, taken, slug(title.get("en", "")))
            made[key] = _Chapter(line, key, title, [])
        return made

    def _questions(self, chapters: Mapping[str, _Chapter], scales: Mapping[str, Scale]) -> None:
        taken: set[str] = set()
        named = {chapter.title.get("en", "").casefold(): chapter for chapter in chapters.values()}
        for line in self.rows[QUESTIONS.word]:
            text = self.texts(line, "Question", QUESTION)
            english = text.get("en", "")
            scale = self.text(line, "Scale")
            if scale and scale not in scales:
                self.fault(line.place("Scale"), _("“%(found)s” is not the key of a scale.", found=scale[:40]))
            wanted = self.text(line, "Hallmark")
            chapter = chapters.get(wanted) or named.get(wanted.casefold())
            if wanted and chapter is None:
                self.fault(
                    line.place("Hallmark"),
                    _("“%(found)s” is neither the key nor the title of a hallmark.", found=wanted[:40]),
                )
            about = chapter.key if chapter else ""
            key = self.key(line, taken, key_for(about, english) if about and english else "-")
            short = self.texts(line, "Short name", needed=False) or {"en": begun(english)}
            prompt = self.texts(line, "Prompt", PARAGRAPH, needed=False) or {"en": NO_PROMPT}
            if chapter:
                chapter.questions.append((key, text, short, prompt, scale))
        for chapter in chapters.values():
            if not chapter.questions and self.rows[QUESTIONS.word]:
                self.fault(chapter.line.place(), _("no question belongs to this hallmark."))

    def fault(self, place: str, sentence: str) -> None:
        self.faults.append(f"{place}: {sentence}")

    def text(self, line: Line, heading: str, longest: int = LINE) -> str:
        """A text that must be there; "" after a fault."""
        try:
            return read_text(_cell(line, heading), line.place(heading), longest)
        except BadFramework as fault:
            self.faults.append(fault.sentence)
            return ""

    def texts(
        self, line: Line, heading: str, longest: int = LINE, *, needed: bool = True, instead: str = ""
    ) -> LanguageMap:
        """A text in its languages. Without it: {} if it is not needed, or what stands under the heading `instead`."""
        others = {
            match["language"]: said
            for there in line.cells
            if (match := _LANGUAGE.fullmatch(there)) and match["heading"] == heading and (said := _cell(line, there))
        }
        if not _cell(line, heading) and not others and instead:
            return self.texts(line, instead, longest) if _cell(line, instead) else {}
        if not _cell(line, heading) and not others and not needed:
            return {}
        made = {"en": self.text(line, heading, longest)}
        return made | {language: self.text(line, f"{heading} ({language})", longest) for language in others}

    def key(self, line: Line, taken: set[str], otherwise: str = "") -> str:
        """The key of a row, or `otherwise` for an empty cell; "" after a fault. "-": other faults say enough."""
        found = _cell(line, "Key") or otherwise
        if found == "-":
            return ""
        try:
            return read_key(found, line.place("Key"), taken)
        except BadFramework as fault:
            self.faults.append(fault.sentence.replace(", key: ", ": "))
            return ""


@dataclass(frozen=True, slots=True)
class _Chapter:
    """A hallmark while its questions are being found."""

    line: Line
    key: str
    title: LanguageMap
    questions: list[tuple[str, LanguageMap, LanguageMap, LanguageMap, str]]


def slug(title: str) -> str:
    """A key made from a title: "Welcome & café" gives "welcome-cafe"."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LINE].strip("-")


def _cell(line: Line, heading: str) -> str:
    return line.cells.get(heading, ("", ""))[1]


def key_for(hallmark: str, text: str) -> str:
    """A key for a question that comes without one. It depends on the words alone, not on where the question stands."""
    return f"{hallmark}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def begun(text: str) -> str:
    """The beginning of a question, as a short name for it."""
    return text if len(text) <= SHORT else text[: SHORT - 1].rpartition(" ")[0] + "…"
