"""The plan's days for a calendar: when an action is due, when its first step is, when somebody looks at it again.

Written as RFC 5545 asks. Each day keeps its UID from export to export, and SEQUENCE rises, so that loading a newer file
updates what stands in the calendar. Actions that are done or dropped are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from facilitation.exports import said
from facilitation.plan import Action, in_order
from facilitation.report import Report

_LONGEST = 75  # bytes of a line, without its end


def write(report: Report, made_at: dt.datetime | None = None) -> bytes:
    """The file. made_at: the moment it is written, in any zone; now, unless a test says otherwise."""
    moment = (made_at or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Hallmarks workshop//Action plan//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        *(line for action in in_order(report.actions) if action.open for line in _events(report, action, moment)),
        "END:VCALENDAR",
    ]
    return b"".join(folded(line) for line in lines)


def _events(report: Report, action: Action, moment: dt.datetime) -> Iterator[str]:
    days = (
        ("due", action.due, action.action),
        ("first", action.first_step_by, f"First step: {action.first_step or action.action}"),
        ("review", action.review, f"Look again: {action.action}"),
    )
    for kind, day, summary in days:
        if day:
            yield from (
                "BEGIN:VEVENT",
                f"UID:{action.uid or f'{report.code}-{action.id}'}-{kind}@hallmarks-workshop",
                f"DTSTAMP:{moment:%Y%m%dT%H%M%SZ}",
                f"SEQUENCE:{int(moment.timestamp()) // 60}",
                f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
                f"DTEND;VALUE=DATE:{day + dt.timedelta(days=1):%Y%m%d}",
                f"SUMMARY:{escaped(summary)}",
                f"DESCRIPTION:{escaped(_description(report, action))}",
                "TRANSP:TRANSPARENT",  # a reminder, not an appointment
                "END:VEVENT",
            )


def _description(report: Report, action: Action) -> str:
    known = (
        ("Action", action.action),
        ("Owner", action.owner),
        ("We will know because", action.measure),
        ("For", said.what_for(report, action.question, action.hallmark)),
        ("Agreed at", f"{report.museum}, {action.created_in or said.here(report)}"),
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
