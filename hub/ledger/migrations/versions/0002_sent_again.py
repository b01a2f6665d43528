"""Parcels that a person had sent again; hand-overs that came through other hubs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.ledger.types import Utc

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parcel", sa.Column("resent_at", Utc(), nullable=True))
    op.create_table(
        "origin_revision",
        sa.Column("key_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("owner", sa.String(length=18), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", "owner", name=op.f("pk_origin_revision")),
    )
    op.add_column("submission", sa.Column("hops", sa.Text(), server_default="", nullable=False))
