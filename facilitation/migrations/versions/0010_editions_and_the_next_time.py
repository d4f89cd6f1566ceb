"""Editions of frameworks, and sessions that continue an earlier one"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "frameworks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("added_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_frameworks")),
        sa.UniqueConstraint("key", "edition", name=op.f("uq_frameworks_key")),
        sqlite_autoincrement=True,
    )
    op.add_column("workshops", sa.Column("continues", sa.Integer(), nullable=True))
    op.add_column("workshops", sa.Column("carried", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("workshops", "carried")
    op.drop_column("workshops", "continues")
    op.drop_table("frameworks")
