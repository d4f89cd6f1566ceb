"""Words: every sentence of the interface in another language, to supply, correct and review. For whoever holds the
whole program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from urllib.parse import urlencode

from babel.messages.extract import extract_from_file
from flask import Blueprint, Response, abort, current_app, make_response, render_template, request, url_for
from jinja2 import Environment
from sqlalchemy.orm import Session

from facilitation import language as languages
from facilitation import store
from facilitation.corrections import LARGEST_FILE, BadCatalogue, Forms, Sentence
from facilitation.errors import Refused
from facilitation.language import _, mark, ngettext
from facilitation.web import a_number, access, download, house, perform, see, wants_fragment

translating = Blueprint("translating", __name__, url_prefix="/languages")

A_PAGE = 40
"""Sentences on a page: more would be slow to show and long to look through."""
SHOWN = ("all", "open", "changed")
PLACES = (
    (
        mark("On phones"),
        "participant/join participant/role participant/stages/_lobby participant/_promise participant/stages/_voting "
        "participant/_choices participant/_mine participant/ promise",
    ),
    (
        mark("On the shared screen, in results, and on the big button"),
        "screen/stages/_lobby screen/_steps screen/stages/_voting screen/ parts/ now.py tally/",
    ),
    (
        mark("On the facilitator’s pages"),
        "facilitator/home facilitator/_begin facilitator/_setup facilitator/now facilitator/stages/ facilitator/ about "
        "refused base",
    ),
    (mark("Documents, refusals, and everything else"), ""),
    (mark("Only names and numbers, put together"), ""),
)
"""Where sentences are met, as a session goes: each place with the templates and modules that say them, in order, by how
their names begin. A sentence stands where it is met first."""
_NO_WORDS = re.compile(r"(?:%\(\w+\)s|<[^>]*>|%%|[\W\d_])*")
_PACKAGE = Path(languages.__file__).parent


@translating.get("")
def all_languages() -> Response:
    """How far each language is, and where to load a translator's file."""
    access.demand_home()
    return _all_languages()


@translating.post("/load")
def load() -> Response:
    """Load a file of translations. With a fault in it nothing is loaded, and every fault is named with its line."""
    access.demand_home()
    request.max_content_length = LARGEST_FILE + 64 * 1024
    file = request.files.get("file")
    if file is None or not file.filename:
        return _all_languages(problem=_("Choose a file first."))
    content, name = file.read(), file.filename[:80]
    try:
        language, taken, waiting = house().aside(lambda: house().corrections.load(content, name))
    except Refused as refusal:
        return _all_languages(refusal.sentence, refusal.faults if isinstance(refusal, BadCatalogue) else ())
    _tell_everybody()
    done = ngettext("%(num)s sentence was taken over.", "%(num)s sentences were taken over.", taken)
    if waiting:
        done += " " + ngettext(
            "%(num)s is marked as fuzzy in the file, and stays as it was.",
            "%(num)s are marked as fuzzy in the file, and stay as they were.",
            waiting,
        )
    return _all_languages(done=f"{languages.name(language)}: {done}")


@translating.get("/<language>")
def words(language: str) -> Response:
    """The sentences of a language: those that hold `q`, all, or those not yet reviewed, or changed here (`show`)."""
    return _words(language, _sentences(language))


@translating.post("/<language>/<sentence>")
def save(language: str, sentence: str) -> Response:
    """Say a sentence in other words (`text`, for each plural form), review it as it is, or go back to the draft."""
    one = _named(language, sentence)
    want = request.form.get("want", "save")
    typed = tuple(request.form.getlist("text")[: len(one.draft)])
    given: Forms | None = {"draft": None, "review": one.said}.get(want, typed)
    try:
        house().corrections.say(language, {one.english[0]: given})
    except Refused as refusal:
        if wants_fragment():
            return make_response(_row(language, one, typed, refusal.sentence), refusal.status)
        return _words(language, _sentences(language), one, typed, refusal.sentence)
    _tell_everybody()
    if wants_fragment():
        return make_response(_row(language, _named(language, sentence), done=True))
    return see(f"{_address(language)}#s-{sentence}")


@translating.post("/<language>/reviewed")
def review_all(language: str) -> Response:
    """Stand by every sentence as it is now; the page does not call it a draft any more."""
    _sentences(language)
    house().corrections.stand_by(language)
    _tell_everybody()
    return see(_address(language))


@translating.get("/<language>/catalogue.po")
def as_file(language: str) -> Response:
    """The catalogue as it is said here, for a translator's tools."""
    _sentences(language)
    return download(
        house().corrections.as_file(language), "text/x-gettext-translation; charset=utf-8", f"{language}.po"
    )


def _sentences(language: str) -> list[Sentence]:
    access.demand_home()
    if language not in languages.offered() or language == languages.SOURCE:
        abort(404)
    return house().corrections.sentences(language)


def _named(language: str, name: str) -> Sentence:
    found = next((one for one in _sentences(language) if one.name == name), None)
    if found is None:
        abort(404)
    return found


