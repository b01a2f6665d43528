"""Failure groups: a case knows element, rule and pattern of its value, its cause, and when it was taken up.

Replays may take their records from a later stage.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from hub.ledger.types import Utc
from standards.digest import sm3

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WORDS = ("class", "party", "dataset", "destination", "code")


def upgrade() -> None:
    """What makes a group; open cases of before are grouped by what is known of them."""
    with op.batch_alter_table("case_") as table:
        for name, length in (("element", 64), ("rule", 64), ("pattern", 80), ("cause", 16), ("taken_by", 80)):
            table.add_column(sa.Column(name, sa.String(length=length), server_default="", nullable=False))
        table.add_column(sa.Column("taken_at", Utc(), nullable=True))
    with op.batch_alter_table("replay") as table:
        table.add_column(sa.Column("stage", sa.String(length=10), server_default="raw", nullable=False))
        table.add_column(sa.Column("sure", sa.String(length=200), server_default="", nullable=False))
    with op.batch_alter_table("replay_part") as table:
        table.add_column(sa.Column("parcel_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("begun_at", Utc(), nullable=True))
    _name_causes()
    still_open = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_case_open_cause",
        "case_",
        ["cause", "opened_at"],
        postgresql_where=still_open,
        sqlite_where=still_open,
    )


def _name_causes() -> None:
    connection = op.get_bind()
    table = sa.table("case_", *(sa.column(name) for name in (*_WORDS, "cause", "closed_at")))
    words = [table.c[name] for name in _WORDS]
    for row in connection.execute(sa.select(*words).where(table.c.closed_at.is_(None)).distinct()).all():
        same = [column == value for column, value in zip(words, row, strict=True)]
        values = {"cause": sm3("\x1f".join((*row, "", "", "")).encode()).hex()[:16]}
        connection.execute(sa.update(table).where(*same, table.c.closed_at.is_(None)).values(values))


def downgrade() -> None:
    """Without it."""
    op.drop_index("ix_case_open_cause", "case_")
    with op.batch_alter_table("replay_part") as table:
        for name in ("begun_at", "parcel_id"):
            table.drop_column(name)
    with op.batch_alter_table("replay") as table:
        for name in ("sure", "stage"):
            table.drop_column(name)
    with op.batch_alter_table("case_") as table:
        for name in ("taken_at", "taken_by", "cause", "pattern", "rule", "element"):
            table.drop_column(name)
