"""What lookups filled into records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "filled",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("key_ref", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("submission_id", "row_no", name=op.f("pk_filled")),
    )
