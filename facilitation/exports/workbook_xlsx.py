"""The workbook: five sheets for people who sort and filter. Every text is written as text, so that nothing computes."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from facilitation import tally
from facilitation.exports import said
from facilitation.language import _, mark
from facilitation.plan import Action, Status, Support
from facilitation.report import Answer, Report, Vote
from facilitation.tally import SPREAD_WORDS, Tally

Cell = str | int | float | dt.date | None

ACTIONS: Mapping[str, int] = {
    mark("No."): 6,
    mark("Hallmark"): 22,
    mark("Question"): 28,
    mark("What we saw"): 34,
    mark("Action"): 44,
    mark("Owner"): 22,
    mark("First step"): 30,
    mark("First step by"): 13,
    mark("Due"): 12,
    mark("Due in words"): 16,
    mark("We will know because"): 34,
    mark("Resources, £"): 20,
    mark("Support wanted"): 20,
    mark("Priority"): 9,
    mark("Status"): 13,
    mark("Reason for status"): 26,
    mark("Review"): 12,
    mark("Forward plan objective"): 28,
    mark("Notes"): 34,
    mark("Agreed at"): 34,
}
"""The columns of the sheet Actions, and how wide they are in characters."""
PRIORITIES: Mapping[str, int] = {
    mark("Asked"): 34,
    mark("Vote"): 8,
    mark("Option"): 60,
    mark("Dots"): 8,
    mark("Answered"): 11,
    mark("Note"): 30,
}
RESULTS: Mapping[str, int] = {
    mark("Hallmark"): 22,
    mark("Number"): 8,
    mark("Question"): 60,
    mark("Scale"): 14,
    mark("Vote"): 6,
    mark("Group"): 12,
    mark("Answered"): 9,
    "1": 5,
    "2": 5,
    "3": 5,
    "4": 5,
    "5": 5,
    mark("Don’t know"): 8,
    mark("Not relevant"): 8,
    mark("N"): 5,
    mark("Median low"): 8,
    mark("Median high"): 8,
    mark("Middle answer"): 26,
    mark("Interpolated median"): 12,
    mark("Mean (to compare only)"): 12,
    mark("Pairs apart"): 8,
    mark("Pairs"): 8,
    mark("Spread"): 16,
    mark("Agreement A"): 11,
    mark("Went up"): 8,
    mark("Stayed"): 8,
    mark("Went down"): 8,
    mark("Agreed rating"): 22,
    mark("Reason"): 40,
    mark("Compared with last time"): 24,
    mark("Not shown because"): 26,
}
COMMENTS: Mapping[str, int] = {mark("Hallmark"): 24, mark("Question"): 34, mark("Text"): 80}
PARKED: Mapping[str, int] = {mark("Item"): 60, mark("Question"): 34, mark("Destination"): 30, mark("Owner"): 24}

_SPARE_ROWS = 200  # below the actions, so that a list of choices waits where people add more
_LINE = 13.5  # points
_A_FROM = 5  # votes, from which agreement A means something


class _Book:
    """A workbook with the few looks that its sheets share."""

    def __init__(self, report: Report) -> None:
        self.file = io.BytesIO()
        self.book = Workbook(self.file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
        when = dt.datetime.combine(report.held_on, dt.time(12))
        self.book.set_properties(
            {
                "title": _("Tables: %(museum)s", museum=report.museum),
                "subject": said.who_and_when(report),
                "author": report.museum,
                "created": when,
            }
        )
        base = {"font_name": "Arial", "font_size": 10, "valign": "top"}
        self.head = self.book.add_format({**base, "bold": True, "bottom": 2, "text_wrap": True})
        self.text = self.book.add_format({**base, "text_wrap": True, "num_format": "@"})
        self.number = self.book.add_format({**base, "align": "center"})
        self.decimal = self.book.add_format({**base, "align": "center", "num_format": "0.0000"})
        self.day = self.book.add_format({**base, "num_format": "yyyy-mm-dd", "align": "left"})
        pages = _("page %(page)s of %(pages)s", page="&P", pages="&N")
        self._footer = f"&L{said.footer(report).replace('&', '&&')}, &A&R{pages}"

    def sheet(
        self, name: str, columns: Mapping[str, int], rows: Iterable[Sequence[Cell]], *, kept: int = 0, pages: int = 1
    ) -> Worksheet:
        """A sheet with a header that stays in view, is printed on every page, and filters.

        kept: columns that stay in view and are printed again too; pages: how many it is wide in print.
        """
        sheet = self.book.add_worksheet(name)
        widths = list(columns.values())
        for place, (heading, width) in enumerate(columns.items()):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, _(heading) if heading else "", self.head)
        sheet.set_row(0, 2 * _LINE)
        last = 0
        for last, row in enumerate(rows, start=1):
            sheet.set_row(last, _LINE * _lines(row, widths))
            for place, cell in enumerate(row):
                self._write(sheet, last, place, cell)
        sheet.freeze_panes(1, kept)
        sheet.autofilter(0, 0, max(last, 1), len(columns) - 1)
        sheet.repeat_rows(0)
        if kept:
            sheet.repeat_columns(0, kept - 1)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(pages, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        sheet.set_footer(self._footer)
        return sheet

    def _write(self, sheet: Worksheet, row: int, column: int, cell: Cell) -> None:
        match cell:
            case None | "":
                sheet.write_blank(row, column, None, self.text)
            case str():
                sheet.write_string(row, column, cell, self.text)
            case dt.date():
                sheet.write_datetime(row, column, dt.datetime.combine(cell, dt.time()), self.day)
            case float():
                sheet.write_number(row, column, cell, self.decimal)
            case _:
                sheet.write_number(row, column, cell, self.number)

    def save(self) -> bytes:
        """The file."""
        self.book.close()
        return self.file.getvalue()


def _lines(row: Sequence[Cell], widths: Sequence[int]) -> int:
    """How many lines a row needs: LibreOffice does not find out by itself, and would print lines over each other."""
    return max(
        sum(max(1, ceil(len(line) / width)) for line in cell.split("\n")) if isinstance(cell, str) else 1
        for cell, width in zip(row, widths, strict=True)
    )


def write(report: Report) -> bytes:
    """The file, with the sheets Actions, Results, Comments, Parked, About, and Priorities if there was a dot vote."""
    book = _Book(report)
    actions = book.sheet("Actions", ACTIONS, (_action(report, action) for action in report.actions), kept=1, pages=4)
    _choices(actions, book.day, len(report.actions) + _SPARE_ROWS)
    book.sheet("Results", RESULTS, (row for answer in report.answers for row in _results(answer)), kept=2, pages=3)
    book.sheet("Comments", COMMENTS, ()).hide()  # its columns are promised to programs; nobody prints an empty page
    parked = ((item.item, said.what_for(report, item.question), item.destination, item.owner) for item in report.parked)
    book.sheet("Parked", PARKED, parked)
    if report.priorities:
        dots = (row for answer in report.priorities for row in _dots(answer))
        book.sheet("Priorities", PRIORITIES, dots)
    about = book.sheet("About", {mark("What"): 30, "": 110}, _about(report))
    about.write_string(0, 1, _("Says"), book.head)
    return book.save()


def _action(report: Report, action: Action) -> list[Cell]:
    chapter = next((chapter for chapter in report.chapters if chapter.key == action.hallmark), None)
    return [
        action.id,
        said.chapter_title(chapter) if chapter and action.hallmark else "",
        said.what_for(report, action.question) if action.question else "",
        action.gap,
        action.action,
        action.owner_said,
        action.first_step,
        action.first_step_by,
        action.due,
        action.due_words,
        action.measure,
        action.resources,
        _(said.SUPPORT[action.support]),
        action.priority,
        action.status.said_in_line,
        action.status_reason,
        action.review,
        action.plan_objective,
        action.notes,
        action.created_in,
    ]


def _states() -> list[str]:
    return [status.said_in_line for status in Status]


def _supports() -> list[str]:
    return [_(said.SUPPORT[support]) for support in Support]


def _choices(sheet: Worksheet, day: Format, last: int) -> None:
    """What the cells of Actions take: a status, a kind of support, a day, a whole number."""
    places = {name: place for place, name in enumerate(ACTIONS)}
    for name, choices in (("Status", _states()), ("Support wanted", _supports())):
        rule: dict[str, object] = {
            "validate": "list",
            "source": list(choices),
            "error_message": _("Choose from the list."),
        }
        sheet.data_validation(1, places[name], last, places[name], rule)
    for name in ("First step by", "Due", "Review"):
        rule = {
            "validate": "date",
            "criteria": ">=",
            "value": dt.date(2000, 1, 1),
            "error_title": _("Not a day"),
            "error_message": _("Enter a day, for example 2027-01-31."),
        }
        sheet.data_validation(1, places[name], last, places[name], rule)
        sheet.set_column(places[name], places[name], ACTIONS[name], day)
    whole = {"validate": "integer", "criteria": "between", "minimum": 1, "maximum": 999}
    sheet.data_validation(1, places["Priority"], last, places["Priority"], whole)


def _results(answer: Answer) -> Iterable[list[Cell]]:
    """A row for each vote and group; one row for a question that was not voted on."""
    if not answer.votes:
        yield _result(answer, None, "", None)
    for vote in answer.votes:
        yield _result(answer, vote, "all", vote.tally)
        for name, part in vote.groups:
            yield _result(answer, vote, said.group_said(name), part)


def _result(answer: Answer, vote: Vote | None, group: str, counts: Tally | None) -> list[Cell]:
    whole = group in ("", "all")
    shift = vote.shift if vote and whole else None
    shown: list[Cell] = [*_counts(answer, counts)] if counts else [None] * 17
    return [
        answer.hallmark_title or _(said.OWN_QUESTIONS),
        answer.plate,
        answer.text,
        answer.scale,
        vote.number if vote else None,
        _("all") if group == "all" else group,
        counts.ballots if counts else vote.ballots if vote else None,
        *shown,
        *((shift.up, shift.same, shift.down) if shift else (None, None, None)),
        answer.agreement.said(answer.labels) if whole else "",
        answer.agreement.reason if whole else "",
        answer.last.words if answer.last and vote is answer.first and whole else None,
        "" if counts else said.why_not(vote) if vote else answer.why_not,
    ]


def _counts(answer: Answer, counts: Tally) -> Iterable[Cell]:
    """From the counts by point to agreement A."""
    n, middle, spread = counts.n, tally.median(counts.counts), tally.spread(counts.counts)
    mean = sum(point * votes for point, votes in enumerate(counts.counts, start=1)) / n if n else None
    apart, pairs = tally.pairs_apart(counts.counts)
    yield from said.cells(counts)
    yield n
    yield from middle or (None, None)
    yield tally.middle_words(counts.counts, answer.labels)
    yield tally.interpolated_median(counts.counts)
    yield mean
    yield from (apart, pairs)
    yield _(SPREAD_WORDS[spread]) if spread else None
    yield tally.agreement(counts.counts) if n >= _A_FROM else None


def _dots(answer: Answer) -> Iterable[list[Cell]]:
    """A row for each option of each vote; one row for a dot vote that may not be shown."""
    if not answer.ranked:
        yield [answer.text, None, "", None, None, answer.why_not]
    for vote in answer.votes:
        for place in vote.dots.ranked() if vote.dots else ():
            dots = vote.dots.counts[place] if vote.dots else 0
            yield [answer.text, vote.number, answer.labels[place], dots, vote.ballots, ""]


def _about(report: Report) -> list[tuple[Cell, Cell]]:
    method: list[tuple[Cell, Cell]] = [(_(said.METHOD_HEADLINE), paragraph) for paragraph in said.method(report)]
    attributions = dict.fromkeys(answer.attribution for answer in report.answers if answer.attribution)
    return [
        (_("Session"), report.title),
        (_("Museum"), report.museum),
        (_("Day"), report.held_on.isoformat()),
        (_("Join code"), report.code),
        (_("Continues"), f"{report.earlier.title}, {report.earlier.held_on.isoformat()}" if report.earlier else ""),
        (_("Framework"), report.framework),
        (_("Edition"), report.edition),
        (_("Smallest number shown (k)"), str(report.k)),
        (
            _("Results"),
            {"live": _("live, while people voted"), "reveal": _("when shown")}.get(report.mode, report.mode),
        ),
        (_("People who joined"), str(report.joined)),
        ("", ""),
        *method,
        ("", ""),
        *((_(what), _(says)) for what, says in _CODEBOOK),
        ("", ""),
        *((_("Scale %(name)s", name=name), words) for name, words in _scales(report).items()),
        (_("Credit"), report.credit),
        *((_("Attribution"), words) for words in attributions),
    ]


_CODEBOOK = (
    (mark("Results: Vote"), mark("1 is the first vote on a question, 2 the vote after talking.")),
    (
        mark("Results: Group"),
        mark("“all” is everybody; a role stands alone only where it and the rest are large enough."),
    ),
    (
        mark("Results: Answered"),
        mark("Everybody who answered, Don’t know and Not relevant to us included. Empty: not shown."),
    ),
    (mark("Results: 1 to 5"), mark("How many chose that point of the question’s scale.")),
    (mark("Results: N"), mark("Everybody who chose a point of the scale.")),
    (mark("Results: Median low, high"), mark("The points of the middle answer; two points when it lies between them.")),
    (
        mark("Results: Interpolated median"),
        mark("The median moved within its point by the votes above and below. For sorting only."),
    ),
    (mark("Results: Mean"), mark("For comparing with other tables only: answers on a scale of words have no mean.")),
    (mark("Results: Pairs apart"), mark("In so many of all pairs do two people stand two or more points apart.")),
    (
        mark("Results: Agreement A"),
        mark("Van der Eijk 2001: 1 all on one point, 0 flat, -1 half at each end. From five votes up."),
    ),
    (mark("Priorities: Dots"), mark("Everybody had three, each for another option. Nothing is computed from them.")),
    (
        mark("Results: Went up, Stayed, Went down"),
        mark("What people’s own devices said of a second vote. Shown from k devices up."),
    ),
)


def _scales(report: Report) -> dict[str, str]:
    """The words of every scale that was used."""
    return {
        answer.scale: "; ".join(f"{point} {label}" for point, label in enumerate(answer.labels, start=1))
        for answer in report.answers
    }
