"""Sealed ballots: what the phones sent comes back exactly, and only with the right key, round and slot."""

from __future__ import annotations

import hmac
from dataclasses import fields

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from facilitation import ballots
from facilitation.ballots import CHOICES, MOST_DOTS, MOST_OPTIONS, ROLES, SEALED_BYTES, Ballot, Direction

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
WORKSHOP_KEY = b"the key of Freya's workshop"
ANA = b"ana's phone 16 b"
BEN = b"ben's phone 16 b"

keys = st.binary(min_size=32, max_size=32)
slots = st.binary(min_size=16, max_size=16)
secrets_ = st.binary(min_size=16, max_size=16)
rounds = st.integers(1, 2**63 - 1)
some_dots = st.sets(st.integers(1, MOST_OPTIONS), max_size=MOST_DOTS).map(ballots.dots)
answers = st.builds(
    Ballot,
    st.one_of(st.sampled_from(CHOICES), some_dots),
    st.sampled_from(Direction),
    st.one_of(st.none(), st.sampled_from(ROLES)),
)


fifty = settings(max_examples=50)  # bytes are drawn slowly, and these laws break on nearly every draw


@fifty
@given(keys, rounds, slots, answers)
def test_a_sealed_ballot_opens_as_it_was(key: bytes, round_id: int, slot: bytes, ballot: Ballot) -> None:
    assert ballots.unseal(key, round_id, slot, ballots.seal(key, round_id, slot, ballot)) == ballot


@fifty
@given(answers)
def test_every_sealed_ballot_has_the_same_length(ballot: Ballot) -> None:
    assert len(ballots.seal(KEY, 1, ANA, ballot)) == SEALED_BYTES == 44


@fifty
@given(rounds, slots, answers, slots)
def test_a_ballot_moved_to_another_slot_does_not_open(round_id: int, slot: bytes, ballot: Ballot, other: bytes) -> None:
    assume(slot != other)
    with pytest.raises(ValueError, match="does not open"):
        ballots.unseal(KEY, round_id, other, ballots.seal(KEY, round_id, slot, ballot))


@fifty
@given(rounds, slots, answers, rounds)
def test_a_ballot_moved_to_another_round_does_not_open(round_id: int, slot: bytes, ballot: Ballot, other: int) -> None:
    assume(round_id != other)
    with pytest.raises(ValueError, match="does not open"):
        ballots.unseal(KEY, other, slot, ballots.seal(KEY, round_id, slot, ballot))


def test_a_ballot_does_not_open_with_the_key_of_another_round() -> None:
    with pytest.raises(ValueError, match="does not open"):
        ballots.unseal(OTHER_KEY, 1, ANA, ballots.seal(KEY, 1, ANA, Ballot("4")))


def test_a_ballot_with_any_bit_changed_does_not_open() -> None:
    sealed = ballots.seal(KEY, 1, ANA, Ballot("4", Direction.UP, "trustee"))
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="does not open"):
            ballots.unseal(KEY, 1, ANA, bytes(changed))


@pytest.mark.parametrize("options", [(1, 2, 3, 4), (0,), (13,), (2, 2)])
def test_there_are_three_dots_each_on_another_of_twelve_options(options: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no such dots"):
        ballots.dots(options)


@pytest.mark.parametrize("choice", ["d0", "d13", "d2.1", "d1.1", "d1.2.3.4", "d1.", "d٣", "d 1", "D1", "x", "", "d01"])
def test_dots_are_written_in_one_way_only(choice: str) -> None:
    with pytest.raises(ValueError, match="no "):
        Ballot(choice)


@pytest.mark.parametrize("said", [(1, 0, 2), (2, 1, 0), (1, 1, 0), (13, 0, 0)])
def test_dots_that_no_ballot_has_are_refused_even_under_a_true_seal(said: tuple[int, int, int]) -> None:
    odd = bytes([0x12, *said]).ljust(16, b"\0")
    with pytest.raises(ValueError, match=r"not a ballot|no such dots"):
        ballots.unseal(KEY, 1, ANA, sealed_by_hand(odd))


@pytest.mark.parametrize("length", [0, 12, 28, 43, 45])
def test_a_ballot_of_another_length_does_not_open(length: int) -> None:
    sealed = ballots.seal(KEY, 1, ANA, Ballot("4")) + b"\0"
    with pytest.raises(ValueError, match="length"):
        ballots.unseal(KEY, 1, ANA, sealed[:length])


def test_the_same_answer_sealed_again_looks_different_all_over() -> None:
    first, again = (ballots.seal(KEY, 1, ANA, Ballot("3")) for _ in range(2))
    assert first[:12] != again[:12]  # the nonce is fresh
    assert first[12:28] != again[12:28]  # so what is under it cannot be compared


def sealed_by_hand(plain: bytes) -> bytes:
    """A ballot with a true seal and these 16 bytes in it, as no version of this program would write them."""
    nonce = b"twelve bytes"
    return nonce + ChaCha20Poly1305(hmac.digest(KEY, b"seal", "sha256")).encrypt(
        nonce, plain, ANA + (1).to_bytes(8, "big")
    )


SOUND = bytes([0x11, 4, 0, 0, 0, 1]) + bytes(10)


def test_the_bytes_of_a_ballot_are_the_documented_ones() -> None:
    assert ballots.unseal(KEY, 1, ANA, sealed_by_hand(SOUND)) == Ballot("4", Direction.UP, "trustee")


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, 0x01), (0, 0x21), (0, 0x13), (1, 0), (1, 8), (2, 1), (3, 1), (4, 4), (5, 5), *((i, 1) for i in range(6, 16))],
)
def test_bytes_that_no_ballot_has_are_refused_even_under_a_true_seal(place: int, value: int) -> None:
    odd = bytearray(SOUND)
    odd[place] = value
    with pytest.raises(ValueError, match="not a ballot"):
        ballots.unseal(KEY, 1, ANA, sealed_by_hand(bytes(odd)))


