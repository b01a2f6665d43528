"""The last hand-over that failed, of a party and of a connection: found at once, however long ago it was.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_FAILED = sa.text("problem <> ''")


def upgrade() -> None:
    """Few hand-overs fail as a whole: both indexes stay small."""
    for whose in ("party", "connection"):
        op.create_index(
            f"ix_submission_failed_{whose}",
            "submission",
            [whose, "received_at"],
            postgresql_where=_FAILED,
            sqlite_where=_FAILED,
        )


def downgrade() -> None:
    """Without them."""
    op.drop_index("ix_submission_failed_connection", "submission")
    op.drop_index("ix_submission_failed_party", "submission")
