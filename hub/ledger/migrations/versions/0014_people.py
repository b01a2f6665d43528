"""People with names and roles, their sessions, second factors and failed log-ins.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from hub.ledger.types import Utc

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), server_default="", nullable=False)


def upgrade() -> None:
    """The tables of people."""
    op.create_table(
        "person",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        _text("roles", 200),
        _text("rights", 200),
        _text("region", 6),
        sa.Column("state", sa.String(length=8), nullable=False),
        _text("password", 200),
        sa.Column("password_at", Utc(), nullable=True),
        sa.Column("must_change", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("secret_key_ref", sa.String(length=64), nullable=True),
        sa.Column("secret_at", Utc(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("logged_in_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_person")),
    )
    op.create_index("ix_person_party", "person", ["party"])
    op.create_table(
        "session",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        _text("person", 40),
        _text("credential", 32),
        sa.Column("stage", sa.String(length=8), nullable=False),
        _text("way", 40),
        _text("address", 64),
        _text("agent", 120),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("seen_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_session")),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_session_person", "session", ["person", "ended_at"])
    op.create_index("ix_session_ends", "session", ["ends_at"])
    op.create_table(
        "recovery_code",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("used_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_recovery_code")),
    )
    op.create_index("ix_recovery_code_person", "recovery_code", ["person"])
    op.create_table(
        "login_attempt",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("until", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_login_attempt")),
    )
    op.create_index("ix_login_attempt_at", "login_attempt", ["at"])


def downgrade() -> None:
    """Without them."""
    for name in ("login_attempt", "recovery_code", "session", "person"):
        op.drop_table(name)
