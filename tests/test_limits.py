"""Typed join codes: guessing is slow, typing is not."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from facilitation import workshop
from facilitation.config import Settings
from facilitation.errors import TooMany
from facilitation.limits import FREE_FROM_ONE, FREE_IN_ALL, LONGEST_QUEUE, TURN, TypedCodes
from facilitation.web import House
from tests.cast import an_app

VENUE, ELSEWHERE = "203.0.113.7", "198.51.100.9"
TRUSTED = "10.0.0.1"


class Time:
    """Monotonic seconds that pass only when somebody is made to wait, or when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.waited: list[float] = []

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        pass

    def soon(self, act: Callable[[], object]) -> None:
        pass


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def codes(time: Time) -> TypedCodes:
    return TypedCodes(time.now, time.sleep)


def guess(codes: TypedCodes, address: str, times: int = 1) -> None:
    for _ in range(times):
        codes.wait(address)
        codes.wrong(address)


def test_a_room_of_five_hundred_behind_one_address_types_its_code_without_waiting(
    codes: TypedCodes, time: Time
) -> None:
    for _ in range(500):
        codes.wait(VENUE)
    assert time.waited == []


def test_the_first_twenty_wrong_codes_of_an_address_wait_for_nothing(codes: TypedCodes, time: Time) -> None:
    guess(codes, VENUE, FREE_FROM_ONE)
    assert time.waited == []


def test_past_twenty_wrong_codes_every_code_from_there_waits_its_turn_and_none_from_elsewhere(
    codes: TypedCodes, time: Time
) -> None:
    guess(codes, VENUE, FREE_FROM_ONE)
    for _ in range(4):
        codes.wait(VENUE)
    assert time.waited == [TURN, 2 * TURN, 3 * TURN]
    codes.wait(ELSEWHERE)
    assert len(time.waited) == 3


def test_past_thirty_wrong_codes_in_all_everybody_waits_in_one_queue(codes: TypedCodes, time: Time) -> None:
    for n in range(FREE_IN_ALL):
        guess(codes, f"192.0.2.{n}")
    assert time.waited == []
    codes.wait(VENUE)
    codes.wait(ELSEWHERE)
    codes.wait("192.0.2.200")
    assert time.waited == [TURN, 2 * TURN]


def test_a_code_that_comes_after_its_turn_does_not_wait(codes: TypedCodes, time: Time) -> None:
    guess(codes, VENUE, FREE_FROM_ONE)
    for _ in range(5):
        codes.wait(VENUE)
        time.seconds += TURN
    assert time.waited == []


def test_wrong_codes_are_forgotten_after_a_minute_and_their_addresses_too(codes: TypedCodes, time: Time) -> None:
    guess(codes, VENUE, FREE_FROM_ONE)
    assert codes.remembered() == 1
    time.seconds += 60
    assert codes.remembered() == 0
    guess(codes, VENUE, FREE_FROM_ONE)
    assert time.waited == []


def test_thirty_wait_and_the_next_is_sent_away_for_a_minute(codes: TypedCodes, time: Time) -> None:
    guess(codes, VENUE, FREE_FROM_ONE)
    codes.wait(VENUE)
    for _ in range(LONGEST_QUEUE):
        codes.wait(VENUE)
    assert time.waited[-1] == LONGEST_QUEUE * TURN
    with pytest.raises(TooMany, match=r"^Too many wrong codes\. Wait a minute, then try again\.$"):
        codes.wait(VENUE)
    time.seconds += TURN
    codes.wait(VENUE)


def test_many_who_try_all_day_get_one_try_in_two_seconds_between_them(time: Time) -> None:
    """Fifty addresses, each as fast as it may: what they get through in an hour."""
    codes, chance = TypedCodes(time.now, time.sleep), random.Random(1)
    tried = 0
    while time.seconds < 1000 + 3600:
        address = f"192.0.2.{chance.randrange(50)}"
        time.seconds += 0.05
        try:
            guess(codes, address)
        except TooMany:
            continue
        tried += 1
    # A little more than a try in each turn: whenever thirty of a minute have been forgotten, one is free again.
    assert tried <= 1.1 * 3600 / TURN


def test_no_address_is_kept_as_it_is(codes: TypedCodes) -> None:
    guess(codes, VENUE, FREE_FROM_ONE + 2)
    kept = repr(vars(codes))
    assert VENUE not in kept
    assert VENUE.encode().hex() not in kept


def test_two_processes_do_not_know_an_address_by_the_same_hash(time: Time) -> None:
    one, other = TypedCodes(time.now, time.sleep), TypedCodes(time.now, time.sleep)
    guess(one, VENUE)
    guess(other, VENUE)
    assert set(one._wrong_from) != set(other._wrong_from)


