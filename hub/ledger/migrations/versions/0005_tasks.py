"""Tasks that must be answered, and the steps that were taken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.ledger.types import Utc

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("number", sa.String(length=200), nullable=False),
        sa.Column("addressed", sa.String(length=40), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("assignee", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("opened_at", Utc(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("whole_due_at", Utc(), nullable=True),
        sa.Column("due_at", Utc(), nullable=True),
        sa.Column("due_missing", sa.String(length=80), server_default="", nullable=False),
        sa.Column("item", sa.String(length=100), server_default="", nullable=False),
        sa.Column("region", sa.String(length=12), server_default="", nullable=False),
        sa.Column("urged", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("urge_at", Utc(), nullable=True),
        sa.Column("escalated_at", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index("ix_task_identity", "task", ["flow", "source", "number", "addressed"], unique=True)
    op.create_index(
        "ix_task_assignee",
        "task",
        ["assignee", "due_at"],
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    for name, columns in (("ix_task_number", ["flow", "number"]), ("ix_task_urge", ["urge_at"])):
        op.create_index(
            name,
            "task",
            columns,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )
    op.create_index("ix_task_submission", "task", ["submission_id"])
    op.create_table(
        "task_step",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=True),
        sa.Column("key_ref", sa.String(length=64), nullable=True),
        sa.Column("connection", sa.String(length=64), server_default="", nullable=False),
        sa.Column("dataset", sa.String(length=64), server_default="", nullable=False),
        sa.Column("receipt_no", sa.String(length=24), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("task_id", "no", name=op.f("pk_task_step")),
    )
    op.create_index(
        "ix_task_step_unsent",
        "task_step",
        ["at"],
        postgresql_where=sa.text("connection <> '' AND receipt_no = ''"),
        sqlite_where=sa.text("connection <> '' AND receipt_no = ''"),
    )
