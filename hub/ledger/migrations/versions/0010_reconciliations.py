"""Reconciliations: what each comparison came to, and which records differ.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from hub.ledger.types import Utc

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What comparisons came to."""
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("counterpart", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("period_begin", sa.Date(), nullable=True),
        sa.Column("period_end", sa.Date(), nullable=True),
        sa.Column("agrees", sa.Boolean(), nullable=False),
        sa.Column("ours", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("missing", sa.Integer(), server_default="0", nullable=False),
        sa.Column("extra", sa.Integer(), server_default="0", nullable=False),
        sa.Column("differs", sa.Integer(), server_default="0", nullable=False),
        sa.Column("under_way", sa.Integer(), server_default="0", nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("millis", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation"),
    )
    op.create_index("ix_reconciliation_at", "reconciliation", ["at"])
    op.create_index(
        "ix_reconciliation_what", "reconciliation", ["way", "counterpart", "party", "dataset", "period_begin"]
    )
    op.create_table(
        "reconciliation_difference",
        sa.Column("reconciliation_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("owner", sa.String(length=18), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("cd_id", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("reconciliation_id", "no", name="pk_reconciliation_difference"),
    )
    op.create_index("ix_reconciliation_difference_party", "reconciliation_difference", ["party"])


def downgrade() -> None:
    """Without them."""
    op.drop_table("reconciliation_difference")
    op.drop_table("reconciliation")
