"""What people here say instead of the drafts: a sentence that somebody has corrected or stands by.

For each language one gettext file, `words/<language>.po` in the data folder. It holds only what was reviewed here: an
upgrade replaces the drafts and leaves these, and any tool for translators can open it. Every worker looks at the file
before it speaks, so a correction is in effect at once, everywhere.

Nothing gets in that could break a page: a sentence keeps the names and the elements of its English, and no others.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from gettext import c2py
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import PoFileError, read_po, write_po

from facilitation import language as languages
from facilitation.errors import Refused, StorageTrouble
from facilitation.keys import lock, unlock
from facilitation.language import _
from facilitation.words import tidy, tidy_lines

LARGEST_FILE = 1_000_000
"""Bytes of a catalogue that is loaded. The Welsh one has some 250,000."""
MOST_FAULTS = 40  # that are shown at once
_PERCENT = re.compile(r"%(?:%|\((\w+)\)s)?")  # a percent sign, a name that is filled in, or a sign that stands alone
_ELEMENT = re.compile(r"<(/?)([a-z][a-z0-9]*)((?: [^<>]*)?)>")
_LINE = re.compile(r'\s*(#.*|((msgctxt|msgid|msgid_plural|msgstr|msgstr\[\d+\])\s*)?"(?:[^"\\]|\\.)*"\s*)?')
_ASK_AGAIN = 0.002  # seconds

Forms = tuple[str, ...]
"""A sentence in a language: one text, or one for each of its plural forms."""


class BadCatalogue(Refused):
    """A file of translations that cannot be used: `faults` are all that was found, each with its line."""

    def __init__(self, sentence: str, faults: Sequence[str]) -> None:
        super().__init__(sentence)
        self.faults = tuple(faults[:MOST_FAULTS])
        if more := len(faults[MOST_FAULTS:]):
            self.faults += (languages.ngettext("And %(num)s more.", "And %(num)s more.", more),)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the interface in one language."""

    english: Forms  # one text, or singular and plural
    draft: Forms
    reviewed: Forms | None  # what somebody here has written or stands by
    counts: tuple[tuple[int, ...], ...]  # for each plural form the first few numbers that it is for; () without

    @property
    def name(self) -> str:
        """What names it in a page: it depends on the English alone."""
        return hashlib.sha256(self.english[0].encode()).hexdigest()[:16]

    @property
    def said(self) -> Forms:
        """As it is said now, "" where it is said in English."""
        return self.reviewed or self.draft

    @property
    def changed(self) -> bool:
        """Whether it is said in other words than in the draft."""
        return self.said != self.draft

    def holds(self, searched: str) -> bool:
        """Whether a text stands in it, in English or as it is said."""
        return any(searched.casefold() in text.casefold() for text in (*self.english, *self.said))


