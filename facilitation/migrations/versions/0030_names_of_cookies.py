"""What the names of this database's cookies end in, so that two programs on one computer do not take each other's"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table("installation", sa.Column("mark", sa.String(), primary_key=True))
    # whoever is signed in to a program that has run already stays so: its cookies keep their names
    has_run = op.get_bind().execute(sa.text("SELECT 1 FROM capabilities")).first() is not None
    op.bulk_insert(table, [{"mark": "" if has_run else f"_{secrets.token_hex(3)}"}])


def downgrade() -> None:
    op.drop_table("installation")
