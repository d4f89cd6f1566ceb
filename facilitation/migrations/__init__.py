"""The database's history, applied unattended when the program starts."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config


def config(url: str) -> Config:
    """Alembic's configuration for one database."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return made


def upgrade(url: str, to: str = "head") -> None:
    """Bring a database up to date; does nothing to one that is."""
    command.upgrade(config(url), to)


def downgrade(url: str, to: str) -> None:
    """Take a database back to an earlier revision."""
    command.downgrade(config(url), to)
