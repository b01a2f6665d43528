"""Attachments: who handed them over, their bytes, and who may fetch them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.ledger.types import Utc

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bytes_id", sa.Uuid(), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=120), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scanned", sa.Boolean(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by", sa.String(length=80), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment_digest", "attachment", ["digest"])
    op.create_table(
        "attachment_part",
        sa.Column("bytes_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("key_ref", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("bytes_id", "part", name=op.f("pk_attachment_part")),
    )
    op.create_table(
        "attachment_grant",
        sa.Column("attachment_id", sa.Uuid(), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("attachment_id", "party", name=op.f("pk_attachment_grant")),
    )