def test_a_ballot_has_room_for_no_clock_and_no_person() -> None:
    assert [field.name for field in fields(Ballot)] == ["choice", "direction", "role"]


def test_a_ballot_that_reaches_a_log_by_mistake_does_not_say_its_choice() -> None:
    assert repr(Ballot("DK", Direction.DOWN, "volunteer")).startswith("<facilitation.ballots.Ballot object")


@pytest.mark.parametrize("choice", ["0", "6", "", "dk", "٣"])
def test_a_choice_off_the_scale_makes_no_ballot(choice: str) -> None:
    with pytest.raises(ValueError, match="choice"):
        Ballot(choice)


def test_a_role_or_a_direction_nobody_offered_makes_no_ballot() -> None:
    with pytest.raises(ValueError, match="role"):
        Ballot("1", role="Trustee")
    with pytest.raises(ValueError, match="direction"):
        Ballot("1", "sideways")  # type: ignore[arg-type]


@fifty
@given(keys, secrets_, secrets_)
def test_two_phones_never_share_a_slot_and_one_keeps_its_own(key: bytes, ana: bytes, ben: bytes) -> None:
    assume(ana != ben)
    assert ballots.slot_of(key, ana) == ballots.slot_of(key, ana)
    assert ballots.slot_of(key, ana) != ballots.slot_of(key, ben)
    assert len(ballots.slot_of(key, ana)) == 16


@fifty
@given(keys, keys, st.sets(secrets_, min_size=1, max_size=8))
def test_the_slots_of_two_rounds_share_nothing(first: bytes, second: bytes, phones: set[bytes]) -> None:
    assume(first != second)
    assert {ballots.slot_of(first, p) for p in phones}.isdisjoint({ballots.slot_of(second, p) for p in phones})


def test_a_slot_is_made_as_documented() -> None:
    # Worked out apart from the program: openssl dgst -sha256 -mac HMAC over "slot" and the secret.
    assert ballots.slot_of(KEY, ANA).hex() == "5c0ce868299daa9ddc6d33df9e0c203a"


@fifty
@given(st.binary(min_size=1), secrets_)
def test_a_cookie_brings_back_the_secret_it_was_made_for(workshop_key: bytes, secret: bytes) -> None:
    cookie = ballots.sign_device(workshop_key, secret)
    assert ballots.read_device(workshop_key, cookie) == secret
    assert len(cookie) == 66
    assert set(cookie) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_cookie_of_another_workshop_is_nobody() -> None:
    assert ballots.read_device(b"the key of another workshop", ballots.sign_device(WORKSHOP_KEY, ANA)) is None


def test_mallory_cannot_take_bens_secret_with_anas_signature() -> None:
    ana, ben = ballots.sign_device(WORKSHOP_KEY, ANA), ballots.sign_device(WORKSHOP_KEY, BEN)
    assert ballots.read_device(WORKSHOP_KEY, ben.split(".")[0] + "." + ana.split(".")[1]) is None


def test_a_cookie_with_any_character_changed_is_nobody() -> None:
    cookie = ballots.sign_device(WORKSHOP_KEY, ANA)
    for place, there in enumerate(cookie):
        for other in set("AQgw.-=+ é\n") - {there}:
            assert ballots.read_device(WORKSHOP_KEY, cookie[:place] + other + cookie[place + 1 :]) is None


@fifty
@given(st.text())
def test_any_text_in_a_cookie_is_nobody_and_no_fault(text: str) -> None:
    assert ballots.read_device(WORKSHOP_KEY, text) is None


@pytest.mark.parametrize("wrapped", ["{} ", " {}", '"{}"', "{}=", "{}.", "{}\n"])
def test_one_device_has_one_cookie_text(wrapped: str) -> None:
    assert ballots.read_device(WORKSHOP_KEY, wrapped.format(ballots.sign_device(WORKSHOP_KEY, ANA))) is None


def test_device_secrets_are_sixteen_fresh_bytes() -> None:
    drawn = {ballots.new_device_secret() for _ in range(100)}
    assert len(drawn) == 100
    assert {len(secret) for secret in drawn} == {16}


def test_wrong_lengths_and_numbers_are_refused_rather_than_bent() -> None:
    ballot = Ballot("1")
    for refused in (
        lambda: ballots.seal(KEY[:-1], 1, ANA, ballot),
        lambda: ballots.seal(KEY, 0, ANA, ballot),
        lambda: ballots.seal(KEY, 2**63, ANA, ballot),
        lambda: ballots.seal(KEY, 1, ANA[:-1], ballot),
        lambda: ballots.unseal(b"", 1, ANA, bytes(44)),
        lambda: ballots.unseal(KEY, -1, ANA, bytes(44)),
        lambda: ballots.slot_of(KEY, ANA + b"\0"),
        lambda: ballots.slot_of(KEY + b"\0", ANA),
        lambda: ballots.sign_device(WORKSHOP_KEY, b""),
        lambda: ballots.sign_device(b"", ANA),
    ):
        with pytest.raises(ValueError):
            refused()
