"""How many people were in the room when a vote was closed, so that “11 of 12” stays true when somebody comes later"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rounds", sa.Column("people", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("rounds", "people")
