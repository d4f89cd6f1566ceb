"""The documents say what the program does, in settings, addresses, columns and commands; nothing of any computer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facilitation.config import SETTINGS_HELP, Settings
from facilitation.exports import actions_csv, results_csv, session_json
from tests.cast import an_app
from tests.sample_report import a_report

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
README = DOCUMENTS[0].read_text(encoding="utf-8")
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
LARGEST_PICTURE = 120 * 1024

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def test_the_readme_names_every_setting_in_the_words_of_the_program() -> None:
    rows = re.findall(r"(?m)^\| `([A-Z_]+)` \| (.*) \|$", README)
    assert rows == list(SETTINGS_HELP.items())


@pytest.mark.program
def test_every_address_stands_in_the_protocol_with_its_method(tmp_path: Path) -> None:
    app = an_app(Settings.from_environment({"DATA_DIR": str(tmp_path)}))
    served = {
        f"{method} `{rule.rule}`"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == set(re.findall(r"(?m)^\| ((?:GET|POST) `[^`]+`) \|", PROTOCOL))


@pytest.mark.parametrize(
    ("table", "columns"), [("results.csv", results_csv.COLUMNS), ("actions.csv", actions_csv.COLUMNS)]
)
def test_every_column_of_a_table_stands_in_the_protocol_in_its_order(table: str, columns: tuple[str, ...]) -> None:
    described = PROTOCOL.partition(f"### {table}")[2].partition("### ")[0]
    first = re.findall(r"(?m)^\| (`[^|]+`) \|", described)
    assert tuple(name for cell in first for name in re.findall(r"`(\w+)`", cell)) == columns


def test_every_field_of_the_session_file_stands_in_the_protocol() -> None:
    described = set(re.findall(r"`(\w+)`", PROTOCOL.partition("## Files")[2]))
    assert set(fields(session_json.as_data(a_report()))) <= described


def test_the_readme_gives_both_commands() -> None:
    assert re.search(r"(?m)^    make run\b", README)
    assert re.search(r"(?m)^    make test\b", README)


@each_document
def test_every_command_in_a_document_is_one_of_the_makefile(document: Path) -> None:
    named = set(re.findall(r"(?m)(?:`|^    )make ([a-z-]+)", document.read_text(encoding="utf-8")))
    assert named <= TARGETS


@each_document
def test_a_document_links_to_files_and_headings_that_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for link in re.findall(r'\]\(([^)\s]+)\)|src="([^"]+)"', text):
        target, _, heading = "".join(link).partition("#")
        if target.startswith("https:"):
            continue
        aim = document.parent / target if target else document
        assert aim.is_file(), target
        assert not heading or heading in headings(aim.read_text(encoding="utf-8")), heading


@each_document
def test_no_document_holds_a_path_of_somebodys_computer(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert re.findall(r"(?<![\w.<>*])/(?:work|tmp|root|mnt|Users|home/\w)[/\w]*|[A-Z]:\\\w+", text) == []


def test_the_pictures_are_shown_and_small() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").glob("*.png"))
    assert pictures
    for picture in pictures:
        assert f"docs/pictures/{picture.name}" in README
        assert picture.stat().st_size < LARGEST_PICTURE, picture.name


def test_the_readme_gives_aim_its_credit() -> None:
    said = " ".join(README.split())
    assert "AIM Hallmarks of Prospering Museums (Association of Independent Museums, 2015)" in said
    assert "No endorsement by AIM is implied." in said


def fields(data: Any) -> Iterator[str]:
    """The names in JSON data, at every depth, without the points of a scale and the languages of a text."""
    if isinstance(data, list):
        for part in data:
            yield from fields(part)
    elif isinstance(data, dict):
        for name, part in data.items():
            if not re.fullmatch(r"\d+|DK|NR|en|cy", name):
                yield name
            yield from fields(part)


def headings(text: str) -> set[str]:
    """The anchors that GitHub makes of a document's headings."""
    said = re.findall(r"(?m)^#+ (.+)$", text)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in said}
