"""A new edition of a framework from the form on its page. Pure.

Keys stay, so that sessions can be compared; an edition is never changed once it is there, so that a session keeps the
words it was run with. Words that are quoted from somebody are never edited: only what is ours beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from facilitation.errors import BadFramework
from facilitation.hallmarks import (
    LANGUAGE,
    LINE,
    PARAGRAPH,
    QUESTION,
    Framework,
    Hallmark,
    LanguageMap,
    Question,
    Scale,
    read_text,
)
from facilitation.language import _
from facilitation.packs.table import NO_PROMPT, BadPack, begun, key_for
from facilitation.words import tidy

Form = Mapping[str, str]
"""Field -> text: `edition`, `title`; `h-<hallmark>-title`, `-definition`, `-description`; `q-<question>-text`,
`-short`, `-prompt`, `-scale`, `-place`, `-drop`; `new-<hallmark>-text`, `-short`, `-prompt`, `-scale`;
`s-<scale>-1` … `-5`. `also` is the code of a language that is written beside the English: its text of a field has that
code behind the name, `q-<question>-text:cy`. What a form leaves out stays as it is."""


def edited(framework: Framework, form: Form) -> Framework:
    """The framework as the form says, in a new edition. Raises BadPack with everything that cannot be."""
    editor = _Editor(framework, form)
    made = editor.framework()
    if made == replace(framework, edition=made.edition) and not editor.faults:
        editor.faults.append(_("Nothing was changed, so there is no new edition to keep."))
    if editor.faults:
        raise BadPack("", editor.faults)
    return made


class _Editor:
    def __init__(self, framework: Framework, form: Form) -> None:
        self.before = framework
        self.form = form
        self.keys = {question.key for question in framework.questions}
        self.faults: list[str] = []

    def framework(self) -> Framework:
        edition = self.text("edition", _("Edition"), self.before.edition)
        if edition == self.before.edition:
            self.faults.append(_("Edition: give the new edition a name of its own, for example 2027.1."))
        scales = {scale.key: self.scale(scale) for scale in self.before.scales.values()}
        kept = [made for hallmark in self.before.hallmarks if (made := self.hallmark(hallmark))]
        if not kept:
            self.faults.append(_("At least one question must stay."))
        return replace(
            self.before,
            edition=edition,
            title=self.texts("title", _("Title"), self.before.title),
            scales=scales,
            hallmarks=tuple(
                replace(
                    hallmark,
                    number=number,
                    questions=tuple(
                        replace(question, number=f"{number}.{place}")
                        for place, question in enumerate(hallmark.questions, start=1)
                    ),
                )
                for number, hallmark in enumerate(kept, start=1)
            ),
        )

    def scale(self, scale: Scale) -> Scale:
        labels = (
            self.texts(
                f"s-{scale.key}-{point}", _("Scale %(key)s, answer %(point)s", key=scale.key, point=point), label
            )
            for point, label in enumerate(scale.labels, start=1)
        )
        return replace(scale, labels=tuple(labels))

    def hallmark(self, hallmark: Hallmark) -> Hallmark | None:
        """The hallmark with the questions that stay; None without any."""
        field = f"h-{hallmark.key}"
        place = hallmark.title["en"]
        questions = [q for question in self.in_order(hallmark) if (q := self.question(question, hallmark))]
        if hallmark.attribution:  # quoted: nothing but its translation is ours
            hallmark = replace(
                hallmark,
                title=self.translated(f"{field}-title", _("%(place)s, title", place=place), hallmark.title),
                definition=self.translated(
                    f"{field}-definition", _("%(place)s, definition", place=place), hallmark.definition, PARAGRAPH
                ),
                description=self.translated(
                    f"{field}-description", _("%(place)s, description", place=place), hallmark.description, PARAGRAPH
                ),
                attribution=self.translated(
                    f"{field}-attribution", _("%(place)s, attribution", place=place), hallmark.attribution, PARAGRAPH
                ),
            )
        else:
            questions += self.added(hallmark)
            hallmark = replace(
                hallmark,
                title=self.texts(f"{field}-title", _("%(place)s, title", place=place), hallmark.title),
                definition=self.texts(
                    f"{field}-definition", _("%(place)s, definition", place=place), hallmark.definition, PARAGRAPH
                ),
                description=self.texts(
                    f"{field}-description", _("%(place)s, description", place=place), hallmark.description, PARAGRAPH
                ),
            )
        return replace(hallmark, questions=tuple(questions)) if questions else None

    def in_order(self, hallmark: Hallmark) -> list[Question]:
        """The questions of a hallmark by the places that were typed; a number typed twice keeps the order there was."""

        def place(at: int) -> int:
            typed = self.form.get(f"q-{hallmark.questions[at].key}-place", "").strip()
            return int(typed) if typed.isdecimal() and len(typed) < 4 else at + 1

        return [hallmark.questions[at] for at in sorted(range(len(hallmark.questions)), key=place)]

    def question(self, question: Question, hallmark: Hallmark) -> Question | None:
        field, place = f"q-{question.key}", _("Question %(number)s", number=question.number)
        if self.form.get(f"{field}-drop"):
            return None
        ours = replace(
            question,
            short=self.texts(f"{field}-short", _("%(place)s, short name", place=place), question.short),
            prompt=self.texts(f"{field}-prompt", _("%(place)s, prompt", place=place), question.prompt, PARAGRAPH),
        )
        if hallmark.attribution:
            text = self.translated(f"{field}-text", _("%(place)s, question", place=place), question.text, QUESTION)
            return replace(ours, text=text)
        return replace(
            ours,
            text=self.texts(f"{field}-text", _("%(place)s, question", place=place), question.text, QUESTION),
            scale=self.scale_key(f"{field}-scale", _("%(place)s, scale", place=place), question.scale),
        )

    def added(self, hallmark: Hallmark) -> list[Question]:
        """The question that was added to this hallmark, if any."""
        field, place = f"new-{hallmark.key}", _("%(hallmark)s, new question", hallmark=hallmark.title["en"])
        if not tidy(self.form.get(f"{field}-text", "")):
            return []
        text = self.text(f"{field}-text", place, "", QUESTION)
        key = key_for(hallmark.key, text)
        if key in self.keys:
            self.faults.append(_("%(place)s: this question is there already.", place=place))
        self.keys.add(key)
        short = self.text(f"{field}-short", _("%(place)s, short name", place=place), begun(text))
        prompt = self.text(f"{field}-prompt", _("%(place)s, prompt", place=place), NO_PROMPT, PARAGRAPH)
        scale = self.scale_key(f"{field}-scale", _("%(place)s, scale", place=place), next(iter(self.before.scales)))
        return [Question(key, "", {"en": text}, {"en": short}, {"en": prompt}, scale)]

    def scale_key(self, field: str, place: str, otherwise: str) -> str:
        key = self.form.get(field, otherwise)
        if key not in self.before.scales:
            self.faults.append(_("%(place)s: choose one of the scales.", place=place))
        return key

    def texts(self, field: str, place: str, before: LanguageMap, longest: int = LINE) -> LanguageMap:
        """The text as typed. Languages that were not typed stay only while the English does: they would say something
        else."""
        made = before
        if field in self.form and (text := self.text(field, place, "", longest)) != before["en"]:
            made = {"en": text}
        return self.translated(field, place, made, longest)

    def translated(self, field: str, place: str, made: LanguageMap, longest: int = LINE) -> LanguageMap:
        """The text with what was typed in the other language; emptied, it goes."""
        also = self.form.get("also", "")
        name = f"{field}:{also}"
        if name not in self.form or not LANGUAGE.fullmatch(also) or also == "en":
            return made
        others = {language: text for language, text in made.items() if language != also}
        return others | {also: self.text(name, f"{place} ({also})", "", longest)} if tidy(self.form[name]) else others

    def text(self, field: str, place: str, otherwise: str, longest: int = LINE) -> str:
        try:
            return read_text(tidy(self.form.get(field, "")) or otherwise, place, longest)
        except BadFramework as fault:
            self.faults.append(fault.sentence)
            return otherwise
