"""Sessions in which nobody meets: rehearsals and the example"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workshops", sa.Column("kind", sa.String(), server_default="session", nullable=False))


def downgrade() -> None:
    # what knows no kinds would take them for real ones
    op.execute("UPDATE workshops SET title = 'Rehearsal, not real: ' || title WHERE kind <> 'session'")
    op.drop_column("workshops", "kind")
