"""The language, or the two, that the shared screen speaks"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workshops", sa.Column("screen_language", sa.String(), nullable=False, server_default="en"))


def downgrade() -> None:
    op.drop_column("workshops", "screen_language")
