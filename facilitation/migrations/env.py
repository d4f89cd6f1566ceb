"""Runs migrations: each in a transaction, in batch mode because SQLite cannot alter a table in place."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine, event, text

from facilitation.store import Base

url = context.config.get_main_option("sqlalchemy.url") or ""
engine = create_engine(url)
if engine.dialect.name == "sqlite":
    # SQLite can roll tables back, but its driver begins no transaction for them: a start that was killed between two
    # tables would leave a database that no later start could use. IMMEDIATE, so that two starts take turns.
    @event.listens_for(engine, "connect")
    def own_transactions(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.begin() as connection:
    if engine.dialect.name == "postgresql":
        # workers that start together must not migrate together; the lock goes with the transaction
        connection.execute(text("SELECT pg_advisory_xact_lock(42194219)"))
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
    context.run_migrations()
engine.dispose()
