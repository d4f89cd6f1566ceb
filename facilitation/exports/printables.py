"""What is printed for the room, A4: poster, table cards, paper ballots, questions in large print, and a crib sheet.

Unlike the documents these are made before a session, from its agenda, its join code and the address that phones use at
this moment. All words go to the templates as data; the codes to scan are the ones of the shared screen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from facilitation import qr
from facilitation.ballots import MOST_DOTS
from facilitation.exports import typeset
from facilitation.hallmarks import say
from facilitation.language import _, current, mark
from facilitation.plan import long_date
from facilitation.report import slug_of
from facilitation.store import AgendaItem, Workshop

CARDS_A_PAGE = 8


@dataclass(frozen=True, slots=True)
class Handout:
    """A session as it is printed. `address_moves`: the address is this computer's, and changes with its network."""

    museum: str
    title: str
    held_on: dt.date
    code: str
    join_token: str
    origin: str
    address_moves: bool
    wifi_name: str
    wifi_password: str
    k: int
    agenda: tuple[AgendaItem, ...]

    @classmethod
    def of(cls, workshop: Workshop, origin: str, address_moves: bool) -> Handout:
        """From a session, and the address at which phones join it now: http://192.168.1.20:8000."""
        return cls(
            museum=workshop.museum,
            title=workshop.title,
            held_on=workshop.held_on,
            code=workshop.code,
            join_token=workshop.join_token,
            origin=origin,
            address_moves=address_moves,
            wifi_name=workshop.wifi_name,
            wifi_password=workshop.wifi_password,
            k=workshop.k,
            agenda=tuple(workshop.agenda),
        )

    @property
    def address(self) -> str:
        """What people type."""
        return self.origin.partition("://")[2]

    @property
    def join_url(self) -> str:
        """What the code to scan says."""
        return f"{self.origin}/j/{self.join_token}"


@dataclass(frozen=True, slots=True)
class Printable:
    """A thing to print. `template` is a file of this folder; `words` is what it sets."""

    title: str
    use: str
    template: str
    words: Callable[[Handout], Mapping[str, Any]]

    def file_name(self, handout: Handout, name: str) -> str:
        """What the download is called: wexcombe-mill-museum-2026-11-21-poster.pdf."""
        return f"{slug_of(handout.museum)}-{handout.held_on.isoformat()}-{name}.pdf"

    def write(self, handout: Handout) -> bytes:
        """The file: A4, tagged, PDF/UA-1. Takes up to a second: not for a thread that others wait for."""
        about = {"museum": handout.museum, "session": _session(handout), "language": current().partition("-")[0]}
        words = {**about, **self.words(handout)}
        return typeset.pdf(self.template, words, handout.held_on)


def _session(handout: Handout) -> str:
    return f"{handout.title}, {long_date(handout.held_on)}"


def _joining(handout: Handout) -> dict[str, Any]:
    """The steps to join, as poster and table cards show them: the Wi-Fi first, if one was named."""
    wifi = None
    if handout.wifi_name:
        rows = [[_("Network"), handout.wifi_name]]
        rows += [[_("Password"), handout.wifi_password]] if handout.wifi_password else []
        wifi = {
            "title": _("Join the Wi-Fi"),
            "qr": qr.picture(qr.wifi_svg(handout.wifi_name, handout.wifi_password)),
            "alt": _("QR code that joins the Wi-Fi network %(name)s", name=handout.wifi_name),
            "rows": rows,
        }
    join = {
        "title": _("Scan, or type this"),
        "qr": qr.picture(qr.svg(handout.join_url, "")),
        "alt": _(
            "QR code that joins the session: %(address)s, code %(code)s", address=handout.address, code=_code(handout)
        ),
        "rows": [[_("Address"), handout.address], [_("Code"), _code(handout)]],
    }
    return {
        "title": _("Join the session"),
        "steps": [step for step in (wifi, join) if step],
        "promise": _("No app, no account, no name. Nobody is shown who chose what."),
        "no-phone": _("No phone? Ask for a paper card, or for the device that goes round."),
        "note": _(
            "The address is this computer’s on the network it is in now, and changes with the network; the code stays. "
            "If the screen shows another address, the screen is right."
        )
        if handout.address_moves
        else "",
    }


def _code(handout: Handout) -> str:
    return f"{handout.code[:3]} {handout.code[3:]}"


def _cards(handout: Handout) -> dict[str, Any]:
    return _joining(handout) | {"count": CARDS_A_PAGE}


def _ballots(handout: Handout) -> dict[str, Any]:
    return {
        "title": _("Paper ballots"),
        "questions": [_question(item) for item in handout.agenda],
        "none": _("There are no questions on the agenda yet."),
        "tick": _("Tick one."),
        "dots": _("Tick up to %(dots)s.", dots=MOST_DOTS),
        "fold": _("No name, please. Fold it; the cards are mixed before anybody reads them."),
        "aside": [_("I don’t know"), _("Not relevant")],
    }


def _large(handout: Handout) -> dict[str, Any]:
    return {
        "title": _("The questions in large print"),
        "questions": [_question(item) for item in handout.agenda],
        "none": _("There are no questions on the agenda yet."),
        "answers": _("The answers:"),
        "aside": [_("I don’t know"), _("Not relevant")],
        "promise": _(
            "There are no right or wrong answers. Nobody, the facilitator included, can see later who chose what."
        ),
    }


