"""What docs/hosting.md tells people to do, done."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cast import Facilitator, Venue, vote

pytestmark = pytest.mark.program

HOSTING = (Path(__file__).parents[1] / "docs" / "hosting.md").read_text(encoding="utf-8")


def test_a_backup_made_as_the_page_says_is_restored_with_all_counts_and_an_open_round_is_void(
    sqlite_url: str, tmp_path: Path
) -> None:
    venue = Venue(sqlite_url, tmp_path)
    freya = Facilitator(venue).enters().creates("purpose-01", "purpose-02")
    phones = venue.phones(6, freya.code)
    freya.does("open")
    vote(phones, *"112345")
    freya.does("close", "next")
    vote(phones, *"555555")
    command = re.search(r'python -c "(import sqlite3[^"]+)"', HOSTING)
    assert command
    subprocess.run([sys.executable, "-c", command[1]], cwd=tmp_path, check=True)
    freya.does("close")  # after the backup: this count is lost with the restore
    venue.closes()

    (restored := tmp_path / "restored").mkdir()
    (tmp_path / "copy.db").rename(restored / "workshop.db")
    again = Venue(f"sqlite:///{restored / 'workshop.db'}", restored)
    freya.client.application = again.app
    results = freya.gets(f"/f/{freya.code}/files/session.json").get_json()["rounds"]
    assert results[0]["counts"]["1"] == 2
    assert "could not be counted" in freya.gets(f"/f/{freya.code}").text
    again.closes()
