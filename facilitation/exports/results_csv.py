"""results.csv: tidy counts, a row for each question, round and answer. Columns: docs/protocol.md."""

from __future__ import annotations

import csv
import io

from facilitation.hallmarks import say
from facilitation.language import SOURCE
from facilitation.report import Answer, Report, Vote
from facilitation.tally import Dots, Tally

COLUMNS = (
    "workshop_id",
    "workshop_date",
    "framework",
    "edition",
    "hallmark",
    "question",
    "scale",
    "round",
    "group",
    "ballots",
    "released",
    "point",
    "label",
    "count",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(report: Report) -> bytes:
    """The file, in UTF-8 with the byte order mark Excel needs. An unreleased round is one row without counts."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for answer in report.agenda:
        for vote in answer.votes:
            for group, counts in (("all", vote.tally or vote.dots), *vote.groups):
                for point in _points(answer, counts):
                    writer.writerow([harmless(cell) for cell in _row(report, answer, vote, group, counts, point)])
    return text.getvalue().encode("utf-8-sig")


def harmless(cell: object) -> object:
    """A text cell that no spreadsheet takes for a formula: an apostrophe goes before one that could be."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _row(
    report: Report, answer: Answer, vote: Vote, group: str, counts: Tally | Dots | None, point: tuple[str, str, object]
) -> list[object]:
    ballots = vote.ballots if group == "all" else counts.ballots if counts else None
    return [
        report.code,
        report.held_on.isoformat(),
        report.framework,
        report.edition,
        answer.hallmark,
        answer.key,
        answer.scale,
        vote.number,
        group,
        "" if ballots is None else ballots,
        "yes" if vote.released else "no",
        *point,
    ]


def _points(answer: Answer, tally: Tally | Dots | None) -> list[tuple[str, str, object]]:
    if tally is None:
        return [("", "", "")]
    labels = [*enumerate((say(label, SOURCE) for label in answer.maps["labels"]), start=1)]
    counts = tally.as_dict()
    on_scale: list[tuple[str, str, object]] = [(str(point), label, counts[str(point)]) for point, label in labels]
    if isinstance(tally, Dots):
        return [*on_scale, ("none", "No dots", counts["none"])]
    return [*on_scale, ("DK", "Don’t know", counts["DK"]), ("NR", "Not relevant to us", counts["NR"])]
