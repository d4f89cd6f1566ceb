"""The test bed's own promises: every test gets a database that no other test has touched."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import text

from tests.postgres import Server, server_programs


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_test_finds_nothing_of_the_test_before(empty_database_url: str, turn: str) -> None:
    engine = sqlalchemy.create_engine(empty_database_url)
    assert sqlalchemy.inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (id integer)"))
    assert sqlalchemy.inspect(engine).get_table_names() == ["left_behind"]
    # Left connected on purpose: a forgotten engine must not keep the database from being dropped.


@pytest.mark.postgres
def test_what_was_prepared_once_is_in_every_copy_and_copies_stay_apart(postgres: Server) -> None:
    def prepare(url: str) -> None:
        # The engine is not disposed of, so the server must cut its connection before it can copy.
        with sqlalchemy.create_engine(url).begin() as connection:
            connection.execute(text("CREATE TABLE prepared AS SELECT 7 AS number"))

    template = postgres.create_template(prepare)
    ours, theirs = (sqlalchemy.create_engine(postgres.url(postgres.create(template))) for _ in range(2))
    with ours.begin() as connection:
        connection.execute(text("UPDATE prepared SET number = 8"))
    with theirs.connect() as connection:
        assert connection.scalar(text("SELECT number FROM prepared")) == 7


def test_a_missing_postgresql_fails_with_a_sentence_and_skips_nothing(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="PostgreSQL's server programs are missing"):
        server_programs(path=str(tmp_path), debian_folder=tmp_path)
