"""The database's history: up, down and up again, and never another shape than the program's own tables."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy
from alembic import autogenerate
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from facilitation import deciding, hallmarks, migrations, store, workshop
from facilitation.store import Ballot, Base, Capability, Round, Workshop
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
        here = made.agenda[0].id
        deciding.write_note(session, made.id, here, "People know it by heart", 0)
        deciding.agree(session, made.id, here, "4", "Nobody disagreed", 0)
        deciding.add_action(session, made.id, "Invite the school", here)
        deciding.park(session, made.id, "The roof", None)
    engine.dispose()
    return count(url)


def count(url: str) -> dict[str, int]:
    """How many rows each table has."""
    engine = sqlalchemy.create_engine(url)
    with Session(engine) as session:
        found = {
            name: session.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }
    engine.dispose()
    return found


def count_of(url: str, table: str) -> int:
    """How many rows this table has, whatever the program of today thinks of its columns."""
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        found: int = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
    engine.dispose()
    return found


# A session as the first release left it in the database, in the middle of its second question.
FIRST_RELEASE = (
    "INSERT INTO issued_codes VALUES ('482739')",
    """INSERT INTO workshops (id, code, join_token, key, title, museum, held_on, framework, edition, k, mode, locked,
    joined, stage, agenda_id, round_id, version, tick, overlay, theme, zoom, prompt, wifi_name, wifi_password,
    created_at) VALUES (7, '482739', 'mZ1xT0a9QnE', NULL, 'Away day', 'Tide Mill', '2026-06-02', 'hallmarks', '2026', 5,
    'live', {no}, 6, 'discussion', 3, 4, 9, 2, '', 'light', 100, 0, '', '', '2026-06-02 09:00:00')""",
    """INSERT INTO agenda (id, workshop_id, position, key, number, hallmark, hallmark_title, text, short, prompt,
    attribution, scale, labels, minutes) VALUES (3, 7, 1, 'purpose-01', '1.1', 'purpose', '{{"en": "Purpose"}}',
    '{{"en": "How well?"}}', '{{"en": "Purpose known"}}', '{{}}', '{{}}', 'quality', '[{{"en": "Poorly"}}]', 10)""",
    """INSERT INTO rounds (id, workshop_id, agenda_id, ordinal, number, mode, state, released, ballots_cast, counts)
    VALUES (4, 7, 3, 1, 1, 'live', 'counted', {yes}, 6,
    '{{"1": 0, "2": 1, "3": 2, "4": 3, "5": 0, "DK": 0, "NR": 0}}')""",
    "INSERT INTO capabilities (token_hash, role, workshop_id) VALUES ('ab12', 'facilitator', 7)",
)


def test_a_session_of_the_first_release_goes_on_where_it_was(empty_database_url: str) -> None:
    migrations.upgrade(empty_database_url, "0001")
    engine = sqlalchemy.create_engine(empty_database_url)
    no, yes = ("0", "1") if engine.dialect.name == "sqlite" else ("false", "true")
    with engine.begin() as connection:
        for statement in FIRST_RELEASE:
            connection.exec_driver_sql(statement.format(no=no, yes=yes))
    migrations.upgrade(empty_database_url)
    with Session(engine) as session:
        found = session.get_one(Workshop, 7)
        assert (found.title, found.stage, found.roles) == ("Away day", "discussion", False)
        assert [(item.key, item.options) for item in found.agenda] == [("purpose-01", None)]
        round_ = session.get_one(Round, 4)
        assert round_.released
        assert (round_.counts or {})["4"] == 3
        assert (round_.groups, round_.people) == (None, None)
        assert session.get_one(Capability, "ab12").expires_at is None
        assert deciding.add_action(session, 7, "Invite the school", 3) == 1
    engine.dispose()


def test_up_makes_every_table_and_again_changes_nothing(empty_database_url: str) -> None:
    migrations.upgrade(empty_database_url)
    assert tables(empty_database_url) == TABLES
    rows = fill(empty_database_url)
    assert all(rows.values())
    migrations.upgrade(empty_database_url)
    assert count(empty_database_url) == rows


def test_down_with_rows_and_up_again(empty_database_url: str) -> None:
    migrations.upgrade(empty_database_url)
    fill(empty_database_url)
    migrations.downgrade(empty_database_url, "base")
    assert tables(empty_database_url) == set()
    migrations.upgrade(empty_database_url)
    assert {name for name, rows in count(empty_database_url).items() if rows} == {"installation"}
    assert all(fill(empty_database_url).values())


def test_every_step_can_be_taken_back_and_made_again_with_rows_in_the_tables(empty_database_url: str) -> None:
    steps = [
        step.revision for step in ScriptDirectory.from_config(migrations.config(empty_database_url)).walk_revisions()
    ]
    migrations.upgrade(empty_database_url)
    fill(empty_database_url)
    for step in steps[1:]:
        migrations.downgrade(empty_database_url, step)
        left = [name for name in tables(empty_database_url) if count_of(empty_database_url, name)]
        migrations.upgrade(empty_database_url)
        assert [name for name in left if not count_of(empty_database_url, name)] == []


def test_history_is_one_line(empty_sqlite_url: str) -> None:
    script = ScriptDirectory.from_config(migrations.config(empty_sqlite_url))
    assert len(script.get_heads()) == len(script.get_bases()) == 1


@pytest.mark.both_databases
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
