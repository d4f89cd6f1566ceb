"""Runs migrations: each in a transaction, in batch mode because SQLite cannot alter a table in place."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

from facilitation.store import Base, begin_ourselves

url = context.config.get_main_option("sqlalchemy.url") or ""
# In one transaction on SQLite too: a start that was killed between two tables would leave a database that no later
# start could use. Immediate, so that two starts take turns.
engine = begin_ourselves(create_engine(url)).execution_options(immediate=True)
with engine.begin() as connection:
    if engine.dialect.name == "postgresql":
        # workers that start together must not migrate together; the lock goes with the transaction
        connection.execute(text("SELECT pg_advisory_xact_lock(42194219)"))
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
    context.run_migrations()
engine.dispose()
