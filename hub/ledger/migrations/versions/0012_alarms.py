"""Alarms, what contacts are told of them, and canaries.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

from hub.ledger.types import Utc

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OPEN = sa.text("recovered_at IS NULL")
_UNSENT = sa.text("sent_at IS NULL AND given_up_at IS NULL")


def upgrade() -> None:
    """Their tables."""
    op.create_table(
        "alarm",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("grave", sa.Boolean(), nullable=False),
        sa.Column("opened_at", Utc(), nullable=False),
        sa.Column("seen_at", Utc(), nullable=False),
        sa.Column("recovered_at", Utc(), nullable=True),
        sa.Column("acknowledged_at", Utc(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    op.create_index(
        "ux_alarm_open", "alarm", ["rule", "subject"], unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN
    )
    op.create_index("ix_alarm_opened_at", "alarm", ["opened_at"])
    op.create_table(
        "alarm_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("alarm_id", sa.Uuid(), nullable=False),
        sa.Column("contact", sa.String(length=64), nullable=False),
        sa.Column("says", sa.String(length=12), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", Utc(), nullable=True),
        sa.Column("given_up_at", Utc(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_message")),
    )
    op.create_index("ux_alarm_message_once", "alarm_message", ["alarm_id", "contact", "says"], unique=True)
    op.create_index(
        "ix_alarm_message_unsent", "alarm_message", ["due_at"], postgresql_where=_UNSENT, sqlite_where=_UNSENT
    )
    op.create_table(
        "canary",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.String(length=64), nullable=False),
        sa.Column("inward", sa.Boolean(), nullable=False),
        sa.Column("reach", sa.String(length=12), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("judged_at", Utc(), nullable=True),
        sa.Column("sent_at", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canary")),
    )
    op.create_index("ix_canary_way", "canary", ["way", "started_at"])


def downgrade() -> None:
    """Without them."""
    op.drop_table("canary")
    op.drop_table("alarm_message")
    op.drop_table("alarm")
