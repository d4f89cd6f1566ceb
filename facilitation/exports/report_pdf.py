"""The report as PDF: page 1 for the board alone, a section for each hallmark, the plan, and the method."""

from __future__ import annotations

from typing import Any

from facilitation.exports import said, typeset
from facilitation.language import _, current
from facilitation.plan import in_order
from facilitation.profile import ProfileRow
from facilitation.report import Answer, Chapter, Report


def write(report: Report) -> bytes:
    """The file: A4, tagged, PDF/UA-1."""
    return typeset.pdf("report.typ", words(report), report.held_on)


def words(report: Report) -> dict[str, Any]:
    """Everything the template sets, as plain data."""
    return page_one(report) | {
        "answer": _("Answer"),
        "chapters": [_chapter(chapter) for chapter in report.chapters],
        "earlier": {
            "title": _(said.EARLIER_HEADLINE),
            "lead": said.earlier_lead(report),
            "headings": said.headed(said.EARLIER_HEADINGS),
            "rows": said.earlier_rows(report),
        },
        "plan": _plan(report),
        "parked": said.parked_rows(report),
        "parked-headline": _("Parked for later"),
        "parked-headings": said.headed(said.PARKED_HEADINGS),
        "no-parked": _(said.NO_PARKED),
        "priorities-headline": _(said.PRIORITIES_HEADLINE),
        "priorities": [_priorities(answer) for answer in report.priorities],
        "room-said": _("What the room said"),
        "method-headline": _(said.METHOD_HEADLINE),
        "method": said.method(report),
        "credit": report.credit,
    }


def page_one(report: Report) -> dict[str, Any]:
    """What stands on page 1, which the wall chart shows too."""
    return {
        "language": current().partition("-")[0],
        "pages": _("%(page)s of %(pages)s", page="{page}", pages="{pages}"),
        "title": said.titled(report, _(said.HEADLINE)),
        "watermark": _("Example") if report.made_up else "",
        "museum": report.museum,
        "who": said.who_and_when(report),
        "footer": said.footer(report),
        "facts": said.facts(report),
        "three-headline": said.three_headline(report),
        "three": said.three(report),
        "glance": _("The hallmarks at a glance"),
        "profile-headings": (_("Hallmark"), *said.headed(said.LEVELS), _("Spread")),
        "no-profile": _(said.NO_PROFILE),
        "legend": _(said.LEGEND),
        "profile": [_row(row) for row in report.profile],
        "summary": said.summary(report),
    }


def _row(row: ProfileRow) -> dict[str, Any]:
    return {
        "plate": row.plate,
        "hallmark": row.hallmark or _(said.OWN_QUESTIONS),
        "shown": row.shown,
        "why": row.why_not,
        "spread": row.spread,
        "cells": [{"marks": _marks(row, level), "spoken": row.spoken(level)} for level in range(1, 6)],
    }


def _marks(row: ProfileRow, level: int) -> list[dict[str, bool]]:
    return [{"apart": mark.apart, "between": mark.between} for mark in row.marks if mark.level == level]


def _chapter(chapter: Chapter) -> dict[str, Any]:
    return {
        "number": chapter.number,
        "title": chapter.title or _(said.OWN_QUESTIONS),
        "definition": chapter.definition,
        "attribution": chapter.attribution,
        "follows": chapter.follows,
        "questions": [_question(answer) for answer in chapter.answers],
    }


def _question(answer: Answer) -> dict[str, Any]:
    return {
        "plate": answer.plate,
        "text": answer.text,
        "points": said.points(answer),
        "columns": [{"heading": heading, "cells": said.cells(counts)} for heading, counts in said.columns(answer)],
        "two": said.two_charts(answer),
        "turnout": said.turnout(answer),
        "findings": said.findings(answer),
        "remarks": said.remarks(answer),
    }


def _priorities(answer: Answer) -> dict[str, Any]:
    return {
        "text": answer.text,
        "headings": said.priority_headings(answer),
        "rows": said.priority_rows(answer),
        "turnout": said.priority_turnout(answer),
        "note": answer.note,
    }


def _plan(report: Report) -> dict[str, Any]:
    return {
        "title": _(said.PLAN_HEADLINE),
        "lead": said.counted(report),
        "none": _(said.NO_ACTIONS),
        "review": said.next_look(report),
        "no-review": report.next_review is None,
        "headings": said.headed(said.SHORT_HEADINGS),
        "rows": [
            {"cells": said.short_row(report, action), "details": said.details(action)}
            for action in in_order(report.actions)
        ],
    }
