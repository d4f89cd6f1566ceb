"""The database's history: up, down and up again, and never another shape than the program's own tables."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy
from alembic import autogenerate
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from facilitation import hallmarks, migrations, store, workshop
from facilitation.store import AgendaItem, Ballot, Base, Capability, IssuedCode, Round, Workshop
from tests.test_sessions import FRAMEWORK

TABLES = set(Base.metadata.tables)


def tables(url: str) -> set[str]:
    """The tables there are, besides the one in which Alembic keeps its place."""
    engine = sqlalchemy.create_engine(url)
    found = set(sqlalchemy.inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()
    return found


def fill(url: str) -> dict[str, int]:
    """A row or more in every table; returns how many."""
    engine = store.writing_engine(url)
    purpose: hallmarks.Hallmark = FRAMEWORK.hallmarks[0]
    with store.transaction(engine) as session:
        made = workshop.create(session, FRAMEWORK, "Away day", "Tide Mill", dt.date(2026, 11, 21))
        workshop.add_questions(session, made.id, [(purpose, question) for question in purpose.questions], FRAMEWORK)
        workshop.grant(session, "facilitator", made.id)
        session.flush()
        round_ = Round(
            workshop_id=made.id, agenda_id=made.agenda[0].id, ordinal=1, number=1, mode="live", picture={"1": 5}
        )
        session.add(round_)
        session.flush()
        session.add(Ballot(round_id=round_.id, slot=bytes(16), seq=1, sealed=bytes(44)))
    engine.dispose()
    return count(url)


def count(url: str) -> dict[str, int]:
    """How many rows each table has."""
    engine = sqlalchemy.create_engine(url)
    with Session(engine) as session:
        found = {
            model.__tablename__: session.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(model)) or 0
            for model in (Workshop, AgendaItem, Round, Ballot, Capability, IssuedCode)
        }
    engine.dispose()
    return found


def test_up_makes_every_table_and_again_changes_nothing(empty_database_url: str) -> None:
    migrations.upgrade(empty_database_url)
    assert tables(empty_database_url) == TABLES
    rows = fill(empty_database_url)
    assert all(rows.values())
    assert set(rows) == TABLES
    migrations.upgrade(empty_database_url)
    assert count(empty_database_url) == rows


def test_down_with_rows_and_up_again(empty_database_url: str) -> None:
    migrations.upgrade(empty_database_url)
    fill(empty_database_url)
    migrations.downgrade(empty_database_url, "base")
    assert tables(empty_database_url) == set()
    migrations.upgrade(empty_database_url)
    assert not any(count(empty_database_url).values())
    assert all(fill(empty_database_url).values())


def test_every_step_can_be_taken_back_and_made_again_with_rows_in_the_tables(empty_database_url: str) -> None:
    steps = [
        step.revision for step in ScriptDirectory.from_config(migrations.config(empty_database_url)).walk_revisions()
    ]
    migrations.upgrade(empty_database_url)
    fill(empty_database_url)
    for step in steps[1:]:
        migrations.downgrade(empty_database_url, step)
        migrations.upgrade(empty_database_url)
    assert all(count(empty_database_url).values())


def test_history_is_one_line(empty_sqlite_url: str) -> None:
    script = ScriptDirectory.from_config(migrations.config(empty_sqlite_url))
    assert len(script.get_heads()) == len(script.get_bases()) == 1


def test_the_migrated_database_is_what_the_program_says_its_tables_are(database_url: str) -> None:
    engine = sqlalchemy.create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert autogenerate.compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_a_database_made_from_the_tables_and_a_migrated_one_are_the_same_to_sqlite(
    sqlite_url: str, empty_sqlite_url: str
) -> None:
    """What Alembic does not compare: WITHOUT ROWID, AUTOINCREMENT, the names and actions of foreign keys."""

    def made(url: str) -> dict[str, str]:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
            ).all()
        engine.dispose()
        return {name: "".join(sorted(sql.replace(",", "").split())) for name, sql in rows}

    engine = sqlalchemy.create_engine(empty_sqlite_url)
    Base.metadata.create_all(engine)
    engine.dispose()
    assert made(sqlite_url) == made(empty_sqlite_url)


def test_a_database_path_with_a_per_cent_sign_is_found_again(tmp_path: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path}/100%25.db"
    migrations.upgrade(url)
    assert tables(url) == TABLES
