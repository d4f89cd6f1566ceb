"""A new edition of a framework from the form on its page. Pure.

Keys stay, so that sessions can be compared; an edition is never changed once it is there, so that a session keeps the
words it was run with. Words that are quoted from somebody are never edited: only what is ours beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from facilitation.errors import BadFramework
from facilitation.hallmarks import (
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
`s-<scale>-1` … `-5`. What a form leaves out stays as it is."""


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
        if not hallmark.attribution:
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
            return ours
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
        """The text in English as typed. Other languages stay only while the English does: they would say something
        else."""
        if field not in self.form:
            return before
        text = self.text(field, place, "", longest)
        return before if text == before["en"] else {"en": text}

    def text(self, field: str, place: str, otherwise: str, longest: int = LINE) -> str:
        try:
            return read_text(tidy(self.form.get(field, "")) or otherwise, place, longest)
        except BadFramework as fault:
            self.faults.append(fault.sentence)
            return otherwise
