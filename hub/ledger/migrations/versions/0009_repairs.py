"""Repairs: a replay may mend the records it takes through, wait for a second person, and be undone.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What a replay mends."""
    with op.batch_alter_table("replay") as table:
        table.add_column(sa.Column("repair", sa.Text(), server_default="", nullable=False))
        table.add_column(sa.Column("consent", sa.String(length=200), server_default="", nullable=False))
        table.add_column(sa.Column("approved_by", sa.String(length=80), server_default="", nullable=False))
        table.add_column(sa.Column("undoes", sa.Uuid(), nullable=True))
    op.create_index("ux_replay_undoes", "replay", ["undoes"], unique=True)


def downgrade() -> None:
    """Without it."""
    op.drop_index("ux_replay_undoes", "replay")
    with op.batch_alter_table("replay") as table:
        for name in ("undoes", "approved_by", "consent", "repair"):
            table.drop_column(name)
