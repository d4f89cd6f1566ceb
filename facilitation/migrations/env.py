"""Runs migrations: each in a transaction, in batch mode because SQLite cannot alter a table in place."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

from facilitation.store import Base

url = context.config.get_main_option("sqlalchemy.url") or ""
engine = create_engine(url)
with engine.begin() as connection:
    if engine.dialect.name == "postgresql":
        # workers that start together must not migrate together; the lock goes with the transaction
        connection.execute(text("SELECT pg_advisory_xact_lock(42194219)"))
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
    context.run_migrations()
engine.dispose()
