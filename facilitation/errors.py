"""What the program refuses, in sentences for a person. Pure.

A refusal is not a fault: it is an answer. The web layer maps each class once to its HTTP status and shows the
sentence; nothing that was typed is lost.
"""

from __future__ import annotations

from facilitation.language import _


class Refused(Exception):
    """Something was asked for that cannot be done; `sentence` says why and what to do instead."""

    status = 422

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self._sentence = sentence

    @property
    def sentence(self) -> str:
        """Said in the language of whoever reads it: the writer works for many at once, and what it refuses to all of
        them is still in English here."""
        return _(self._sentence)


class Stale(Refused):
    """The page that asked was older than the workshop: answered with the fresh page, never carried out."""

    status = 409


class NotVoting(Refused):
    """A ballot for a round that takes none: it was not counted, and the phone is told so."""


class NoSuchMove(Refused):
    """The stage does not know this move."""


class BadFramework(Refused):
    """A framework file that cannot be used; the sentence names the place of the fault."""


class BadSetting(Refused):
    """A setting from the environment that is unknown or cannot be used."""


class TooMany(Refused):
    """More was asked for at once than the program lets wait: trying again in a minute is right."""

    status = 429


class StorageTrouble(Refused):
    """The disk or the database did not take it: nothing was acknowledged, trying again is right."""

    status = 503
