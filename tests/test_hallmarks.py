"""The framework file: the shipped one is whole, and a bad one is refused with the place of its fault."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from facilitation.errors import BadFramework
from facilitation.hallmarks import LARGEST_FILE, Framework, load, parse, say, split_prompt

SHIPPED = Path(__file__).parent.parent / "data" / "hallmarks.json"
STEMS = {"To what extent": "extent", "How well": "quality", "How effectively": "effectiveness"}


@pytest.fixture(scope="module")
def framework() -> Framework:
    return load(SHIPPED)


@pytest.fixture
def content() -> Any:
    """A small framework that is right: two hallmarks, three questions, one scale."""
    scale = {"options": [{"value": n, "label": {"en": word}} for n, word in enumerate("abcde", start=1)]}
    small = {
        "framework": "small",
        "edition": "1",
        "title": {"en": "Small", "cy": "Bach"},
        "credit": {"en": "Written for the tests."},
        "scales": {"extent": scale},
        "hallmarks": [_hallmark("purpose", ["purpose-01", "purpose-02"]), _hallmark("finance", ["finance-01"])],
    }
    return json.loads(json.dumps(small))  # so that no two places share one object


def _hallmark(key: str, questions: list[str]) -> dict[str, Any]:
    text = {"en": "Some words."}
    return {
        "key": key,
        "title": text,
        "definition": text,
        "description": text,
        "questions": [
            {"key": question, "text": text, "short": text, "prompt": text, "scale": "extent"} for question in questions
        ],
    }


def refusal(text: str) -> str:
    with pytest.raises(BadFramework) as refused:
        parse(text, "small.json")
    return refused.value.sentence


# --- the shipped file


def test_the_shipped_framework_has_nine_hallmarks_of_six_questions(framework: Framework) -> None:
    assert [len(hallmark.questions) for hallmark in framework.hallmarks] == [6] * 9
    assert [hallmark.number for hallmark in framework.hallmarks] == list(range(1, 10))
    assert (framework.key, framework.edition) == ("museum-hallmarks", "2026.1")


def test_the_shipped_questions_begin_with_three_stems_and_each_stem_has_its_scale(framework: Framework) -> None:
    stems: Counter[str] = Counter()
    for question in framework.questions:
        stem = next(stem for stem in STEMS if say(question.text).startswith(stem + " "))
        stems[stem] += 1
        assert question.scale == STEMS[stem], question.key
    assert stems == {"To what extent": 21, "How well": 17, "How effectively": 16}


def test_the_shipped_keys_are_unique_and_numbers_are_positions(framework: Framework) -> None:
    assert len({question.key for question in framework.questions}) == 54
    assert len({hallmark.key for hallmark in framework.hallmarks}) == 9
    for hallmark in framework.hallmarks:
        for position, question in enumerate(hallmark.questions, start=1):
            assert question.key == f"{hallmark.key}-{position:02}"
            assert question.number == f"{hallmark.number}.{position}"


def test_the_longest_shipped_question_has_153_characters(framework: Framework) -> None:
    longest = max(framework.questions, key=lambda question: len(say(question.text)))
    assert (len(say(longest.text)), longest.number) == (153, "9.4")


def test_every_shipped_prompt_has_one_to_three_pieces_of_at_most_141_characters(framework: Framework) -> None:
    prompts = [split_prompt(say(question.prompt)) for question in framework.questions]
    assert {len(pieces) for pieces in prompts} == {1, 2, 3}
    assert max(len(piece) for pieces in prompts for piece in pieces) == 141


def test_no_shipped_prompt_is_shown_without_what_it_asks(framework: Framework) -> None:
    pieces = [piece for question in framework.questions for piece in split_prompt(say(question.prompt))]
    assert [piece for piece in pieces if "?" not in piece] == ["Name one change we made this year because of it."]


def test_the_words_quoted_from_aim_stand_unchanged_beside_their_attribution(framework: Framework) -> None:
    *others, inequality = framework.hallmarks
    assert inequality.key == "tackling-inequality"
    assert inequality.attribution is not None
    assert "Association of Independent Museums (AIM)" in say(inequality.attribution)
    assert "not covered by this project’s licence" in say(inequality.attribution)
    assert all(hallmark.attribution is None for hallmark in others)
    assert (
        say(inequality.definition)
        == "The organisation is inclusive and challenges prejudice, discrimination and racism."
    )
    assert [say(question.text) for question in inequality.questions] == [
        "To what extent do we understand how our organisation can promote equity and inclusion?",
        "How effectively does our organisation listen to and act on a range of voices from diverse backgrounds?",
        "How well do we create opportunities equally for and understand the needs of a diverse workforce?",
        "To what extent do we develop and understand our collections, identify missing perspectives and histories "
        "and use them to encourage debate and discussion?",
        "To what extent do we challenge practices that support inequality in all its forms?",
        "How well do we recognize that diversity is fundamental for the success of our business?",
    ]


def test_the_credit_claims_no_endorsement(framework: Framework) -> None:
    assert "No endorsement by AIM is implied." in say(framework.credit)


def test_the_shipped_scales_have_five_labels_lowest_first(framework: Framework) -> None:
    labels = {key: [say(label) for label in scale.labels] for key, scale in framework.scales.items()}
    assert labels == {
        "extent": ["Not at all", "A little", "Partly", "Largely", "Fully"],
        "effectiveness": [
            "Not effectively",
            "Slightly effectively",
            "Fairly effectively",
            "Very effectively",
            "Extremely effectively",
        ],
        "quality": ["Not at all well", "Not very well", "Fairly well", "Very well", "Extremely well"],
    }
    assert all(key == scale.key for key, scale in framework.scales.items())


# --- reading


def test_a_framework_cannot_be_changed_once_it_is_read(framework: Framework) -> None:
    with pytest.raises(FrozenInstanceError):
        framework.edition = "2027.1"  # type: ignore[misc]


def test_a_missing_welsh_text_falls_back_on_english() -> None:
    assert say({"en": "Purpose", "cy": "Pwrpas"}, "cy") == "Pwrpas"
    assert say({"en": "Purpose"}, "cy") == "Purpose"
    assert say({"en": "Purpose", "cy": "Pwrpas"}) == "Purpose"


@pytest.mark.parametrize(
    ("prompt", "sentences"),
    [
        ("", []),
        ("  ", []),
        ("One only", ["One only"]),
        ("One? Two, and more: three. ", ["One?", "Two, and more: three."]),
        ("Take one. What is it? Why? How?", ["Take one. What is it?", "Why?", "How?"]),
        ("One? Two? Three. Four? Five?", ["One?", "Two?", "Three. Four? Five?"]),
        ("What is it? Name one.", ["What is it?", "Name one."]),
        ("One. Two. Three. Four.", ["One.", "Two.", "Three. Four."]),
        ("Is £500.50 enough? Yes.", ["Is £500.50 enough?", "Yes."]),
    ],
)
def test_a_prompt_is_split_into_at_most_three_pieces_and_nothing_is_lost(prompt: str, sentences: list[str]) -> None:
    assert split_prompt(prompt) == sentences


def test_a_right_file_is_read(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    framework = load(path)
    assert [question.number for question in framework.questions] == ["1.1", "1.2", "2.1"]
    assert say(framework.title, "cy") == "Bach"


def test_a_file_saved_with_a_byte_order_mark_is_read(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(content), encoding="utf-8-sig")
    assert load(path).key == "small"


# --- refusing: files


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFramework, match=r"^none\.json: the file cannot be read"):
        load(tmp_path / "none.json")


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_bytes('{\n"framework":\n"caf\xe9"}'.encode("latin-1"))
    with pytest.raises(BadFramework, match=r"^small\.json, line 3: this is not UTF-8 text"):
        load(path)


def test_a_file_that_is_too_big_is_refused_before_it_is_read_as_json(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_bytes(b"[" * (LARGEST_FILE + 1))
    with pytest.raises(BadFramework, match=r"^small\.json: the file is too big; 1 MB is the most\.$"):
        load(path)
    assert refusal("[" * (LARGEST_FILE + 1)) == "small.json: the file is too big; 1 MB is the most."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "small.json, line 1, column 1: this is not JSON (Expecting value)."),
        ('{\n"framework" "small"\n}', "small.json, line 2, column 13: this is not JSON ("),
        ('{"a":\n1', "small.json, line 2, column 2: this is not JSON ("),
        ("[" * 200_000, "small.json: its groups are nested too deeply."),
        ("9" * 5_000, "small.json: a number in it has too many digits."),
        ('{"edition": "1", "edition": "2"}', "small.json: the field “edition” stands twice in the same group."),
        ("[]", "small.json: a group of fields in { } is needed here."),
        ("{}", "small.json: the field “framework” is missing."),
    ],
)
def test_text_that_is_no_framework_at_all_is_refused_with_its_line(text: str, sentence: str) -> None:
    assert refusal(text).startswith(sentence)


# --- refusing: contents

SMALL = "small.json"
H1, H2 = "small.json, hallmark 1 (purpose)", "small.json, hallmark 2 (finance)"
EXTENT = "small.json, scales, “extent”"


def put(*path: str | int, value: object) -> Callable[[Any], None]:
    """Set what stands at `path`."""

    def fault(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = value

    return fault


def drop(*path: str | int) -> Callable[[Any], None]:
    """Take away what stands at `path`."""

    def fault(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        del content[path[-1]]

    return fault


Q = ("hallmarks", 0, "questions", 1)
OPTIONS = ("scales", "extent", "options")
FAULTS = [
    # something is missing
    (drop("edition"), f"{SMALL}: the field “edition” is missing."),
    (drop("hallmarks", 1, "definition"), f"{H2}: the field “definition” is missing."),
    (drop("hallmarks", 1, "key"), "small.json, hallmark 2: the field “key” is missing."),
    (drop(*Q, "prompt"), f"{H1}, question 2: the field “prompt” is missing."),
    (drop(*OPTIONS, 2, "label"), f"{EXTENT}, option 3: the field “label” is missing."),
    (drop(*Q, "text", "en"), f"{H1}, question 2, text: the English text (“en”) is missing; other languages fall"),
    (put("hallmarks", value=[]), f"{SMALL}, hallmarks: a list in [ ] with at least one entry is needed here."),
    (put("hallmarks", 1, "questions", value=[]), f"{H2}, questions: a list in [ ] with at least one entry is needed"),
    (put("scales", value={}), f"{SMALL}, scales: at least one scale is needed"),
    # something is of the wrong kind
    (put("edition", value=2026.1), f"{SMALL}, edition: text in quotation marks is needed here."),
    (put("title", value="Small"), f"{SMALL}, title: a text is given by language here, such as {{"),
    (put("hallmarks", value={}), f"{SMALL}, hallmarks: a list in [ ] with at least one entry is needed here."),
    (put("hallmarks", 1, value="finance"), "small.json, hallmark 2: a group of fields in { } is needed here."),
    (put(*Q, value=None), f"{H1}, question 2: a group of fields in {{ }} is needed here."),
    (put(*Q, "short", "en", value=7), f"{H1}, question 2, short (en): text in quotation marks is needed here."),
    (put(*Q, "key", value=True), f"{H1}, question 2, key: text in quotation marks is needed here."),
    (put(*Q, "scale", value=["extent"]), f"{H1}, question 2, scale: text in quotation marks is needed here."),
    (put("scales", value=[]), f"{SMALL}, scales: at least one scale is needed"),
    (put("scales", "extent", value=[]), f"{EXTENT}: a group of fields in {{ }} is needed here."),
    (put("hallmarks", 1, "attribution", value=None), f"{H2}, attribution: a text is given by language here"),
    # something does not fit
    (put(*Q, "scale", value="extend"), f"{H1}, question 2: the scale “extend” is not among the scales."),
    (put(*Q, "key", value="purpose-01"), f"{H1}, question 2: the key “purpose-01” is used twice"),
    (put("hallmarks", 1, "questions", 0, "key", value="purpose-02"), f"{H2}, question 1: the key “purpose-02” is used"),
    (put(*Q, "key", value="warm-up"), f"{H1}, question 2: the key “warm-up” is the program’s own."),
    (put("hallmarks", 1, "key", value="purpose"), "small.json, hallmark 2 (purpose): the key “purpose” is used twice"),
    (put(*Q, "key", value="Purpose 2"), f"{H1}, question 2: the key “Purpose 2” may hold only small letters"),
    (put("framework", value="../small"), f"{SMALL}, framework: the key “../small” may hold only small letters"),
    (drop(*OPTIONS, 4), f"{EXTENT}: a scale has 5 options, this one has 4."),
    (put(*OPTIONS, value=[{}] * 6), f"{EXTENT}: a scale has 5 options, this one has 6."),
    (put(*OPTIONS, 1, "value", value=3), f"{EXTENT}, option 2: the value must be 2: the options stand in order"),
    (put(*OPTIONS, 0, "value", value=True), f"{EXTENT}, option 1: the value must be 1: the options stand in order"),
    (put(*OPTIONS, 0, "value", value="1"), f"{EXTENT}, option 1: the value must be 1: the options stand in order"),
    # a text is empty, too long, or cannot be shown
    (put(*Q, "text", "en", value=""), f"{H1}, question 2, text (en): the text is empty."),
    (put(*Q, "prompt", "en", value=" "), f"{H1}, question 2, prompt (en): the text is empty."),
    (put("title", "cy", value=""), f"{SMALL}, title (cy): the text is empty."),
    (put(*Q, "text", "en", value="a" * 401), f"{H1}, question 2, text (en): the text has 401 characters; 400 is"),
    (put(*Q, "short", "en", value="a" * 121), f"{H1}, question 2, short (en): the text has 121 characters; 120 is"),
    (put("credit", "en", value="a\nb"), f"{SMALL}, credit (en): the text holds a line break or another character"),
    (put("credit", "en", value="\ud800"), f"{SMALL}, credit (en): the text holds a line break or another character"),
    (put("credit", "English", value="a"), f"{SMALL}, credit: “English” is not the code of a language"),
    # a field that is not known
    (put("hallmark", value=[]), f"{SMALL}: the field “hallmark” is not known here."),
    (put("hallmarks", 1, "atribution", value={"en": "AIM"}), f"{H2}: the field “atribution” is not known here."),
    (put(*Q, "weight", value=2), f"{H1}, question 2: the field “weight” is not known here."),
    (put(*OPTIONS, 0, "colour", value="red"), f"{EXTENT}, option 1: the field “colour” is not known here."),
    (put("scales", "extent", "stem", value="How"), f"{EXTENT}: the field “stem” is not known here."),
    (put("a\x1b[31m", value=1), f"{SMALL}: the field “a?[31m” is not known here."),
]


@pytest.mark.parametrize(("fault", "sentence"), FAULTS, ids=[sentence for _, sentence in FAULTS])
def test_a_fault_is_refused_with_its_place(fault: Callable[[Any], None], sentence: str, content: Any) -> None:
    assert parse(json.dumps(content), "small.json").key == "small"  # it was right before
    fault(content)
    found = refusal(json.dumps(content))
    assert found.startswith(sentence)
    assert found.endswith(".")
