"""A parcel that a person had sent again."""

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
