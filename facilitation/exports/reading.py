"""Reading a file of JSON that somebody may have edited: every fault is refused with its place. Pure."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Collection
from typing import Any, NoReturn

from facilitation.errors import Refused
from facilitation.language import _
from facilitation.plan import FIRST_YEAR, LAST_YEAR
from facilitation.words import is_unfit, is_unseen

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")
_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class BadSession(Refused):
    """A session file that cannot be loaded; the sentence names the place of the fault."""


def loaded(text: str, name: str) -> object:
    """The JSON in `text`. A field that stands twice is refused: json itself would keep the last one without a word."""

    def fields(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            refuse(name, _("a field stands twice in the same group."))
        return found

    try:
        return json.loads(text, object_pairs_hook=fields)
    except json.JSONDecodeError as error:
        refuse(
            name,
            _(
                "this is not a session file, or it was cut short or damaged in line %(line)s, column %(column)s. A "
                "session file ends in session.json.",
                line=error.lineno,
                column=error.colno,
            ),
        )
    except ValueError:
        refuse(name, _("a number in it has too many digits."))
    except RecursionError:
        refuse(name, _("its groups are nested too deeply."))


def refuse(place: str, fault: str) -> NoReturn:
    """Raises BadSession."""
    raise BadSession(f"{place}: {fault}")


class Group:
    """One { } of the file, with exactly these fields and perhaps `optional` ones; `place`: where it is, for people."""

    def __init__(self, value: object, place: str, fields: Collection[str], optional: Collection[str] = ()) -> None:
        if not isinstance(value, dict):
            refuse(place, _("a group of fields in { } is needed here."))
        for field in fields:
            if field not in value:
                refuse(place, _("the field “%(field)s” is missing.", field=field))
        for field in value:
            if field not in fields and field not in optional:
                refuse(place, _("the field “%(field)s” is not known here.", field=_shown(field)))
        self.values: dict[str, Any] = value
        self.place = place

    def refuse(self, field: str, fault: str) -> NoReturn:
        """Raises BadSession for a field."""
        refuse(f"{self.place}, {field}", fault)

    def text(self, field: str, longest: int, *, needed: bool = False) -> str:
        """A text of at most `longest` characters, as this program keeps what people type."""
        return self._text(self.values[field], field, longest, needed=needed, bad=is_unseen)

    def _text(self, value: object, field: str, longest: int, *, needed: bool, bad: Callable[[str], bool]) -> str:
        if not isinstance(value, str):
            self.refuse(field, _("text in quotation marks is needed here."))
        if needed and not value.strip():
            self.refuse(field, _("the text is empty."))
        if len(value) > longest:
            self.refuse(
                field, _("the text has %(count)s characters; %(most)s is the most.", count=len(value), most=longest)
            )
        if any(bad(character) for character in value if character != "\n"):
            self.refuse(field, _("the text holds a character that cannot be shown."))
        return value

    def key(self, field: str) -> str:
        """A key: small letters, digits and hyphens."""
        key = self.text(field, 120)
        if not _KEY.fullmatch(key):
            self.refuse(field, _("a key holds only small letters a to z, digits and single hyphens."))
        return key

    def texts(self, field: str, longest: int, *, needed: bool = False) -> dict[str, str]:
        """A text in its languages, with English, on which the others fall back; unless needed, none is allowed."""
        return self._texts(self.values[field], field, longest, needed=needed)

    def _texts(self, value: object, field: str, longest: int, *, needed: bool) -> dict[str, str]:
        if not isinstance(value, dict) or not all(_LANGUAGE.fullmatch(language) for language in value):
            self.refuse(field, _('a text is given by language here, such as {"en": "..."}.'))
        if (needed or value) and "en" not in value:
            self.refuse(field, _("the English text (“en”) is missing."))
        return {
            language: self._text(text, f"{field} ({language})", longest, needed=False, bad=is_unfit)
            for language, text in value.items()
        }

    def list_of_texts(self, field: str, longest: int) -> list[dict[str, str]]:
        """Texts in their languages, in order."""
        values = enumerate(self._list(field), start=1)
        return [self._texts(value, f"{field} {n}", longest, needed=True) for n, value in values]

    def list_of_keys(self, field: str, longest: int) -> list[str]:
        """Keys in order."""
        return [
            self._text(value, f"{field} {n}", longest, needed=True, bad=is_unseen)
            for n, value in enumerate(self._list(field), start=1)
        ]

    def whole(self, field: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self.values[field]
        if type(value) is not int or not low <= value <= high:  # true is an int too
            self.refuse(field, _("a whole number from %(low)s to %(high)s is needed here.", low=low, high=high))
        return value

    def whole_or_none(self, field: str, low: int, high: int) -> int | None:
        """The same, or null."""
        return None if self.values[field] is None else self.whole(field, low, high)

    def flag(self, field: str) -> bool:
        """True or false."""
        value = self.values[field]
        if not isinstance(value, bool):
            self.refuse(field, _("true or false is needed here."))
        return value

    def day(self, field: str) -> dt.date:
        """A day as YYYY-MM-DD."""
        value = self.values[field]
        try:
            day = dt.date.fromisoformat(value)
        except (TypeError, ValueError):
            self.refuse(field, _("a day is needed here, as year, month and day: 2026-11-21."))
        if day.isoformat() != value:  # 20261121 would come back in another form
            self.refuse(field, _("a day is needed here, as year, month and day: 2026-11-21."))
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.refuse(
                field, _("a day in a year from %(first)s to %(last)s is needed here.", first=FIRST_YEAR, last=LAST_YEAR)
            )
        return day

    def day_or_none(self, field: str) -> dt.date | None:
        """The same, or null."""
        return None if self.values[field] is None else self.day(field)

    def one_of(self, field: str, choices: Collection[str]) -> str:
        """One of these texts."""
        value = self.values[field]
        if not isinstance(value, str) or value not in choices:
            self.refuse(
                field,
                _("one of these is needed here: %(choices)s.", choices=", ".join(f"“{choice}”" for choice in choices)),
            )
        return value

    def group(self, field: str, fields: Collection[str]) -> Group:
        """The { } in a field."""
        return Group(self.values[field], f"{self.place}, {field}", fields)

    def groups(self, field: str, fields: Collection[str]) -> list[Group]:
        """The list of { } in a field, numbered from 1 in refusals."""
        return [
            Group(value, f"{self.place}, {field} {n}", fields) for n, value in enumerate(self._list(field), start=1)
        ]

    def _list(self, field: str) -> list[object]:
        value = self.values[field]
        if not isinstance(value, list):
            self.refuse(field, _("a list in [ ] is needed here."))
        return value


def _shown(found: str) -> str:
    """A name from the file, fit for a sentence."""
    return "".join(character if character.isprintable() else "?" for character in found[:40])
