"""What is installed and what is shipped: the pins, their floors, and files that others made."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")

# Below these are known holes. Some are wider than the ranges in pyproject.toml: they hold whatever is written there.
FLOORS = {
    "flask": "3.1.3",
    "flask-socketio": "5.6.1",
    "gevent": "25.4.1",
    "h11": "0.16",
    "jinja2": "3.1.6",
    "python-engineio": "4.13.3",
    "python-socketio": "5.16.3",
    "redis": "5.2.1",
    "werkzeug": "3.1.6",
}

A_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def pinned_blocks() -> dict[str, list[str]]:
    """Each pinned package's lines in requirements.txt, without comments and options: the pin, then its hashes."""
    blocks: dict[str, list[str]] = {}
    lines = [line for line in LOCK.splitlines() if line.strip() and not re.match(r" *#|-", line)]
    for line in lines:
        if line[0] != " ":
            name = canonicalize_name(Requirement(line.removesuffix("\\")).name)
            # One release for every system and Python, or a test run would say little about another's install.
            assert name not in blocks, f"{name} is pinned twice"
            blocks[name] = []
        blocks[name].append(line)
    return blocks


BLOCKS = pinned_blocks()
PINS = {name: Requirement(lines[0].removesuffix("\\")) for name, lines in BLOCKS.items()}


def direct_requirements() -> list[Requirement]:
    """Everything that pyproject.toml asks for itself: to run, to test and to develop."""
    asked = [PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"].values()]
    # What is not a string only includes another group.
    return [Requirement(entry) for group in asked for entry in group if isinstance(entry, str)]


def pinned_version(name: str) -> Version:
    """The release that requirements.txt installs."""
    (pin,) = PINS[name].specifier
    assert pin.operator == "==", f"{name} is not pinned to one release"
    return Version(pin.version)


@pytest.mark.parametrize("requirement", direct_requirements(), ids=lambda requirement: requirement.name)
def test_a_direct_requirement_is_pinned_within_its_range(requirement: Requirement) -> None:
    name = canonicalize_name(requirement.name)
    assert name in PINS, f"{name} is not in requirements.txt: run `make lock`"
    assert requirement.specifier.contains(pinned_version(name)), "requirements.txt is behind: run `make lock`"


def test_every_pin_is_one_release_with_hashes() -> None:
    for name, (_, *hashes) in BLOCKS.items():
        pinned_version(name)  # fails unless it is exactly one
        assert hashes, f"{name} has no hash"
        assert all(A_HASH.fullmatch(line) for line in hashes), f"{name} has a line that is not a hash"


def test_the_lock_names_no_registry_and_no_path() -> None:
    # Neither an address, nor a path of any system, nor an option such as --index-url.
    suspect = [line for line in LOCK.splitlines() if re.search(r"/|\\.|@|^-", line)]
    assert suspect == []


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_no_release_with_a_known_hole_is_pinned(name: str, floor: str) -> None:
    assert pinned_version(name) >= Version(floor)


def test_eventlet_stays_away() -> None:
    assert "eventlet" not in PINS


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [("static/vendor", "*"), ("static/fonts", "*"), ("facilitation/exports/fonts", "*"), ("tests/browser", "axe*")],
)
def test_files_that_others_made_are_exactly_as_they_were_published(folder: str, pattern: str) -> None:
    place = ROOT / folder
    lines = (place / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in place.glob(pattern)
        if path.name != "SHA256SUMS"
    }
    assert found
    assert found == listed