# --- On the join page ------------------------------------------------------------------------------------------------


def program(folder: Path, time: Time, **settings: str) -> Flask:
    found = Settings.from_environment({"DATA_DIR": str(folder), "HOST": "127.0.0.1", **settings})
    return an_app(found, clock=time, sleep=time.sleep)


@pytest.fixture
def app(tmp_path: Path, time: Time) -> Flask:
    return program(tmp_path, time)


def types(app: Flask, code: str, address: str = VENUE, **headers: str) -> TestResponse:
    origin = "https://vote.example.org" if app.config["HOSTED"] else "http://localhost"
    return app.test_client().post(
        "/join",
        base_url=origin,
        data={"code": code},
        headers={"Origin": origin, **headers},
        environ_base={"REMOTE_ADDR": address},
    )


def a_session(app: Flask) -> tuple[str, str]:
    """Its code and the token of its QR code."""
    house: House = app.extensions["house"]

    def job(session: Session) -> tuple[str, str]:
        made = workshop.create(session, house.framework, "A day", "A museum", dt.date(2026, 11, 21))
        return made.code, made.join_token

    return house.committer.perform(job)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_after_twenty_wrong_codes_the_right_one_waits_and_then_opens_the_door(app: Flask, time: Time) -> None:
    code, _ = a_session(app)
    for _ in range(FREE_FROM_ONE):
        assert types(app, wrong(code)).status_code == 422
    assert time.waited == []
    assert types(app, code).status_code == 303
    assert types(app, code).status_code == 303
    assert time.waited == [TURN]


def test_what_is_no_code_is_no_guess(app: Flask, time: Time) -> None:
    for typed in ("", "12", "abcdef", "1234567"):
        for _ in range(FREE_FROM_ONE):
            assert types(app, typed).status_code == 422
    assert time.waited == []
    house: House = app.extensions["house"]
    assert house.codes.remembered() == 0


def test_the_qr_code_is_never_slowed_down(app: Flask, time: Time) -> None:
    code, token = a_session(app)
    for _ in range(FREE_FROM_ONE + 5):
        types(app, wrong(code))
    waited = list(time.waited)
    phone: FlaskClient = app.test_client()
    assert phone.get(f"/j/{token}", environ_base={"REMOTE_ADDR": VENUE}).status_code == 303
    assert phone.get("/j/not-a-token", environ_base={"REMOTE_ADDR": VENUE}).status_code == 404
    assert time.waited == waited


def test_whoever_comes_when_thirty_wait_reads_on_the_join_page_why_and_keeps_what_was_typed(app: Flask) -> None:
    code, _ = a_session(app)
    for _ in range(FREE_FROM_ONE):
        types(app, wrong(code))
    for _ in range(1 + LONGEST_QUEUE):
        assert types(app, code).status_code == 303
    answer = types(app, code)
    assert answer.status_code == 429
    assert "Too many wrong codes. Wait a minute, then try again." in answer.text
    assert re.search(f'<input[^>]* value="{code}"', answer.text)


@pytest.mark.program
def test_behind_a_proxy_the_address_is_the_one_it_names(tmp_path: Path, time: Time) -> None:
    hosted = program(tmp_path, time, PUBLIC_URL="https://vote.example.org")
    for _ in range(FREE_FROM_ONE + 2):
        types(hosted, "000000", "127.0.0.1", **{"X-Forwarded-For": f"{TRUSTED}, {VENUE}"})
    assert time.waited == [TURN]
    types(hosted, "000000", "127.0.0.1", **{"X-Forwarded-For": ELSEWHERE})
    assert time.waited == [TURN]


@pytest.mark.program
@pytest.mark.parametrize(("proxy", "believed"), [("10.0.0.7", True), ("::ffff:10.0.0.7", True), ("127.0.0.1", False)])
def test_a_proxy_on_another_computer_is_believed_once_it_is_named(
    tmp_path: Path, time: Time, proxy: str, believed: bool
) -> None:
    hosted = program(tmp_path, time, PUBLIC_URL="https://vote.example.org", TRUSTED_PROXY="10.0.0.0/24, 192.0.2.9")
    for n in range(FREE_FROM_ONE + 2):
        types(hosted, "000000", proxy, **{"X-Forwarded-For": f"203.0.113.{n}"})
    assert time.waited == ([] if believed else [TURN])


def test_on_a_laptop_nobody_can_name_another_address(app: Flask, time: Time) -> None:
    for n in range(FREE_FROM_ONE + 2):
        types(app, "000000", VENUE, **{"X-Forwarded-For": f"192.0.2.{n}"})
    assert time.waited == [TURN]
