"""The whole session as JSON: what was asked and how, and the counts that were released. Fields: docs/protocol.md."""

from __future__ import annotations

import json
from typing import Any

from facilitation.report import Answer, Report, Vote

SCHEMA_VERSION = 1


def write(report: Report) -> bytes:
    """The file, UTF-8, the same bytes for the same session."""
    return (json.dumps(as_data(report), ensure_ascii=False, indent=2) + "\n").encode()


def as_data(report: Report) -> dict[str, Any]:
    """The session as plain data."""
    workshop = report.workshop
    return {
        "schema_version": SCHEMA_VERSION,
        "workshop": {
            "code": workshop.code,
            "title": workshop.title,
            "museum": workshop.museum,
            "held_on": workshop.held_on.isoformat(),
            "stage": workshop.stage,
            "k": workshop.k,
            "mode": workshop.mode,
            "joined": workshop.joined,
        },
        "framework": workshop.framework,
        "edition": workshop.edition,
        "questions": [_question(answer) for answer in report.answers],
        "rounds": [_round(answer, vote) for answer in report.answers for vote in answer.votes],
    }


def _question(answer: Answer) -> dict[str, Any]:
    item = answer.item
    return {
        "key": item.key,
        "number": item.number,
        "hallmark": item.hallmark,
        "hallmark_title": item.hallmark_title,
        "text": item.text,
        "short": item.short,
        "prompt": item.prompt,
        "attribution": item.attribution,
        "scale": item.scale,
        "labels": item.labels,
        "minutes": item.minutes,
    }


def _round(answer: Answer, vote: Vote) -> dict[str, Any]:
    shift = {"up": vote.shift.up, "same": vote.shift.same, "down": vote.shift.down} if vote.shift else None
    return {
        "question": answer.item.key,
        "round": vote.number,
        "mode": vote.mode,
        "released": vote.released,
        "void": vote.void,
        "ballots": vote.ballots,
        "counts": vote.tally.as_dict() if vote.tally else None,
        "shift": shift,
    }
