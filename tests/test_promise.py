"""The promise in words: it stands where people vote, and each sentence of it names a test that exists."""

from __future__ import annotations

import ast
import datetime as dt
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from facilitation import workshop
from facilitation.config import Settings
from facilitation.stages import Move
from facilitation.web import House
from tests.cast import an_app

ROOT = Path(__file__).parents[1]
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROMISE = SECURITY.partition("## What is promised")[2].partition("\n## ")[0]
ORIGIN = {"Origin": "http://localhost"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return an_app(Settings.from_environment({"DATA_DIR": str(tmp_path_factory.mktemp("data"))}))


def a_session(app: Flask, k: int) -> tuple[str, str]:
    """A session in its first vote with this smallest group: its code and the token of its QR code."""
    house: House = app.extensions["house"]
    hallmark = house.framework.hallmarks[0]

    def job(session: Session) -> tuple[str, str]:
        made = workshop.create(session, house.framework, "A day", "A museum", dt.date(2026, 11, 21))
        made.k = k
        workshop.add_questions(session, made.id, [(hallmark, hallmark.questions[0])], house.framework)
        session.flush()
        workshop.make_move(session, house.keys, made.id, Move.OPEN, made.version)
        return made.code, made.join_token

    return house.committer.perform(job)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", SECURITY))))
def test_a_test_that_the_promise_names_exists(named: str) -> None:
    path, _, name = named.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert not name or name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_sentence_of_the_promise_names_a_test() -> None:
    rows = [line for line in PROMISE.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 12
    assert [row for row in rows if "::test_" not in row] == []


def test_security_says_what_is_not_covered_and_how_to_report() -> None:
    headings = re.findall(r"(?m)^## (.*)$", SECURITY)
    assert headings == [
        "What is promised",
        "How hard it was tried",
        "Whom it trusts",
        "What is not covered",
        "Deviations from good practice, and why",
        "How to report a hole",
    ]


def test_whoever_wants_to_join_can_read_first_what_happens_to_an_answer(app: Flask) -> None:
    browser = app.test_client()
    assert 'href="/promise"' in browser.get("/").text
    page = words(browser.get("/promise").text)
    assert "Nobody, the facilitator included, can see later who chose what." in page
    assert "5, unless the facilitator has chosen another number from 3 to 10" in page


@pytest.mark.parametrize("k", [3, 7])
def test_a_phone_reads_it_from_the_ballot_with_the_number_of_its_own_session(app: Flask, k: int) -> None:
    code, token = a_session(app, k)
    phone = app.test_client()
    phone.get(f"/j/{token}")
    ballot = phone.get(f"/w/{code}").text
    link = f"/promise?r={code}"
    assert link in ballot.partition('<details class="more">')[2].partition("</details>")[0]
    page = phone.get(link).text
    assert f"Nothing is shown before {k} people have answered." in words(page)
    assert f'href="/w/{code}"' in page


def test_a_stranger_learns_nothing_of_a_session_from_it(app: Flask) -> None:
    code, _ = a_session(app, 7)
    stranger = app.test_client()
    page = stranger.get(f"/promise?r={code}").text
    assert page == stranger.get("/promise?r=000000").text == stranger.get("/promise").text
    assert code not in page


def test_it_names_what_is_not_covered(app: Flask) -> None:
    page = words(app.test_client().get("/promise").text).partition("What this does not cover")[2]
    for named in ("everybody agrees", "say aloud", "changes the program", "Wi-Fi", "last step", "two browsers"):
        assert named in page