class Corrections:
    """The corrected sentences of every language. folder: where they are kept; it is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def stamp(self, language: str) -> object:
        """Something else after each change, by whichever process."""
        with suppress(OSError):
            found = self._path(language).stat()
            return found.st_mtime_ns, found.st_size, found.st_ino
        return None

    def corrected(self, language: str, draft: Catalog) -> Catalog:
        """The catalogue with what is said here; `draft` itself where that is nothing."""
        kept = self._kept(language, draft)
        if not kept:
            return draft
        made = deepcopy(draft)
        for key, forms in kept.items():
            made[key].string = forms if made[key].pluralizable else forms[0]
        return made

    def are_complete(self, language: str, draft: Catalog) -> bool:
        """Whether somebody has reviewed every sentence."""
        kept = self._kept(language, draft)
        return all(_key(entry) in kept for entry in entries(draft))

    def sentences(self, language: str) -> list[Sentence]:
        """Every sentence of a language, in the order of its English. Raises Refused for a language there is not."""
        draft = _drafts(language)
        kept, counts = self._kept(language, draft), _counts(draft)
        made = [
            Sentence(_english(entry), _forms(entry), kept.get(_key(entry)), counts if entry.pluralizable else ())
            for entry in entries(draft)
        ]
        return sorted(made, key=lambda one: one.english[0].casefold())

    def say(self, language: str, given: Mapping[str, Forms | None]) -> None:
        """Say these from now on, by their English; None: as the draft says it. All of them or none.

        Raises Refused, with everything that is wrong with them.
        """
        draft = _drafts(language)
        known = {_key(entry): entry for entry in entries(draft)}
        if any(key not in known for key in given):
            raise Refused(_("The program does not say that sentence any more."))
        tidied = {key: forms and _tidied(known[key], forms) for key, forms in given.items()}
        faults = [fault for key, forms in tidied.items() if forms for fault in faults_of(known[key], forms, draft)]
        if faults:
            raise Refused(" ".join(dict.fromkeys(faults)))
        with self._alone():
            file = self._file(language, draft)
            for key, forms in tidied.items():
                file.delete(known[key].id)
                if forms:
                    file.add(known[key].id, forms if known[key].pluralizable else forms[0])
            self._write(language, file)

    def stand_by(self, language: str) -> None:
        """Review all at once: what is said now stays, whatever a later draft says. What has no words stays open."""
        sentences = self.sentences(language)
        self.say(language, {one.english[0]: one.said for one in sentences if all(one.said)})

    def as_file(self, language: str) -> bytes:
        """The catalogue as it is said here, for translators' tools: what nobody has reviewed is marked as fuzzy."""
        draft = _drafts(language)
        kept = self._kept(language, draft)
        made = deepcopy(self.corrected(language, draft))
        for entry in entries(made):
            entry.flags -= {"fuzzy"}
            if _key(entry) not in kept and any(_forms(entry)):
                entry.flags |= {"fuzzy"}
        return _written(made)

    def load(self, content: bytes, name: str) -> tuple[str, int, int]:
        """Take the reviewed sentences of a file that `as_file` has made and somebody has worked on: its language, how
        many were taken, and how many are marked as fuzzy still. Nothing is taken of a file with a fault in it.

        Sentences that this version of the program does not say are passed over. Raises BadCatalogue, and Refused for a
        file that is none.
        """
        language, found = _parsed(content, name)
        draft = _drafts(language)
        known = {_key(entry): entry for entry in entries(draft)}
        taken: dict[str, Forms | None] = {}
        faults, waiting = [], 0
        for entry in entries(found):
            there = known.get(_key(entry))
            forms = _forms(entry)
            if there is None or not any(forms):
                continue
            if "fuzzy" in entry.flags:
                waiting += 1
                continue
            place = _("Line %(line)s", line=entry.lineno or 1)
            if entry.pluralizable != there.pluralizable:
                faults.append(f"{place}: " + _("this sentence has other plural forms in the program."))
                continue
            forms = _tidied(there, forms)
            faults += [f"{place}: {fault}" for fault in faults_of(there, forms, draft)]
            taken[_key(entry)] = forms
        if faults:
            sentence = languages.ngettext(
                "Nothing was loaded: %(name)s has one thing to correct.",
                "Nothing was loaded: %(name)s has %(num)s things to correct.",
                len(faults),
                name=name,
            )
            raise BadCatalogue(sentence, faults)
        self.say(language, taken)
        return language, len(taken), waiting

    def _path(self, language: str) -> Path:
        return self._folder / f"{language}.po"

    def _kept(self, language: str, draft: Catalog) -> dict[str, Forms]:
        """What is said here of the sentences in `draft`. The file may have been changed by hand: what could break a
        page is left out, and all of it where it is no catalogue any more."""
        known = {_key(entry): entry for entry in entries(draft)}
        with languages.speaking(languages.SOURCE):  # the language is only being made, so no fault can be said in it
            try:
                found = entries(self._file(language, draft))
            except Refused:
                return {}
            return {
                key: _forms(entry)
                for entry in found
                if (key := _key(entry)) in known and not faults_of(known[key], _forms(entry), draft)
            }

    def _file(self, language: str, draft: Catalog) -> Catalog:
        path = self._path(language)
        if not path.is_file():
            fresh = Catalog(locale=language, charset="utf-8", fuzzy=False, header_comment=_HEADER)
            fresh.mime_headers = [("Plural-Forms", draft.plural_forms)]  # not what Babel holds them to be
            return fresh
        try:
            return read_po(BytesIO(path.read_bytes()), locale=language, abort_invalid=True)
        except (OSError, PoFileError, ValueError, LookupError) as error:  # the last: a charset that there is not
            sentence = _(
                "The file %(name)s in the data folder cannot be read. Mend it, or take it away.", name=path.name
            )
            raise StorageTrouble(sentence) from error

    def _write(self, language: str, file: Catalog) -> None:
        new = self._folder / f"{language}.new"
        try:
            with new.open("wb") as written:
                written.write(_written(file))
                written.flush()
                os.fsync(written.fileno())
            new.replace(self._path(language))
        except OSError as error:
            raise StorageTrouble(_("The words could not be kept. Nothing was changed: please try again.")) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process changes the files meanwhile: each change reads the file, and writes it whole."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageTrouble(_("The words could not be kept. Nothing was changed: please try again.")) from error
        try:
            while not lock(fd):
                time.sleep(_ASK_AGAIN)
            yield
            unlock(fd)
        finally:
            os.close(fd)


_HEADER = "# Sentences that were corrected or reviewed in this installation of the Hallmarks workshop."


def faults_of(entry: Entry, forms: Forms, catalogue: Catalog) -> list[str]:
    """What is wrong with a translation: a name or an element that the English does not have, or has and it lacks."""
    english = _english(entry)
    wanted = catalogue.num_plurals if entry.pluralizable else 1
    if len(forms) != wanted:
        return [languages.ngettext("%(num)s form is needed.", "%(num)s forms are needed.", wanted)]
    counts = _counts(catalogue) if entry.pluralizable else ((),)
    names = _names(english[-1])
    found: list[str] = []
    for form, numbers in zip(forms, counts, strict=True):
        # a form that is for one number alone may say it in words: "one person"
        free = {"num"} if entry.pluralizable and len(numbers) == 1 else set()
        found += _faults(english[-1], form, names, free)
    return list(dict.fromkeys(found))


