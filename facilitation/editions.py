"""Where editions of frameworks are kept: the shipped one, imported ones, and those made on the page.

A session keeps the edition it was run with: it is stored when the first session uses it, so that neither a new release
of the program nor a new edition rewrites the past. Write units like those of workshop.py.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from facilitation import hallmarks
from facilitation.errors import Refused
from facilitation.hallmarks import Framework, LanguageMap, say
from facilitation.language import _
from facilitation.store import FrameworkRow, Workshop

MOST_EDITIONS = 200


def name_of(framework: Framework) -> str:
    """How an edition is named in a form: museum-hallmarks:2026.1. A key never holds a colon."""
    return f"{framework.key}:{framework.edition}"


def address_of(key: str, edition: str) -> str:
    """How an edition is named in an address: an edition’s own name may hold anything."""
    return f"{key}-{hashlib.sha256(edition.encode()).hexdigest()[:8]}"


def at(session: Session, shipped: Framework, address: str) -> Framework | None:
    """The edition at this address."""
    names = [(row.key, row.edition) for row in session.execute(select(FrameworkRow.key, FrameworkRow.edition))]
    for key, edition in (*names, (shipped.key, shipped.edition)):
        if address_of(key, edition) == address:
            return find(session, shipped, f"{key}:{edition}")
    return None


def listed(session: Session, shipped: Framework) -> list[Framework]:
    """Every edition there is: the shipped one first, then the newest of the others."""
    rows = session.scalars(select(FrameworkRow).order_by(FrameworkRow.id.desc()))
    found = {(row.key, row.edition): _read(row) for row in rows}
    mine = (shipped.key, shipped.edition)
    first = found.pop(mine, shipped)
    return [first, *found.values()]


class Credits:
    """Whose words all editions use, for a page that anybody may ask for. A row never changes and its number never comes
    back, so that each is read once in a process."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[LanguageMap, list[tuple[LanguageMap, LanguageMap]]]] = {}

    def read(self, session: Session, shipped: Framework) -> tuple[list[str], dict[str, str]]:
        """Each credit once, and the attributions by the title of their hallmark, in the order of `listed`."""
        query = select(FrameworkRow.id, FrameworkRow.key, FrameworkRow.edition).order_by(FrameworkRow.id.desc())
        there = {row.id: (row.key, row.edition) for row in session.execute(query)}
        if new := there.keys() - self._known.keys():
            contents = select(FrameworkRow.id, FrameworkRow.content).where(FrameworkRow.id.in_(new))
            self._known |= {id: _quoted(content) for id, content in session.execute(contents)}
        self._known = {id: self._known[id] for id in there if id in self._known}
        found = {there[id]: words for id, words in self._known.items()}
        first = found.pop((shipped.key, shipped.edition), None) or _quoted(hallmarks.as_plain(shipped))
        every = [first, *found.values()]
        attributions = {say(title): say(words) for _credit, quoted in every for title, words in quoted}
        return list(dict.fromkeys(say(credit) for credit, _quoted_words in every)), attributions


def find(session: Session, shipped: Framework, name: str) -> Framework | None:
    """The edition of this name, in the words that sessions were run with."""
    key, _colon, edition = name.partition(":")
    row = session.scalar(_named(key, edition))
    if row is not None:
        return _read(row)
    return shipped if (key, edition) == (shipped.key, shipped.edition) else None


def of(session: Session, shipped: Framework, workshop: Workshop) -> Framework:
    """The edition that a session runs with; the shipped one for a session whose edition this database never had."""
    return find(session, shipped, f"{workshop.framework}:{workshop.edition}") or shipped


def keep(session: Session, framework: Framework) -> None:
    """Store an edition, unless one of that name is there: a session is about to use it."""
    if session.scalar(_named(framework.key, framework.edition)) is None:
        _add(session, framework)


def add(session: Session, shipped: Framework, framework: Framework) -> bool:
    """Add an edition that somebody made; whether it is new. Raises Refused where other words have its name already."""
    there = find(session, shipped, name_of(framework))
    if there is not None and there != framework:
        raise Refused(
            _(
                "There is an edition %(edition)s of “%(title)s” already, and its words differ. Give yours another "
                "edition name: sessions keep the words they were run with.",
                edition=framework.edition,
                title=say(framework.title),
            )
        )
    if there is None:
        if (session.scalar(select(func.count()).select_from(FrameworkRow)) or 0) >= MOST_EDITIONS:
            raise Refused(
                _("There are %(most)s editions already. Delete one that no session uses.", most=MOST_EDITIONS)
            )
        _add(session, framework)
    return there is None


def used(session: Session) -> dict[str, int]:
    """How many sessions run with each edition, by its name."""
    query = select(Workshop.framework, Workshop.edition, func.count()).group_by(Workshop.framework, Workshop.edition)
    return {f"{key}:{edition}": number for key, edition, number in session.execute(query)}


def forget(session: Session, shipped: Framework, name: str) -> None:
    """Delete an edition. Raises Refused for one that stays."""
    must_be_free(session, shipped, name)
    key, _colon, edition = name.partition(":")
    if (row := session.scalar(_named(key, edition))) is not None:
        session.delete(row)


def must_be_free(session: Session, shipped: Framework, name: str) -> None:
    """Raises Refused for an edition that a session uses, and for the shipped one."""
    if name == name_of(shipped):
        raise Refused(_("This edition came with the program and stays."))
    if used(session).get(name):
        raise Refused(_("A session was run with this edition, so it stays as long as that session does."))


def newest_name(framework: Framework, all_of_them: Iterable[Framework]) -> str:
    """A name for the next edition: 2026.2 after 2026.1, with the number counted up until it is free."""
    taken = {other.edition for other in all_of_them if other.key == framework.key}
    stem, dot, last = framework.edition.rpartition(".")
    number = int(last) if last.isdecimal() and len(last) < 6 else 1
    if not last.isdecimal():
        stem, dot = framework.edition, "."
    while f"{stem}{dot}{number}" in taken:
        number += 1
    return f"{stem}{dot}{number}"


def _add(session: Session, framework: Framework) -> None:
    today = dt.datetime.now(dt.UTC).date()
    plain = hallmarks.as_plain(framework)
    session.add(FrameworkRow(key=framework.key, edition=framework.edition, content=plain, added_on=today))


def _named(key: str, edition: str) -> Select[FrameworkRow]:
    return select(FrameworkRow).where(FrameworkRow.key == key, FrameworkRow.edition == edition)


def _quoted(plain: Mapping[str, Any]) -> tuple[LanguageMap, list[tuple[LanguageMap, LanguageMap]]]:
    return plain["credit"], [(one["title"], one["attribution"]) for one in plain["hallmarks"] if "attribution" in one]


def _read(row: FrameworkRow) -> Framework:
    return hallmarks.from_plain(row.content, f"edition {row.edition}")
