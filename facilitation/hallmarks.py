"""The framework as data: a file of hallmarks and questions, read once, checked throughout. Pure.

Another framework, or a tenth hallmark, loads by the same path, so a file is somebody's handiwork: a bad one is refused
with the place of the fault, never repaired and never half loaded. The shape is that of data/hallmarks.json.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from facilitation import language as languages
from facilitation.errors import BadFramework
from facilitation.language import _
from facilitation.words import is_unfit

POINTS = 5
"""Options of every scale: fully labelled, lowest first."""
LARGEST_FILE = 1_000_000
"""Bytes of a file, or characters of a text. The shipped framework needs 33,000."""
LINE, QUESTION, PARAGRAPH = 120, 400, 2_000
"""Longest title, label or key; longest question; longest of any other text. In characters."""

WARM_UP = "warm-up"
"""The key of the question with which a session tries the phones out; no framework's question has it."""

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!])\s+")
_AFTER_QUESTIONS = re.compile(r"(?<=\?)\s+")

LanguageMap = dict[str, str]
"""A text in each of its languages: {"en": "Purpose", "cy": "Pwrpas"}. English is always among them."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Five labelled answers, lowest first: labels[0] is point 1."""

    key: str
    labels: tuple[LanguageMap, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to vote on. `key` is stable for ever, `number` ("9.4") only its position; `scale` is a scale's key."""

    key: str
    number: str
    text: LanguageMap
    short: LanguageMap
    prompt: LanguageMap
    scale: str


@dataclass(frozen=True, slots=True)
class Hallmark:
    """One quality of a museum that does well. `attribution` goes wherever its questions are printed or exported."""

    key: str
    number: int
    title: LanguageMap
    definition: LanguageMap
    description: LanguageMap
    questions: tuple[Question, ...]
    attribution: LanguageMap | None = None


@dataclass(frozen=True, slots=True)
class Framework:
    """A versioned set of hallmarks. `credit` goes on the about page and in every report; `scales` is by scale key."""

    key: str
    edition: str
    title: LanguageMap
    credit: LanguageMap
    scales: dict[str, Scale]
    hallmarks: tuple[Hallmark, ...]

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions, in order."""
        return tuple(question for hallmark in self.hallmarks for question in hallmark.questions)


def say(text: LanguageMap, language: str | None = None) -> str:
    """The text in `language`, or as it is said in the one spoken now; in English where that is missing: never nothing,
    never translated by machine."""
    return text.get(language) or text["en"] if language else languages.say(text)


def same_words(one: LanguageMap, other: LanguageMap) -> bool:
    """Whether two texts say the same in every language that both have: a translation that was added changes nothing."""
    return all(one[language] == other[language] for language in one.keys() & other.keys())


def split_prompt(text: str) -> list[str]:
    """A prompt in at most three pieces, to be shown one at a time; what is left over stays with the third.

    A piece ends with a question: “Take the last agenda.” alone would leave a room waiting for what to do with it.
    Where nothing is asked at all, every sentence is a piece.
    """
    between = _AFTER_QUESTIONS if "?" in text else _BETWEEN_SENTENCES
    return [piece for piece in between.split(text.strip(), maxsplit=2) if piece]


def load(path: Path) -> Framework:
    """Read a framework file (UTF-8, with or without a byte order mark). BadFramework if it cannot be used."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        _refuse(path.name, _("the file cannot be read (%(why)s).", why=error.strerror))
    if len(content) > LARGEST_FILE:
        _refuse_size(path.name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        _refuse(
            _("%(name)s, line %(line)s", name=path.name, line=line),
            _("this is not UTF-8 text. Save the file again with the encoding UTF-8."),
        )
    return parse(text, path.name)


def parse(text: str, name: str) -> Framework:
    """A framework from JSON text; a refusal calls it `name`. BadFramework names the place of the first fault."""
    if len(text) > LARGEST_FILE:
        _refuse_size(name)
    return _framework(_json(text, name), name)


def from_plain(value: object, name: str) -> Framework:
    """A framework from plain data of the shape of data/hallmarks.json; a refusal calls it `name`."""
    return _framework(value, name)


def as_plain(framework: Framework) -> dict[str, object]:
    """The same framework as plain data: `from_plain` gives it back."""
    return {
        "framework": framework.key,
        "edition": framework.edition,
        "title": dict(framework.title),
        "credit": dict(framework.credit),
        "scales": {
            scale.key: {
                "options": [{"value": point, "label": dict(label)} for point, label in enumerate(scale.labels, start=1)]
            }
            for scale in framework.scales.values()
        },
        "hallmarks": [_plain_hallmark(hallmark) for hallmark in framework.hallmarks],
    }


def _plain_hallmark(hallmark: Hallmark) -> dict[str, object]:
    texts = {
        name: dict(getattr(hallmark, name))
        for name in ("title", "definition", "description", "attribution")
        if getattr(hallmark, name)
    }
    questions = [
        {
            "key": question.key,
            **{name: dict(getattr(question, name)) for name in ("text", "short", "prompt")},
            "scale": question.scale,
        }
        for question in hallmark.questions
    ]
    return {"key": hallmark.key, **texts, "questions": questions}


def _json(text: str, name: str) -> object:
    def fields(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for field, value in pairs:
            if field in found:  # json itself would keep the last one without a word
                _refuse(name, _("the field %(field)s stands twice in the same group.", field=_quote(field)))
            found[field] = value
        return found

    try:
        return json.loads(text, object_pairs_hook=fields)
    except json.JSONDecodeError as error:
        _refuse(
            _("%(name)s, line %(line)s, column %(column)s", name=name, line=error.lineno, column=error.colno),
            _("this is not JSON (%(why)s).", why=error.msg),
        )
    except ValueError:
        _refuse(name, _("a number in it has too many digits."))
    except RecursionError:
        _refuse(name, _("its groups are nested too deeply."))


def _framework(value: object, place: str) -> Framework:
    fields = _fields(value, place, required=("framework", "edition", "title", "credit", "scales", "hallmarks"))
    scales = _scales(fields["scales"], f"{place}, scales")
    hallmark_keys: set[str] = set()
    question_keys: set[str] = set()
    return Framework(
        key=read_key(fields["framework"], f"{place}, framework", set()),
        edition=read_text(fields["edition"], f"{place}, edition", LINE),
        title=_language_map(fields["title"], f"{place}, title", LINE),
        credit=_language_map(fields["credit"], f"{place}, credit", PARAGRAPH),
        scales=scales,
        hallmarks=tuple(
            _hallmark(item, number, place, scales, hallmark_keys, question_keys)
            for number, item in enumerate(_list(fields["hallmarks"], f"{place}, hallmarks"), start=1)
        ),
    )


def _scales(value: object, place: str) -> dict[str, Scale]:
    if not isinstance(value, dict) or not value:
        _refuse(place, _("at least one scale is needed, as a group of fields in { }."))
    return {key: _scale(key, options, f"{place}, {_quote(key)}") for key, options in value.items()}


def _scale(key: str, value: object, place: str) -> Scale:
    read_key(key, place, set())
    options = _list(_fields(value, place, required=("options",))["options"], f"{place}, options")
    if len(options) != POINTS:
        _refuse(place, _("a scale has %(points)s options, this one has %(count)s.", points=POINTS, count=len(options)))
    return Scale(key, tuple(_label(option, point, place) for point, option in enumerate(options, start=1)))


def _label(option: object, point: int, place: str) -> LanguageMap:
    place = _("%(place)s, option %(point)s", place=place, point=point)
    fields = _fields(option, place, required=("value", "label"))
    if type(fields["value"]) is not int or fields["value"] != point:  # true and 1.0 would compare equal to 1
        _refuse(place, _("the value must be %(point)s: the options stand in order, lowest first.", point=point))
    return _language_map(fields["label"], f"{place}, label", LINE)


def _hallmark(
    value: object,
    number: int,
    place: str,
    scales: dict[str, Scale],
    hallmark_keys: set[str],
    question_keys: set[str],
) -> Hallmark:
    place = _named(_("%(place)s, hallmark %(number)s", place=place, number=number), value)
    required = ("key", "title", "definition", "description", "questions")
    fields = _fields(value, place, required, optional=("attribution",))
    questions = _list(fields["questions"], f"{place}, questions")
    return Hallmark(
        key=read_key(fields["key"], place, hallmark_keys),
        number=number,
        title=_language_map(fields["title"], f"{place}, title", LINE),
        definition=_language_map(fields["definition"], f"{place}, definition", PARAGRAPH),
        description=_language_map(fields["description"], f"{place}, description", PARAGRAPH),
        questions=tuple(
            _question(
                item,
                f"{number}.{position}",
                _("%(place)s, question %(position)s", place=place, position=position),
                scales,
                question_keys,
            )
            for position, item in enumerate(questions, start=1)
        ),
        attribution=_language_map(fields["attribution"], f"{place}, attribution", PARAGRAPH)
        if "attribution" in fields
        else None,
    )


def _question(value: object, number: str, place: str, scales: dict[str, Scale], keys: set[str]) -> Question:
    fields = _fields(value, place, required=("key", "text", "short", "prompt", "scale"))
    scale = read_text(fields["scale"], f"{place}, scale", LINE)
    if scale not in scales:
        _refuse(place, _("the scale %(scale)s is not among the scales.", scale=_quote(scale)))
    return Question(
        key=read_key(fields["key"], place, keys),
        number=number,
        text=_language_map(fields["text"], f"{place}, text", QUESTION),
        short=_language_map(fields["short"], f"{place}, short", LINE),
        prompt=_language_map(fields["prompt"], f"{place}, prompt", PARAGRAPH),
        scale=scale,
    )


def _fields(value: object, place: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, object]:
    if not isinstance(value, dict):
        _refuse(place, _("a group of fields in { } is needed here."))
    for field in required:
        if field not in value:
            _refuse(place, _("the field “%(field)s” is missing.", field=field))
    for field in value:
        if field not in (*required, *optional):  # most likely a misspelt optional one
            _refuse(place, _("the field %(field)s is not known here.", field=_quote(field)))
    return value


def _list(value: object, place: str) -> list[object]:
    if not isinstance(value, list) or not value:
        _refuse(place, _("a list in [ ] with at least one entry is needed here."))
    return value


def _language_map(value: object, place: str, longest: int) -> LanguageMap:
    if not isinstance(value, dict):
        _refuse(place, _('a text is given by language here, such as {"en": "..."}.'))
    if "en" not in value:
        _refuse(place, _("the English text (“en”) is missing; other languages fall back on it."))
    for language in value:
        if not LANGUAGE.fullmatch(language):
            _refuse(
                place, _("%(language)s is not the code of a language, such as “en” or “cy”.", language=_quote(language))
            )
    return {language: read_text(text, f"{place} ({language})", longest) for language, text in value.items()}


def read_text(value: object, place: str, longest: int) -> str:
    """A text that can be shown in one line. BadFramework, with the place, for anything else."""
    if not isinstance(value, str):
        _refuse(place, _("text in quotation marks is needed here."))
    if not value.strip():
        _refuse(place, _("the text is empty."))
    if len(value) > longest:
        _refuse(place, _("the text has %(count)s characters; %(most)s is the most.", count=len(value), most=longest))
    if not value.isprintable() and any(is_unfit(character) for character in value):  # the first is quick, and enough
        _refuse(place, _("the text holds a line break or another character that cannot be shown."))
    return value


def read_key(value: object, place: str, taken: set[str]) -> str:
    """A key that is not among `taken` yet, and is from then on. BadFramework, with the place, for anything else."""
    key = read_text(value, f"{place}, key", LINE)
    if not _KEY.fullmatch(key):
        _refuse(
            place, _("the key %(key)s may hold only small letters a to z, digits and single hyphens.", key=_quote(key))
        )
    if key == WARM_UP:
        _refuse(place, _("the key %(key)s is the program’s own.", key=_quote(key)))
    if key in taken:
        _refuse(
            place,
            _("the key %(key)s is used twice; keys tell questions and hallmarks apart for ever.", key=_quote(key)),
        )
    taken.add(key)
    return key


def _named(place: str, value: object) -> str:
    """The place with the hallmark's key, if it has one that can be read out."""
    key = value.get("key") if isinstance(value, dict) else None
    return f"{place} ({key})" if isinstance(key, str) and _KEY.fullmatch(key) and len(key) <= LINE else place


def _quote(found: str) -> str:
    """What stands in the file, fit for a sentence: short, and without characters that cannot be shown."""
    return f"“{''.join(c if c.isprintable() else '?' for c in found[:40])}”"


def _refuse_size(name: str) -> NoReturn:
    _refuse(name, _("the file is too big; %(most)s MB is the most.", most=LARGEST_FILE // 1_000_000))


def _refuse(place: str, fault: str) -> NoReturn:
    raise BadFramework(f"{place}: {fault}")
