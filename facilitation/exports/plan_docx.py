"""The action plan as a Word document of one or two pages: it goes out the day the session was held, and is edited.

Its tables paste into a forward plan or a grant bid. Actions stand first, because they are what people open it for.
"""

from __future__ import annotations

from collections.abc import Collection

from facilitation.exports import said, word
from facilitation.language import _, ngettext
from facilitation.report import Report

_WIDE = 265  # mm between the margins of a landscape page
_SHARES = {
    "No.": 11,
    "For": 30,
    "What we saw": 40,
    "Action": 56,
    "Owner": 32,
    "First step, by": 34,
    "Due": 32,
    "We will know because": 42,
    "Status": 30,
    "Priority": 16,
    "Review": 34,
    "Resources, £": 40,
    "Support wanted": 36,
    "Forward plan objective": 50,
    "Notes": 60,
}
_ALWAYS = ("No.", "For", "Action", "Owner", "Due", "Status")


def write(report: Report) -> bytes:
    """The file. Owners and dates that nobody has named are lines to fill in."""
    paper = word.Paper(report, _("Action plan: %(museum)s", museum=report.museum), landscape=True)
    paper.heading(said.titled(report, _(said.PLAN_HEADLINE)), 0)
    paper.text(said.who_and_when(report), "Subtitle")
    paper.text(said.plan_opening(report))
    earlier(paper, report, (13, 102, 45, 45, 60))
    _actions(paper, report)
    paper.heading(_("Parked for later"), 1)
    parked(paper, report, (55, 110, 50, 50))
    priorities(paper, report, _WIDE, 1)
    _agreed(paper, report)
    paper.text(f"{_(said.TALKING)} {report.credit}", "Small", before=8)
    return paper.save()


def _actions(paper: word.Paper, report: Report) -> None:
    paper.heading(_("Actions"), 1)
    paper.text(said.counted(report))
    if report.actions:
        table = said.used(said.ACTIONS_HEADINGS, said.action_rows(report), _ALWAYS)
        _table(paper, *table, _("Actions with owner and date"), ("Owner", "Due"))
    next_look(paper, report)
    headings, rows = said.used(said.MORE_HEADINGS, said.more_rows(report), ("No.", "Review"))
    if any(any(row[1:]) for row in rows):
        paper.heading(_("Review and support"), 2)
        _table(paper, headings, rows, _("When each action is looked at again, and what it needs"), ("Review",))


def earlier(
    paper: word.Paper, report: Report, widths: tuple[float, float, float, float, float], *, new_page: bool = False
) -> None:
    """The actions of the session before and how far they have come; nothing where there is none."""
    if not said.earlier_rows(report):
        return
    paper.heading(_(said.EARLIER_HEADLINE), 1, new_page=new_page)
    paper.text(said.earlier_lead(report))
    rows = (word.cells(row) for row in said.earlier_rows(report))
    paper.table(_("Actions of last time and how far they have come"), said.headed(said.EARLIER_HEADINGS), widths, rows)


def next_look(paper: word.Paper, report: Report) -> None:
    """When somebody looks at the plan again, or a line on which to write it."""
    paper.text(said.next_look(report), before=6)
    if report.next_review is None:
        paper.add(word.paragraph("", pen_line=True))


def parked(paper: word.Paper, report: Report, widths: tuple[float, float, float, float]) -> None:
    """Parked items, each with its destination or a line on which to write it."""
    if not report.parked:
        paper.text(_(said.NO_PARKED))
        return
    rows = (word.cells(row, pen_lines=(2,)) for row in said.parked_rows(report))
    paper.table(_("Parked items with their destination"), said.headed(said.PARKED_HEADINGS), widths, rows)


def priorities(paper: word.Paper, report: Report, wide: float, level: int) -> None:
    """Every dot vote, most dots first; nothing where there was none."""
    if not report.priorities:
        return
    paper.heading(_(said.PRIORITIES_HEADLINE), level)
    for answer in report.priorities:
        paper.text(answer.text)
        if rows := said.priority_rows(answer):
            headings = said.priority_headings(answer)
            others = [30.0] * (len(headings) - 1)
            made = (word.cells(row) for row in rows)
            paper.table(_("Dots: %(asked)s", asked=answer.text), headings, (wide - sum(others), *others), made)
        paper.text(said.priority_turnout(answer), "Small", before=3)
        if answer.note:
            paper.term(_("What the room said"), answer.note, bold=False)


def _agreed(paper: word.Paper, report: Report) -> None:
    rows, left_out = said.agreed_rows(report)
    if not rows:
        return
    paper.heading(_("What we agreed about ourselves"), 1)
    made = (word.cells(row) for row in rows)
    paper.table(
        _("Ratings the group settled on, with reasons"), said.headed(said.AGREED_HEADINGS), (65, 65, 45, 90), made
    )
    if left_out:
        paper.text(
            ngettext("%(num)s more ratings are in the report.", "%(num)s more ratings are in the report.", left_out),
            "Small",
            before=4,
        )


def _table(
    paper: word.Paper, headings: said.Row, rows: list[said.Row], caption: str, to_fill_in: Collection[str]
) -> None:
    """A table over the whole width, each column as wide as its share of it."""
    share = _WIDE / sum(_SHARES[heading] for heading in headings)
    lines = [place for place, heading in enumerate(headings) if heading in to_fill_in]
    made = (word.cells(row, pen_lines=lines) for row in rows)
    paper.table(caption, said.headed(headings), [_SHARES[heading] * share for heading in headings], made)
