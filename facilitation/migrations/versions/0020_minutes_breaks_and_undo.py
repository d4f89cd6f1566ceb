"""What the console needs to keep time, to announce a break, and to put back what was removed by mistake"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workshops", sa.Column("turned_at", sa.Double(), nullable=True))
    op.add_column("workshops", sa.Column("back_at", sa.DateTime(), nullable=True))
    op.add_column("workshops", sa.Column("removed", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("agenda", sa.Column("spent", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("agenda", "spent")
    op.drop_column("workshops", "removed")
    op.drop_column("workshops", "back_at")
    op.drop_column("workshops", "turned_at")
