"""actions.csv: the plan, a row for each action, A1 first. Columns: the fields of an action."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable

from facilitation.exports.results_csv import harmless
from facilitation.plan import Action
from facilitation.report import Report

COLUMNS = (
    "id",
    "hallmark",
    "question",
    "gap",
    "action",
    "owner",
    "first_step",
    "first_step_by",
    "due",
    "due_words",
    "measure",
    "resources",
    "support",
    "priority",
    "status",
    "status_reason",
    "review",
    "plan_objective",
    "notes",
    "created_in",
)


def write(report: Report) -> bytes:
    """The file, in UTF-8 with the byte order mark Excel needs; days as YYYY-MM-DD."""
    return table(report.actions)


def table(actions: Iterable[Action]) -> bytes:
    """The same file of any actions."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([harmless(cell) for cell in row(action)] for action in actions)
    return text.getvalue().encode("utf-8-sig")


def row(action: Action) -> list[str]:
    """The fields of an action in the order of COLUMNS, as text; "" for what is not set."""
    known = dataclasses.asdict(action) | {"id": action.id}
    return ["" if known[name] is None else str(known[name]) for name in COLUMNS]
