"""The report as a Word document: the same words in the same order as the PDF, to be edited."""

from __future__ import annotations

from collections.abc import Iterator

from facilitation.exports import pictures, plan_docx, said, word
from facilitation.language import _
from facilitation.plan import in_order
from facilitation.profile import ProfileRow
from facilitation.report import Answer, Chapter, Report
from facilitation.tally import Tally


def write(report: Report) -> bytes:
    """The file: A4, a section for each hallmark, on a new page unless it follows another short one."""
    paper = word.Paper(report, _("How we see ourselves: %(museum)s", museum=report.museum), landscape=False)
    _page_one(paper, report)
    plan_docx.earlier(paper, report, (11, 66, 34, 33, 34), new_page=True)
    for chapter in report.chapters:
        _chapter(paper, chapter)
    _plan(paper, report)
    paper.heading(_(said.METHOD_HEADLINE), 1)
    for paragraph in said.method(report):
        paper.text(paragraph)
    paper.text(report.credit, "Small")
    return paper.save()


def _page_one(paper: word.Paper, report: Report) -> None:
    paper.heading(said.titled(report, _(said.HEADLINE)), 0)
    paper.text(said.who_and_when(report), "Subtitle")
    facts = said.facts(report)
    values = [word.cells((value for _name, value in facts), "Fact")]
    paper.table(_("Four facts about the session"), [name for name, _value in facts], (40, 40, 40, 58), values)
    if report.three:
        paper.heading(said.three_headline(report), 1)
        rows = (
            [*word.cells((reason,)), _bold(question), *word.cells((seen,))]
            for reason, question, seen in said.three(report)
        )
        paper.table(said.three_headline(report), (_("Why"), _("Question"), _("What we saw")), (45, 63, 70), rows)
    paper.heading(_("The hallmarks at a glance"), 1)
    if report.profile:
        paper.text(_(said.LEGEND), "Small")
        rows = (_profile_row(paper, row) for row in report.profile)
        headings, widths = (_("Hallmark"), *said.headed(said.LEVELS), _("Spread")), (52, *[18.5] * 5, 33.5)
        paper.table(_("Each question at its middle answer, by hallmark"), headings, widths, rows)
    else:
        paper.text(_(said.NO_PROFILE))
    paper.text(said.summary(report), "Small", before=6)


def _bold(words: str) -> str:
    return word.paragraph(word.run(words, bold=True), "Cell")


def _profile_row(paper: word.Paper, row: ProfileRow) -> list[str]:
    title = f"{row.plate} {row.hallmark}".strip() or _(said.OWN_QUESTIONS)
    levels = []
    for level in range(1, 6):
        here = tuple(mark for mark in row.marks if mark.level == level)
        squares = paper.picture(pictures.marks(here), row.spoken(level)) if here else ""
        levels.append(word.paragraph(squares, "Cell"))
    return [*word.cells((title,)), *levels, *word.cells((row.spread if row.shown else row.why_not,))]


def _chapter(paper: word.Paper, chapter: Chapter) -> None:
    paper.heading(said.chapter_title(chapter), 1, new_page=not chapter.follows)
    if chapter.definition:
        paper.text(chapter.definition, "Subtitle")
    for answer in chapter.answers:
        _question(paper, answer)
    if chapter.attribution:
        paper.text(chapter.attribution, "Small", before=8)


def _question(paper: word.Paper, answer: Answer) -> None:
    paper.heading(f"{answer.plate} {answer.text}", 2)
    if columns := said.columns(answer):
        others = len(columns) - 1
        widths = [46, 56, *[20] * others]
        if said.two_charts(answer):
            widths[1] = widths[-1] = 50
        headings = (_("Answer"), *(heading for heading, _counts in columns))
        paper.table(
            _("Answers to %(question)s", question=said.name_of(answer)),
            headings,
            widths,
            _chart(paper, answer),
            ruled=False,
        )
    paper.text(said.turnout(answer), "Small", before=3)
    for name, words in said.findings(answer):
        paper.term(name, words, bold=True)
    for name, words in said.remarks(answer):
        paper.term(name, words, bold=False)


def _chart(paper: word.Paper, answer: Answer) -> Iterator[list[str]]:
    """A row for each point: squares and count of the latest vote, then the counts of roles and of earlier votes; last
    time's stand at the end as a chart of their own."""
    (_heading, latest), *others = said.columns(answer)
    on_scale = len(latest.counts)
    longest = max(max(counts.counts) for _heading, counts in (said.columns(answer)[0], said.columns(answer)[-1]))
    for place, point in enumerate(said.points(answer)):

        def lane(counts: Tally, place: int = place) -> str:
            count = said.cells(counts)[place]
            if not count or place >= on_scale:
                return ""
            return paper.picture(pictures.lane(place + 1, count, longest), "") + word.run(" ")

        rest = [word.run(str(said.cells(counts)[place])) for _heading, counts in others]
        if answer.last and said.two_charts(answer):
            rest[-1] = lane(answer.last.then.counts) + rest[-1]
        first = lane(latest) + word.run(str(said.cells(latest)[place]), bold=True)
        runs = (word.run(point, soft=place >= on_scale), first, *rest)
        # Don't know and Not relevant stand apart from the scale.
        yield [word.paragraph(content, "Chart cell", before=4 * (place == on_scale)) for content in runs]


def _plan(paper: word.Paper, report: Report) -> None:
    paper.heading(_(said.PLAN_HEADLINE), 1, new_page=True)
    paper.text(said.counted(report))
    if report.actions:
        rows = []
        for action in in_order(report.actions):
            row = said.short_row(report, action)
            made = word.cells(row, pen_lines=(3, 4))
            made[2] += "".join(
                word.paragraph(word.run(f"{name}: {words}"), "Small") for name, words in said.details(action)
            )
            rows.append(made)
        paper.table(_("Actions"), said.headed(said.SHORT_HEADINGS), (11, 32, 52, 30, 29, 24), rows)
    plan_docx.next_look(paper, report)
    paper.heading(_("Parked for later"), 2)
    plan_docx.parked(paper, report, (40, 66, 40, 32))
    plan_docx.priorities(paper, report, 178, 2)
