"""Compiled templates are kept from one start to the next."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from facilitation.web.compiled import CompiledTemplates


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A template."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "maker.py").write_text("trim = True")
    page = tmp_path / "templates" / "page.html"
    page.write_text("Hello {{ name }}")
    return page


class Counting(Environment):
    """Counts how often it compiles."""

    compiled = 0

    def compile(self, *given, **more):  # type: ignore[no-untyped-def]
        self.compiled += 1
        return super().compile(*given, **more)


def start(words: Path) -> tuple[str, int]:
    """What a start of the program says, and how many templates it compiled for that."""
    home = words.parents[1]
    kept = CompiledTemplates(home / "maker.py", home / "kept")
    environment = Counting(loader=FileSystemLoader(words.parent), bytecode_cache=kept)
    return environment.get_template("page.html").render(name="Ana"), environment.compiled


def test_the_second_start_compiles_nothing(words: Path) -> None:
    assert [start(words), start(words)] == [("Hello Ana", 1), ("Hello Ana", 0)]


def test_a_template_whose_text_changed_is_compiled_again(words: Path) -> None:
    start(words)
    words.write_text("Goodbye {{ name }}")
    assert start(words) == ("Goodbye Ana", 1)


def test_so_is_every_template_when_the_way_they_are_compiled_changed(words: Path) -> None:
    start(words)
    (words.parents[1] / "maker.py").write_text("trim = False")
    assert start(words) == ("Hello Ana", 1)


def test_what_was_broken_off_half_way_is_made_again(words: Path) -> None:
    start(words)
    (kept,) = (words.parents[1] / "kept").iterdir()
    kept.write_bytes(kept.read_bytes()[:40])
    assert start(words) == ("Hello Ana", 1)


def test_where_nothing_can_be_kept_the_program_starts_all_the_same(words: Path) -> None:
    (words.parents[1] / "kept").write_text("not a folder")
    assert [start(words), start(words)] == [("Hello Ana", 1), ("Hello Ana", 1)]
