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
    return {
        "schema_version": SCHEMA_VERSION,
        "workshop": {
            "code": report.code,
            "title": report.title,
            "museum": report.museum,
            "held_on": report.held_on.isoformat(),
            "stage": report.stage,
            "k": report.k,
            "mode": report.mode,
            "joined": report.joined,
        },
        "framework": report.framework,
        "edition": report.edition,
        "questions": [_question(answer) for answer in report.answers],
        "rounds": [_round(answer, vote) for answer in report.answers for vote in answer.votes],
    }


def _question(answer: Answer) -> dict[str, Any]:
    return {
        "key": answer.key,
        "number": answer.number,
        "hallmark": answer.hallmark,
        **answer.maps,
        "scale": answer.scale,
        "minutes": answer.minutes,
    }


def _round(answer: Answer, vote: Vote) -> dict[str, Any]:
    shift = {"up": vote.shift.up, "same": vote.shift.same, "down": vote.shift.down} if vote.shift else None
    return {
        "question": answer.key,
        "round": vote.number,
        "mode": vote.mode,
        "released": vote.released,
        "void": vote.void,
        "ballots": vote.ballots,
        "counts": vote.tally.as_dict() if vote.tally else None,
        "shift": shift,
        "groups": {name: counts.as_dict() for name, counts in vote.groups},
    }