def _question(item: AgendaItem) -> dict[str, Any]:
    return {
        "plate": item.number or str(item.position),
        "hallmark": say(item.hallmark_title),
        "text": say(item.text),
        "labels": [say(label) for label in item.labels],
        "dots": item.options is not None,
        "credit": say(item.attribution) if item.attribution else "",
    }


def _crib(handout: Handout) -> dict[str, Any]:
    return {
        "title": _("Crib sheet"),
        "join": [[_("Join code"), _code(handout)], [_("Address"), handout.address]],
        "sections": [
            {
                "title": _("Before the first vote, say"),
                "points": [
                    _("“There are no right or wrong answers. Nobody, me included, can see later who chose what.”"),
                    _(
                        "“Results show from %(k)s answers up. Think for yourself first; we talk afterwards.”",
                        k=handout.k,
                    ),
                    _("“Not covered: a result on which all of us agree, what you say aloud, and eyes on your phone.”"),
                    _("“No phone? A device goes round, or you get a card. Cards are mixed before I read them.”"),
                ],
            },
            {
                "title": _("If somebody asks how that works"),
                "points": [
                    _(
                        "Each answer is sealed with a key made for this one question. At the close the answers are "
                        "counted and deleted, and the key is destroyed: only the counts are left."
                    ),
                    _(
                        "While a question is open this computer has to be trusted. You see what the room sees, and "
                        "never more; of paper cards you see those that you type."
                    ),
                    _(
                        "The chart moves by three answers or more at a time. When people come late or leave, its last "
                        "step can show one or two."
                    ),
                ],
            },
            {
                "title": _("When something goes wrong"),
                "points": [
                    _("A phone is asleep: wake it. It is still in."),
                    _("A phone cannot join: same Wi-Fi? Mobile data and VPN off; type http:// before the address."),
                    _("No phone can join: the Wi-Fi keeps devices apart. Use another one, or a hotspot of your own."),
                    _("Closed too early: “Start this vote again”, under the result."),
                    _("Fewer than %(k)s answered: nothing is shown, to anyone. Talk this one through.", k=handout.k),
                    _("The program stopped: start it again. Answers that phones called “in” are there."),
                ],
            },
        ],
        "stages-title": _("One question, about ten minutes"),
        "stages-head": [_("Step"), _("What you do"), _("What you say")],
        "stages": [[_(cell) for cell in row] for row in _STAGES],
        "keys-title": _("Keys"),
        "keys-head": [_("Key"), _("Does")],
        "keys": [[_(key), _(does)] for key, does in _KEYS],
    }


_STAGES = (
    (
        mark("Vote"),
        mark("Press the big button. Read the question aloud. Type paper cards before you close."),
        mark("“On your own first, please. I don’t know is a good answer.”"),
    ),
    (
        mark("Close"),
        mark("When most have answered, press again; if it asks, once more."),
        mark("“Anyone still choosing?”"),
    ),
    (
        mark("Look"),
        mark("If you show results yourself: look first, then press."),
        mark("“What do you see? Not why, just what.”"),
    ),
    (
        mark("Talk"),
        mark("Press again: the screen shows a prompt. Click the next one on the console."),
        mark("“Two minutes in pairs.” Then: “What might someone who chose the lowest answer have in mind?”"),
    ),
    (
        mark("Vote again"),
        mark("R, if people were far apart or many did not know."),
        mark("“Nobody has to explain their first answer.”"),
    ),
    (
        mark("Agree"),
        mark("Write down rating, reason, action, who and by when."),
        mark("“A disagreement we understand is a good outcome.”"),
    ),
)
_KEYS = (
    (mark("PageDown, right arrow, space"), mark("the big button; a clicker does the same")),
    (mark("PageUp, left arrow, Esc"), mark("take back “close now”, or take off what lies over the screen")),
    ("N", mark("skip to the next question; answers stay unseen")),
    ("R", mark("vote again")),
    ("B", mark("blank the screen for a pause")),
    ("J", mark("show the join code, large")),
    ("P", mark("show the profile")),
    ("T", mark("timer; it never closes a vote")),
    ("+ −", mark("bigger, smaller")),
    ("F", mark("full screen, on the shared screen")),
    ("?", mark("the keys that work now")),
)

PRINTABLES = {
    "poster": Printable(
        mark("Poster"),
        mark("For the door and the walls: both codes to scan, the address and the join code."),
        "poster.typ",
        _joining,
    ),
    "table-cards": Printable(
        mark("Table cards"),
        mark(
            "Eight on a page, to cut and put on the tables: for those who cannot scan the screen from where they sit."
        ),
        "table_cards.typ",
        _cards,
    ),
    "paper-ballots": Printable(
        mark("Paper ballots"),
        mark("A page for each question, to cut in four. Print as many copies as people without a phone need."),
        "paper_ballots.typ",
        _ballots,
    ),
    "large-print": Printable(
        mark("Questions in large print"),
        mark("Every question with its answers, 18 points and more, for whoever cannot read the screen or a phone."),
        "large_print.typ",
        _large,
    ),
    "crib-sheet": Printable(
        mark("Crib sheet"),
        mark("For you: what to say about anonymity, the steps of a question, the keys, and what to do when it sticks."),
        "crib_sheet.typ",
        _crib,
    ),
}
"""Everything that can be printed for the room, by the name in its address."""