@cache
def _met(environment: Environment) -> dict[str, tuple[int, int]]:
    """The place of each sentence that a template or a module of PLACES says, and its turn there, by its English."""
    names = sorted((*environment.list_templates(extensions=["html"]), *_modules()))
    met: dict[str, tuple[int, int]] = {}
    for place, (_title, beginnings) in enumerate(PLACES):
        for beginning in beginnings.split():
            for name in [name for name in names if name.startswith(beginning)]:
                names.remove(name)
                for english in _said_in(environment, name):
                    met.setdefault(english, (place, len(met)))
    return met


def _modules() -> Iterator[str]:
    return (
        path.relative_to(_PACKAGE).as_posix() for pattern in ("now.py", "tally/*.py") for path in _PACKAGE.glob(pattern)
    )


def _said_in(environment: Environment, name: str) -> Iterator[str]:
    """The English of every sentence in a template or a module, of one with two forms the singular."""
    if name.endswith(".py"):
        keywords = {"_": None, "ngettext": (1, 2), "mark": None}
        found = [said for _line, said, *_more in extract_from_file("python", _PACKAGE / name, keywords)]
    else:
        source, *_more = environment.loader.get_source(environment, name)  # type: ignore[union-attr]  # it has one
        found = [said for _line, _by, said in environment.extract_translations(source)]  # type: ignore[attr-defined]  # the extension puts it there
    # nothing is said of a sentence that was marked elsewhere
    return (said if isinstance(said, str) else said[0] for said in found if said)


def _in_order(sentences: list[Sentence]) -> list[tuple[int, Sentence]]:
    """Sentences with the number of their place, as a session says them; the rest by their English."""
    environment: Environment = current_app.jinja_env
    met = _met(environment) if _met.cache_info().currsize else house().aside(lambda: _met(environment))
    last = len(PLACES) - 1

    def turn(one: Sentence) -> tuple[int, int]:
        wordless = _NO_WORDS.fullmatch(one.english[0])
        return (last, 0) if wordless else met.get(one.english[0], (last - 1, 0))

    return [(turn(one)[0], one) for one in sorted(sentences, key=turn)]


def _tell_everybody() -> None:
    """Show it on every page that is open: phones, screens and consoles of all sessions that are not over."""

    def job(session: Session) -> set[int]:
        going_on = store.unfinished(session)
        store.raise_tick(session, sorted(going_on))
        return going_on

    for workshop_id in perform(job):
        house().live.moved(workshop_id)


def _asked() -> dict[str, str]:
    """What was looked for, and which page of it: it stays in every address, so that one comes back to the place."""
    return {name: value for name in ("q", "show", "page") if (value := request.args.get(name, ""))}


def _address(language: str) -> str:
    return f"{url_for('.words', language=language)}?{urlencode(_asked())}"


def _row(
    language: str, sentence: Sentence, typed: Forms | None = None, problem: str = "", *, done: bool = False
) -> str:
    return render_template(
        "facilitator/_sentence.html",
        one=sentence,
        spoken=language,
        typed=typed,
        problem=problem,
        done=done,
        query=urlencode(_asked()),
    )


def _words(
    language: str,
    sentences: list[Sentence],
    at: Sentence | None = None,
    typed: Forms | None = None,
    problem: str = "",
) -> Response:
    searched, show = request.args.get("q", "").strip()[:200], request.args.get("show", "all")
    wanted = {
        "open": [one for one in sentences if one.reviewed is None],
        "changed": [one for one in sentences if one.changed],
    }
    found = [at] if at else [one for one in wanted.get(show, sentences) if one.holds(searched)]
    pages = max(1, -(-len(found) // A_PAGE))
    page = min(max(1, a_number(request.args.get("page"), 1)), pages)
    shown = _in_order(found)[(page - 1) * A_PAGE : page * A_PAGE]
    made = render_template(
        "facilitator/words.html",
        spoken=language,
        places=[
            (_(PLACES[place][0]), [one for _place, one in rows])
            for place, rows in groupby(shown, key=lambda row: row[0])
        ],
        found=len(found),
        reviewed=sum(one.reviewed is not None for one in sentences),
        changed=sum(one.changed for one in sentences),
        all=len(sentences),
        page=page,
        pages=pages,
        asked={"q": searched, "show": show if show in SHOWN else "all"},
        query=urlencode(_asked()),
        at=at,
        typed=typed,
        problem=problem,
    )
    return make_response(made, 422 if problem else 200)


def _all_languages(problem: str = "", faults: tuple[str, ...] = (), done: str = "") -> Response:
    rows = []
    for language in languages.offered():
        if language != languages.SOURCE:
            sentences = house().corrections.sentences(language)
            rows.append((language, len(sentences), sum(one.reviewed is not None for one in sentences)))
    page = render_template("facilitator/languages.html", rows=rows, problem=problem, faults=faults, done=done)
    return make_response(page, 422 if problem else 200)
