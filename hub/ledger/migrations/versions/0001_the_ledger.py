"""The ledger as it begins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.ledger.types import Utc

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempt",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("error_code", sa.String(length=40), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("next_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("month", "parcel_id", "no", name=op.f("pk_attempt")),
        postgresql_partition_by="LIST (month)",
    )
    op.create_table(
        "bookmark",
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "name", name=op.f("pk_bookmark")),
    )
    op.create_table(
        "case_",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("class", sa.String(length=1), nullable=False),
        sa.Column("state", sa.String(length=1), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=64), server_default="", nullable=False),
        sa.Column("owner", sa.String(length=18), server_default="", nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=16), nullable=True),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("row_no", sa.Integer(), nullable=True),
        sa.Column("destination", sa.String(length=64), server_default="", nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("period_begin", sa.Date(), nullable=True),
        sa.Column("period_end", sa.Date(), nullable=True),
        sa.Column("opened_at", Utc(), nullable=False),
        sa.Column("last_at", Utc(), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("due_at", Utc(), nullable=True),
        sa.Column("due_missing", sa.String(length=80), server_default="", nullable=False),
        sa.Column("closed_at", Utc(), nullable=True),
        sa.Column("closed_by", sa.String(length=80), server_default="", nullable=False),
        sa.Column("closing_id", sa.Uuid(), nullable=True),
        sa.Column("closing_row", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_")),
    )
    with op.batch_alter_table("case_", schema=None) as batch_op:
        batch_op.create_index(
            "ix_case_open_due",
            ["due_at"],
            unique=False,
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_case_open_party",
            ["party"],
            unique=False,
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index("ix_case_submission", ["submission_id"], unique=False)
        batch_op.create_index(
            "ux_case_open_key",
            ["key_hash", "owner", "class", "destination"],
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL AND key_hash IS NOT NULL"),
            sqlite_where=sa.text("closed_at IS NULL AND key_hash IS NOT NULL"),
        )

    op.create_table(
        "chunk",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("dataset_version", sa.String(length=20), nullable=False),
        sa.Column("mapping", sa.String(length=120), nullable=False),
        sa.Column("first_row", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("member", sa.String(length=255), server_default="", nullable=False),
        sa.Column("raw_offset", sa.BigInteger(), nullable=True),
        sa.Column("resume_from", sa.Text(), server_default="", nullable=False),
        sa.Column("stored_at", Utc(), nullable=False),
        sa.Column("key_ref", sa.String(length=64), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("common", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("month", "submission_id", "seq", name=op.f("pk_chunk")),
        postgresql_partition_by="LIST (month)",
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("rights", sa.String(length=200), server_default="", nullable=False),
        sa.Column("note", sa.String(length=200), server_default="", nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by", sa.String(length=80), server_default="", nullable=False),
        sa.Column("expires_at", Utc(), nullable=True),
        sa.Column("revoked_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential")),
        sa.UniqueConstraint("hash"),
    )
    op.create_table(
        "crosswalk",
        sa.Column("mapping", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("mapping", "name", "source", name=op.f("pk_crosswalk")),
    )
    op.create_table(
        "delivery",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("month", "submission_id", "row_no", "destination", name=op.f("pk_delivery")),
        postgresql_partition_by="LIST (month)",
    )
    op.create_table(
        "destination_state",
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("probe_at", Utc(), nullable=True),
        sa.Column("last_success", Utc(), nullable=True),
        sa.Column("last_failure", Utc(), nullable=True),
        sa.Column("changed_by", sa.String(length=80), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("destination", name=op.f("pk_destination_state")),
    )
    op.create_table(
        "finding",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("element", sa.String(length=64), server_default="", nullable=False),
        sa.Column("field", sa.String(length=255), server_default="", nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.Column("params", sa.Text(), server_default="{}", nullable=False),
        sa.Column("level", sa.String(length=10), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("month", "submission_id", "row_no", "no", name=op.f("pk_finding")),
        postgresql_partition_by="LIST (month)",
    )
    op.create_table(
        "generation",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by", sa.String(length=80), server_default="", nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_generation")),
    )
    op.create_table(
        "hold",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("owner", sa.String(length=18), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("wait_for", sa.LargeBinary(length=16), nullable=True),
        sa.Column("opened_at", Utc(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("ending", sa.String(length=12), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "row_no", name=op.f("pk_hold")),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index(
            "ix_hold_open",
            ["key_hash"],
            unique=False,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "journal",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("parcel_id", sa.Uuid(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index("ix_journal_submission", ["submission_id"], unique=False)

    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("until", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "number",
        sa.Column("series", sa.String(length=120), nullable=False),
        sa.Column("day", sa.String(length=8), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", "day", name=op.f("pk_number")),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("exchange", sa.String(length=32), nullable=False),
        sa.Column("routing_key", sa.String(length=160), nullable=False),
        sa.Column("queue", sa.String(length=120), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_due", ["due_at"], unique=False)
        batch_op.create_index("ix_outbox_queue", ["queue", "due_at"], unique=False)

    op.create_table(
        "parcel",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("dataset_version", sa.String(length=20), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("first_row", sa.Integer(), nullable=False),
        sa.Column("last_row", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("batch", sa.String(length=50), server_default="", nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", Utc(), nullable=True),
        sa.Column("published_at", Utc(), nullable=True),
        sa.Column("publishes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("waits_for", sa.Uuid(), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("sent_at", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("accepted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error_code", sa.String(length=40), server_default="", nullable=False),
        sa.Column("error_text", sa.Text(), server_default="", nullable=False),
        sa.Column("hops", sa.Text(), server_default="", nullable=False),
        sa.Column("traceparent", sa.String(length=64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("month", "id", name=op.f("pk_parcel")),
        postgresql_partition_by="LIST (month)",
    )
    with op.batch_alter_table("parcel", schema=None) as batch_op:
        batch_op.create_index(
            "ix_parcel_open",
            ["destination", "state", "due_at"],
            unique=False,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index("ix_parcel_submission", ["submission_id"], unique=False)
        batch_op.create_index(
            "ix_parcel_waits_for",
            ["waits_for"],
            unique=False,
            postgresql_where=sa.text("waits_for IS NOT NULL"),
            sqlite_where=sa.text("waits_for IS NOT NULL"),
        )

    op.create_table(
        "payload",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("raw_size", sa.Integer(), nullable=False),
        sa.Column("key_ref", sa.String(length=64), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month", "submission_id", "part", name=op.f("pk_payload")),
        postgresql_partition_by="LIST (month)",
    )
    op.create_table(
        "receipt",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("speaker", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("accepted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("received_at", Utc(), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("month", "id", name=op.f("pk_receipt")),
        postgresql_partition_by="LIST (month)",
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index("ix_receipt_submission", ["submission_id"], unique=False)

    op.create_table(
        "record",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=16), nullable=True),
        sa.Column("owner", sa.String(length=18), nullable=False),
        sa.Column("cd_id", sa.String(length=100), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=1), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("event_date", sa.String(length=10), nullable=False),
        sa.Column("twin_id", sa.Uuid(), nullable=True),
        sa.Column("twin_row", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("month", "submission_id", "row_no", name=op.f("pk_record")),
        postgresql_partition_by="LIST (month)",
    )
    op.create_table(
        "record_head",
        sa.Column("key_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("owner", sa.String(length=18), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("cd_id", sa.String(length=100), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=1), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("subject", sa.String(length=64), server_default="", nullable=False),
        sa.Column("subject_index", sa.LargeBinary(), nullable=True),
        sa.Column("event_date", sa.String(length=10), server_default="", nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", "owner", name=op.f("pk_record_head")),
    )
    with op.batch_alter_table("record_head", schema=None) as batch_op:
        batch_op.create_index(
            "ix_record_head_subject",
            ["subject"],
            unique=False,
            postgresql_where=sa.text("subject != ''"),
            sqlite_where=sa.text("subject != ''"),
        )

    op.create_table(
        "seal",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal")),
    )
    op.create_table(
        "submission",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receipt_no", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=200), server_default="", nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("report_way", sa.String(length=1), server_default="4", nullable=False),
        sa.Column("test", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("kind", sa.String(length=16), server_default="submission", nullable=False),
        sa.Column("origin_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("content_type", sa.String(length=120), server_default="", nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=16), server_default="", nullable=False),
        sa.Column("encoding", sa.String(length=32), server_default="", nullable=False),
        sa.Column("decoded_by", sa.String(length=16), server_default="", nullable=False),
        sa.Column("traceparent", sa.String(length=64), server_default="", nullable=False),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("problem", sa.String(length=40), server_default="", nullable=False),
        sa.Column("problem_detail", sa.Text(), server_default="", nullable=False),
        sa.Column("received_at", Utc(), nullable=False),
        sa.Column("judged_at", Utc(), nullable=True),
        sa.Column("settled_at", Utc(), nullable=True),
        sa.Column("due_at", Utc(), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("chunks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("bookmark", sa.Text(), server_default="", nullable=False),
        sa.Column("read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("accepted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("held", sa.Integer(), server_default="0", nullable=False),
        sa.Column("duplicate", sa.Integer(), server_default="0", nullable=False),
        sa.Column("open_parcels", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "state IN ('received', 'translating', 'stalled') OR read = accepted + rejected + held + duplicate",
            name="submission_counts_add_up",
        ),
        sa.PrimaryKeyConstraint("month", "id", name=op.f("pk_submission")),
        postgresql_partition_by="LIST (month)",
    )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.create_index("ix_submission_party", ["party", "received_at"], unique=False)
        batch_op.create_index(
            "ix_submission_origin",
            ["origin_id"],
            unique=False,
            postgresql_where=sa.text("origin_id IS NOT NULL"),
            sqlite_where=sa.text("origin_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_submission_unfinished",
            ["state", "due_at"],
            unique=False,
            postgresql_where=sa.text("state IN ('received', 'translating', 'stalled')"),
            sqlite_where=sa.text("state IN ('received', 'translating', 'stalled')"),
        )
        batch_op.create_index("ux_submission_receipt_no", ["month", "receipt_no"], unique=True)

    op.create_table(
        "submission_key",
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "external_id", name=op.f("pk_submission_key")),
    )
    op.create_table(
        "tally",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False
        ),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("folded", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally")),
    )
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.create_index("ix_tally_day", ["day", "party", "dataset"], unique=False)
