"""What the browser tests look at: every page, every stage and every overlay has a row in tests/browser/gallery.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.exceptions import NotFound

from facilitation.config import Settings
from facilitation.workshop import OVERLAYS
from tests.browser.gallery import ON_CONSOLE, ON_PHONES, ON_SCREEN, PLACES, scene_of
from tests.cast import an_app

TEMPLATES = Path(__file__).parents[1] / "templates"
# Routes that answer a GET with something else than a page: files, fragments, numbers, a cookie and a redirect.
NOT_PAGES = {
    *("files.static_file", "documents.download_at_home", "documents.download", "museums.as_csv", "museums.as_calendar"),
    *("packs.template", "packs.file", "participant.present", "facilitator.present", "screen.present"),
    *("pages.healthz", "pages.metrics", "translating.as_file", "room_check.seen", "printing.pdf"),
}


@pytest.mark.program
def test_every_route_that_answers_with_a_page_is_looked_at(sqlite_url: str, tmp_path: Path) -> None:
    app = an_app(Settings("127.0.0.1", 8000, tmp_path, sqlite_url, "", "http://localhost", False))
    routes = app.url_map.bind("localhost")
    paths = {place.path.format("482793") for place in PLACES.values()} | {
        "/f/482793",
        "/f/482793/screen",
        "/w/482793",
        "/s/482793",
    }
    # shown to the device that is handed round, and what its page asks for
    looked_at = {"handed.counted", "handed.asks", "room_check.arrive"}
    for path in paths:
        try:
            looked_at.add(routes.match(path)[0])
        except NotFound:
            assert path == "/nowhere"
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())} - NOT_PAGES
    assert pages - looked_at == set()


def test_every_template_of_a_whole_page_is_looked_at() -> None:
    whole = {
        path.relative_to(TEMPLATES).as_posix()
        for path in TEMPLATES.rglob("*.html")
        if path.name != "base.html" and ("{% extends" in (text := path.read_text(encoding="utf-8")) or "<html" in text)
    }
    shown = {"screen/page.html", "facilitator/page.html", "participant/page.html"}
    assert whole - shown - {place.template for place in PLACES.values()} == set()


@pytest.mark.parametrize(
    ("surface", "states"), [("screen", ON_SCREEN), ("facilitator", ON_CONSOLE), ("participant", ON_PHONES)]
)
def test_every_stage_is_looked_at_on_every_surface(surface: str, states: tuple[str, ...]) -> None:
    stages = {path.stem.removeprefix("_") for path in (TEMPLATES / surface / "stages").iterdir()}
    assert stages - {scene_of(surface, state) for state in states} == set()


def test_every_overlay_is_looked_at() -> None:
    templates = {path.stem.removeprefix("_") for path in (TEMPLATES / "screen" / "overlays").iterdir()}
    assert templates | set(OVERLAYS) - {""} <= {scene_of("screen", state) for state in ON_SCREEN}
