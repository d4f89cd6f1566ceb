"""The plan's days for a calendar: when an action is due, when its first step is, when somebody looks at it again; and
a check-in three months after the session, on which all of them are looked at.

Written as RFC 5545 asks. Each day keeps its UID from export to export, and SEQUENCE rises, so that loading a newer file
updates what stands in the calendar. Actions that are done or dropped are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from facilitation.exports import said
from facilitation.language import _
from facilitation.plan import CHECK_IN_DAYS, Action, ToDo, in_order
from facilitation.report import Report

_LONGEST = 75  # bytes of a line, without its end


@dataclass(frozen=True, slots=True)
class Day:
    """An entry for a whole day; `uid` names it for ever."""

    uid: str
    day: dt.date
    summary: str
    description: str


def write(report: Report, made_at: dt.datetime | None = None) -> bytes:
    """The file of a session. made_at: the moment it is written, in any zone; now, unless a test says otherwise."""
    actions = [action for action in in_order(report.actions) if action.open]
    days = [
        day
        for action in actions
        for day in _days(
            action,
            said.what_for(report, action.question, action.hallmark),
            f"{report.museum}, {action.created_in or said.here(report)}",
            report.code,
        )
    ]
    before = [action for action in report.earlier.actions if action.open] if report.earlier else []
    return _calendar([*days, *_check_in(report.museum, report.code, report.held_on, actions + before)], made_at)


def of_museum(
    museum: str, latest: tuple[str, dt.date], todo: Iterable[ToDo], made_at: dt.datetime | None = None
) -> bytes:
    """The file of all open actions of a museum; each day has the UID that it has in its own session's file.

    latest: the join code and the day of its latest session, after which the check-in is.
    """
    found = list(todo)
    days = [
        day for one in found for day in _days(one.action, one.belongs, f"{museum}, {one.action.created_in}", one.code)
    ]
    days += _check_in(museum, *latest, [one.action for one in found])
    return _calendar(days, made_at)


def _calendar(days: Iterable[Day], made_at: dt.datetime | None) -> bytes:
    moment = (made_at or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Hallmarks workshop//Action plan//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        *(line for day in days for line in _event(day, moment)),
        "END:VCALENDAR",
    ]
    return b"".join(folded(line) for line in lines)


def _days(action: Action, belongs: str, agreed: str, code: str) -> Iterator[Day]:
    days = (
        ("due", action.due, action.action),
        ("first", action.first_step_by, _("First step: %(step)s", step=action.first_step or action.action)),
        ("review", action.review, _("Look again: %(action)s", action=action.action)),
    )
    for kind, day, summary in days:
        if day:
            yield Day(
                f"{action.uid or f'{code}-{action.id}'}-{kind}", day, summary, _description(action, belongs, agreed)
            )


def _check_in(museum: str, code: str, held_on: dt.date, actions: Sequence[Action]) -> list[Day]:
    """One day on which somebody asks how far all of a session's open actions have come; none without any."""
    if not actions:
        return []
    day = held_on + dt.timedelta(days=CHECK_IN_DAYS)
    listed = "\n".join(f"{action.id} {action.action} ({action.owner_said})" for action in actions)
    words = _(
        "%(museum)s: ask of each action whether it is done, under way, not started or dropped.\n%(listed)s",
        museum=museum,
        listed=listed,
    )
    return [Day(f"{code}-check-in", day, _("Check in: how far have our actions come?"), words)]


def _event(day: Day, moment: dt.datetime) -> Iterator[str]:
    yield from (
        "BEGIN:VEVENT",
        f"UID:{day.uid}@hallmarks-workshop",
        f"DTSTAMP:{moment:%Y%m%dT%H%M%SZ}",
        f"SEQUENCE:{int(moment.timestamp()) // 60}",
        f"DTSTART;VALUE=DATE:{day.day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day.day + dt.timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escaped(day.summary)}",
        f"DESCRIPTION:{escaped(day.description)}",
        "TRANSP:TRANSPARENT",  # a reminder, not an appointment
        "END:VEVENT",
    )


def _description(action: Action, belongs: str, agreed: str) -> str:
    known = (
        (_("Action"), action.action),
        (_("Owner"), action.owner_said),
        (_("We will know because"), action.measure),
        (_("For"), belongs),
        (_("Agreed at"), agreed),
    )
    return "\n".join(f"{name}: {words}" for name, words in known if words)


def escaped(text: str) -> str:
    """A text value: backslash, semicolon, comma and line ends written so that a calendar reads them as text."""
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n")):
        text = text.replace(plain, written)
    return text


def folded(line: str) -> bytes:
    """A line in UTF-8 with its CRLF, broken after at most 75 bytes and never inside a character."""
    parts, part = [], b""
    for character in line:
        more = character.encode()
        if len(part) + len(more) > _LONGEST:
            parts.append(part)
            part = b" "
        part += more
    return b"\r\n".join([*parts, part]) + b"\r\n"
