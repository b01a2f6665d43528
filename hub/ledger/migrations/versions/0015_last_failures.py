"""The last hand-over that failed, of a party and of a connection, and records of a person: found at once.

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
_PERSON = sa.text("subject_index IS NOT NULL")


def upgrade() -> None:
    """Few hand-overs fail as a whole, and few records are about persons: the indexes stay small."""
    for whose in ("party", "connection"):
        op.create_index(
            f"ix_submission_failed_{whose}",
            "submission",
            [whose, "received_at"],
            postgresql_where=_FAILED,
            sqlite_where=_FAILED,
        )
    op.create_index(
        "ix_record_head_person",
        "record_head",
        ["subject_index"],
        postgresql_where=_PERSON,
        sqlite_where=_PERSON,
    )


def downgrade() -> None:
    """Without them."""
    op.drop_index("ix_record_head_person", "record_head")
    op.drop_index("ix_submission_failed_connection", "submission")
    op.drop_index("ix_submission_failed_party", "submission")
