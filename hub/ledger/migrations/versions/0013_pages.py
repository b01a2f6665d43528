"""What pages read over years of records: an index for each list, each counter of a day once, items used.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Items used before this are not known; their reports say so no more than those of pruned content."""
    op.create_table(
        "item_use",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("owner", sa.String(length=18), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("day", "owner", "item", name=op.f("pk_item_use")),
    )
    folded, unfolded = sa.text("folded"), sa.text("NOT folded")
    op.create_index(
        "ux_tally_day",
        "tally",
        ["day", "party", "dataset", "destination", "name"],
        unique=True,
        postgresql_where=folded,
        sqlite_where=folded,
    )
    op.create_index("ix_tally_unfolded", "tally", ["id"], postgresql_where=unfolded, sqlite_where=unfolded)
    op.create_index("ix_submission_connection", "submission", ["connection", "received_at"])
    op.create_index("ix_submission_received", "submission", ["received_at"])
    judged = sa.text("state = 'judged'")
    op.create_index("ix_submission_judged", "submission", ["received_at"], postgresql_where=judged, sqlite_where=judged)
    op.create_index("ix_look_at", "look", ["at"])
    op.create_index("ix_task_sender", "task", ["sender", "due_at"], postgresql_where=_OPEN, sqlite_where=_OPEN)


def downgrade() -> None:
    """Without them."""
    op.drop_index("ix_task_sender", "task")
    op.drop_index("ix_look_at", "look")
    op.drop_index("ix_submission_judged", "submission")
    op.drop_index("ix_submission_received", "submission")
    op.drop_index("ix_submission_connection", "submission")
    op.drop_index("ix_tally_unfolded", "tally")
    op.drop_index("ux_tally_day", "tally")
    op.drop_table("item_use")