def _faults(english: str, said: str, names: set[str], free: set[str]) -> Iterator[str]:
    if not said.strip():
        yield _("The text is empty.")
        return
    if len(said) > max(200, 4 * len(english)):
        yield _("The text is much longer than the English.")
    there = _names(said)
    if missing := sorted(names - there - free):
        yield _("%(name)s is missing: it stands for something that is filled in.", name=f"%({missing[0]})s")
    if unknown := sorted(there - names):
        yield _("%(name)s does not stand in the English.", name=f"%({unknown[0]})s")
    if _lone_percent(said) and not _lone_percent(english):
        yield _("Write a percent sign as %%.") if not names else _("Write a percent sign twice.")
    if sorted(_elements(said)) != sorted(_elements(english)) or not _nested(said):
        yield _("The parts in < > must be the same as in the English.")
    for mark in '<>"':
        if mark in _ELEMENT.sub("", said) and mark not in _ELEMENT.sub("", english):
            yield _("Leave out %(mark)s here; curly quotation marks are fine.", mark=mark)


def _names(text: str) -> set[str]:
    return {found[1] for found in _PERCENT.finditer(text) if found[1]}


def _lone_percent(text: str) -> bool:
    return any(found[0] == "%" for found in _PERCENT.finditer(text))


def _elements(text: str) -> list[str]:
    return [found[0] for found in _ELEMENT.finditer(text)]


def _nested(text: str) -> bool:
    open_: list[str] = []
    for closing, name, _rest in _ELEMENT.findall(text):
        if closing and (not open_ or open_.pop() != name):
            return False
        if not closing and name != "br":
            open_.append(name)
    return not open_


def _tidied(entry: Entry, forms: Forms) -> Forms:
    clean = tidy_lines if "\n" in _english(entry)[0] else tidy
    return tuple(clean(form) for form in forms)


def entries(catalogue: Catalog) -> list[Entry]:
    """The sentences of a catalogue, without its head."""
    return [entry for entry in catalogue if entry.id]


def _key(entry: Entry) -> str:
    return _english(entry)[0]


def _english(entry: Entry) -> Forms:
    return (entry.id,) if isinstance(entry.id, str) else tuple(entry.id)


def _forms(entry: Entry) -> Forms:
    return (entry.string,) if isinstance(entry.string, str) else tuple(entry.string or ())


def _counts(catalogue: Catalog) -> tuple[tuple[int, ...], ...]:
    """For each plural form the first four numbers that it is for."""
    place = c2py(catalogue.plural_expr)
    numbers: list[list[int]] = [[] for _form in range(catalogue.num_plurals)]
    for number in range(201):
        if len(found := numbers[place(number)]) < 4:
            found.append(number)
    return tuple(tuple(found) for found in numbers)


def _drafts(language: str) -> Catalog:
    found = languages.drafts(language)
    if found is None:
        raise Refused(_("The program does not speak that language."))
    return found


def _written(catalogue: Catalog) -> bytes:
    file = BytesIO()
    write_po(file, catalogue, width=120, sort_output=True)
    return file.getvalue()


def _parsed(content: bytes, name: str) -> tuple[str, Catalog]:
    """The language of a file and what is in it."""
    if len(content) > LARGEST_FILE:
        raise Refused(_("The file is too big; %(most)s MB is the most.", most=LARGEST_FILE // 1_000_000))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        fault = _("Line %(line)s: this is not UTF-8 text.", line=line)
        raise BadCatalogue(_("Nothing was loaded from %(name)s.", name=name), [fault]) from None
    if charset := re.search(r'"Content-Type: *text/plain; *charset=(?!utf-?8\b)', text, re.IGNORECASE):
        line = text.count("\n", 0, charset.start()) + 1
        fault = _("Line %(line)s: the charset must be UTF-8.", line=line)
        raise BadCatalogue(_("Nothing was loaded from %(name)s.", name=name), [fault])
    said = re.search(rb'"Language: *([A-Za-z_-]+)', content)
    language = said[1].decode().replace("_", "-") if said else ""
    known = [one for one in languages.offered() if one != languages.SOURCE]
    if language not in known:
        raise Refused(
            _(
                "This is not a file of translations (.po) into a language that the program speaks. Download one here, "
                "and work on that."
            )
        )
    # Babel reads over a quotation mark that is missing, and takes the last letter for it
    wrong = [number for number, line in enumerate(text.split("\n"), start=1) if not _LINE.fullmatch(line)]
    try:
        found = read_po(BytesIO(text.encode()), locale=language, ignore_obsolete=True, abort_invalid=True)
    except PoFileError as error:
        wrong = wrong or [error.lineno + 1]
    except ValueError:
        wrong = wrong or [1]
    if wrong:
        faults = [_("Line %(line)s: this cannot be read as a file of translations.", line=number) for number in wrong]
        raise BadCatalogue(_("Nothing was loaded from %(name)s.", name=name), faults)
    return language, found
