"""The tables of the ledger.

Small unpartitioned tables hold uniqueness and outlive content (`submission_key`, `record_head`, `hold`, `case_`);
tables with a `month` hold history and are partitioned by it on PostgreSQL.  `month` is that of the submission or
parcel identifier the row belongs to, so whoever knows the identifier knows the partition.

On the bulk path rows are appended, not updated: a delivery without a state of its own is as its parcel.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    false,
    text,
)

from hub.ledger.types import Utc

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"},
)

_Serial = BigInteger().with_variant(Integer(), "sqlite")

#: PostgreSQL keeps each month apart; SQLite ignores it.
_BY_MONTH: Any = {"postgresql_partition_by": "LIST (month)"}


def _month(primary: bool = True) -> Column[int]:
    return Column("month", Integer, primary_key=primary, nullable=False, autoincrement=False)


# What was handed over ------------------------------------------------------------------------------------------

submission = Table(
    "submission",
    metadata,
    _month(),
    Column("id", Uuid, primary_key=True),
    Column("receipt_no", String(24), nullable=False),
    Column("version", Integer, nullable=False, server_default="0"),  # of the receipt
    Column("party", String(64), nullable=False),
    Column("connection", String(64), nullable=False),
    Column("dataset", String(64), nullable=False),
    Column("external_id", String(200), nullable=False, server_default=""),
    Column("lane", String(8), nullable=False),
    Column("report_way", String(1), nullable=False, server_default="4"),
    Column("test", Boolean, nullable=False, server_default=text("false")),
    Column("kind", String(16), nullable=False, server_default="submission"),  # submission, parcel, replay, repair
    Column("origin_id", Uuid),  # what it replays or repairs
    Column("name", String(255), nullable=False, server_default=""),
    Column("content_type", String(120), nullable=False, server_default=""),
    Column("size", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),  # SM3 of the raw bytes
    Column("format", String(16), nullable=False, server_default=""),
    Column("encoding", String(32), nullable=False, server_default=""),
    Column("decoded_by", String(16), nullable=False, server_default=""),
    Column("traceparent", String(64), nullable=False, server_default=""),
    Column("hops", Text, nullable=False, server_default=""),  # hubs it has passed
    Column("generation", Integer),
    Column("state", String(12), nullable=False),
    Column("problem", String(40), nullable=False, server_default=""),  # code of what makes it unreadable or stalled
    Column("problem_detail", Text, nullable=False, server_default=""),  # JSON: both languages, hint, place
    Column("received_at", Utc, nullable=False),
    Column("judged_at", Utc),
    Column("settled_at", Utc),
    Column("due_at", Utc),  # when the work on it is published again
    Column("lease_owner", String(80)),
    Column("lease_until", Utc),
    Column("chunks", Integer, nullable=False, server_default="0"),  # stored so far
    Column("bookmark", Text, nullable=False, server_default=""),  # where reading goes on after a crash
    Column("read", Integer, nullable=False, server_default="0"),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("rejected", Integer, nullable=False, server_default="0"),
    Column("held", Integer, nullable=False, server_default="0"),
    Column("duplicate", Integer, nullable=False, server_default="0"),
    Column("open_parcels", Integer, nullable=False, server_default="0"),
    CheckConstraint(
        "state IN ('received', 'translating', 'stalled') OR read = accepted + rejected + held + duplicate",
        name="submission_counts_add_up",
    ),
    **_BY_MONTH,
)
Index("ux_submission_receipt_no", submission.c.month, submission.c.receipt_no, unique=True)
Index(
    "ix_submission_unfinished",
    submission.c.state,
    submission.c.due_at,
    postgresql_where=submission.c.state.in_(("received", "translating", "stalled")),
    sqlite_where=submission.c.state.in_(("received", "translating", "stalled")),
)
Index("ix_submission_party", submission.c.party, submission.c.received_at)
Index("ix_submission_connection", submission.c.connection, submission.c.received_at)
Index("ix_submission_received", submission.c.received_at)
Index(
    "ix_submission_judged",
    submission.c.received_at,
    postgresql_where=text("state = 'judged'"),
    sqlite_where=text("state = 'judged'"),
)
Index(
    "ix_submission_origin",
    submission.c.origin_id,
    postgresql_where=submission.c.origin_id.isnot(None),
    sqlite_where=submission.c.origin_id.isnot(None),
)

#: A hand-over that could not be read, or that wrong settings stop.  SQLite knows the index by these very words.
FAILED = text("problem <> ''")
for _whose in (submission.c.party, submission.c.connection):
    Index(
        f"ix_submission_failed_{_whose.name}",
        _whose,
        submission.c.received_at,
        postgresql_where=FAILED,
        sqlite_where=FAILED,
    )

submission_key = Table(
    "submission_key",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("external_id", String(200), primary_key=True),
    Column("submission_id", Uuid, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created_at", Utc, nullable=False),
)

payload = Table(
    "payload",
    metadata,
    _month(),
    Column("submission_id", Uuid, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("raw_size", Integer, nullable=False),
    Column("key_ref", String(64)),
    Column("data", LargeBinary, nullable=False),  # zstd, then the vault where a key is set
    **_BY_MONTH,
)

# What became of it ---------------------------------------------------------------------------------------------

chunk = Table(
    "chunk",
    metadata,
    _month(),
    Column("submission_id", Uuid, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("dataset", String(64), nullable=False),
    Column("dataset_version", String(20), nullable=False),
    Column("mapping", String(120), nullable=False),
    Column("first_row", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("member", String(255), nullable=False, server_default=""),
    Column("raw_offset", BigInteger),
    Column("resume_from", Text, nullable=False, server_default=""),  # bookmark of the chunk before
    Column("stored_at", Utc, nullable=False),
    Column("key_ref", String(64)),
    Column("content", LargeBinary),  # zstd NDJSON: canonical content of its records, in order; pruned first
    Column("common", LargeBinary),  # the same for common elements the sender gave; NULL when it gave none
    **_BY_MONTH,
)

record = Table(
    "record",
    metadata,
    _month(),
    Column("submission_id", Uuid, primary_key=True),
    Column("row_no", Integer, primary_key=True, autoincrement=False),  # 1 is the first record of the hand-over
    Column("chunk", Integer, nullable=False),
    Column("idx", Integer),  # its line in the chunk's content; NULL when it has none
    Column("place", Text, nullable=False),
    Column("verdict", String(10), nullable=False),
    Column("key_hash", LargeBinary(16)),  # NULL where the natural key could not be read
    Column("owner", String(18), nullable=False),
    Column("cd_id", String(100), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("operation", String(1), nullable=False),
    Column("digest", LargeBinary),
    Column("event_date", String(10), nullable=False),
    Column("twin_id", Uuid),  # of a duplicate: who holds it; of a revision: the one before
    Column("twin_row", Integer),
    **_BY_MONTH,
)

record_head = Table(
    "record_head",
    metadata,
    Column("key_hash", LargeBinary(16), primary_key=True),
    Column("owner", String(18), primary_key=True),
    Column("dataset", String(64), nullable=False),
    Column("cd_id", String(100), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("operation", String(1), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("subject", String(64), nullable=False, server_default=""),
    Column("subject_index", LargeBinary),  # blind index where the subject is a person
    Column("event_date", String(10), nullable=False, server_default=""),
    Column("party", String(64), nullable=False),
    Column("submission_id", Uuid, nullable=False),
    Column("row_no", Integer, nullable=False),
    Column("refused", Boolean, nullable=False, server_default=false()),  # by a receiver, at this revision
    Column("updated_at", Utc, nullable=False),
)
Index(
    "ix_record_head_person",
    record_head.c.subject_index,
    postgresql_where=record_head.c.subject_index.isnot(None),
    sqlite_where=record_head.c.subject_index.isnot(None),
)
Index(
    "ix_record_head_subject",
    record_head.c.subject,
    postgresql_where=record_head.c.subject != "",
    sqlite_where=record_head.c.subject != "",
)

item_use = Table(  # that a behaviour of this day under this main item was accepted; kept for ever
    "item_use",
    metadata,
    Column("day", String(10), primary_key=True),  # of the event
    Column("owner", String(18), primary_key=True),
    Column("item", String(8), primary_key=True),
)

origin_revision = Table(  # of records that another hub hands over: its own count of revisions
    "origin_revision",
    metadata,
    Column("key_hash", LargeBinary(16), primary_key=True),
    Column("owner", String(18), primary_key=True),
    Column("revision", Integer, nullable=False),
)

finding = Table(
    "finding",
    metadata,
    _month(),
    Column("submission_id", Uuid, primary_key=True),
    Column("row_no", Integer, primary_key=True, autoincrement=False),  # 0: about the whole hand-over
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("party", String(64), nullable=False),
    Column("dataset", String(64), nullable=False),
    Column("element", String(64), nullable=False, server_default=""),
    Column("field", String(255), nullable=False, server_default=""),
    Column("place", Text, nullable=False, server_default=""),
    Column("code", String(40), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("value", Text, nullable=False, server_default=""),  # masked where the element is personal
    Column("params", Text, nullable=False, server_default="{}"),
    Column("level", String(10), nullable=False, server_default=""),  # who found it; '' this hub
    **_BY_MONTH,
)

filled = Table(  # what lookups filled in; goes with the content
    "filled",
    metadata,
    Column("submission_id", Uuid, primary_key=True),
    Column("row_no", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),  # JSON: element and value, closed as content is
    Column("key_ref", String(64)),
)

hold = Table(
    "hold",
    metadata,
    Column("submission_id", Uuid, primary_key=True),
    Column("row_no", Integer, primary_key=True, autoincrement=False),
    Column("key_hash", LargeBinary(16), nullable=False),
    Column("owner", String(18), nullable=False),
    Column("party", String(64), nullable=False),
    Column("dataset", String(64), nullable=False),
    Column("code", String(40), nullable=False),
    Column("wait_for", LargeBinary(16)),  # key_hash of the record it waits for
    Column("opened_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("ending", String(12), nullable=False, server_default=""),  # released, superseded, rejected, overdue
)
Index(
    "ix_hold_open",
    hold.c.key_hash,
    postgresql_where=hold.c.ended_at.is_(None),
    sqlite_where=hold.c.ended_at.is_(None),
)

case_ = Table(
    "case_",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("class", String(1), nullable=False, key="class_"),
    Column("state", String(1), nullable=False),
    Column("party", String(64), nullable=False),
    Column("dataset", String(64), nullable=False, server_default=""),
    Column("owner", String(18), nullable=False, server_default=""),
    Column("key_hash", LargeBinary(16)),
    Column("submission_id", Uuid),
    Column("row_no", Integer),
    Column("destination", String(64), nullable=False, server_default=""),
    Column("parcel_id", Uuid),
    Column("code", String(40), nullable=False),
    Column("period_begin", Date),
    Column("period_end", Date),
    Column("opened_at", Utc, nullable=False),
    Column("last_at", Utc, nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("due_at", Utc),
    Column("due_missing", String(80), nullable=False, server_default=""),  # why there is no due time
    Column("closed_at", Utc),
    Column("closed_by", String(80), nullable=False, server_default=""),
    Column("closing_id", Uuid),  # the submission whose record closed it
    Column("closing_row", Integer),
    Column("note", Text, nullable=False, server_default=""),
    Column("element", String(64), nullable=False, server_default=""),
    Column("rule", String(64), nullable=False, server_default=""),
    Column("pattern", String(80), nullable=False, server_default=""),  # of the value; an unknown code itself
    Column("cause", String(16), nullable=False, server_default=""),  # digest of what makes a failure group
    Column("taken_at", Utc),  # somebody took it up
    Column("taken_by", String(80), nullable=False, server_default=""),
)
_open_case = case_.c.closed_at.is_(None)
Index(
    "ux_case_open_key",
    case_.c.key_hash,
    case_.c.owner,
    case_.c.class_,
    case_.c.destination,
    unique=True,
    postgresql_where=text("closed_at IS NULL AND key_hash IS NOT NULL"),
    sqlite_where=text("closed_at IS NULL AND key_hash IS NOT NULL"),
)
Index("ix_case_open_due", case_.c.due_at, postgresql_where=_open_case, sqlite_where=_open_case)
Index("ix_case_open_party", case_.c.party, postgresql_where=_open_case, sqlite_where=_open_case)
Index("ix_case_open_cause", case_.c.cause, case_.c.opened_at, postgresql_where=_open_case, sqlite_where=_open_case)
Index("ix_case_submission", case_.c.submission_id)

# Replays -------------------------------------------------------------------------------------------------------

replay = Table(  # stored records through today's settings once more
    "replay",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("made_at", Utc, nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("reason", Text, nullable=False),
    Column("selection", Text, nullable=False),  # JSON: what was chosen
    Column("state", String(10), nullable=False),  # waiting, running, paused, done, cancelled
    Column("parts", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    Column("ended_at", Utc),
    Column("repair", Text, nullable=False, server_default=""),  # JSON: what is mended on the way
    Column("consent", String(200), nullable=False, server_default=""),  # who of the owner allowed it
    Column("approved_by", String(80), nullable=False, server_default=""),  # the second person
    Column("undoes", Uuid),  # the repair whose records it takes back
    Column("stage", String(10), nullable=False, server_default="raw"),  # raw, mapped, delivery
    Column("sure", String(200), nullable=False, server_default=""),  # who says that a repeat does no harm
)
Index("ux_replay_undoes", replay.c.undoes, unique=True)

replay_part = Table(  # the chosen records of one hand-over; taken through as a hand-over of its own
    "replay_part",
    metadata,
    Column("replay_id", Uuid, primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("origin_id", Uuid, nullable=False),
    Column("rows", LargeBinary, nullable=False),  # numbers of the records, packed
    Column("count", Integer, nullable=False),
    Column("submission_id", Uuid),  # of what goes through once more; empty: not begun
    Column("parcel_id", Uuid),  # of what is only sent once more
    Column("begun_at", Utc),  # of what is only sent once more
)
Index("ix_replay_part_submission", replay_part.c.submission_id, unique=True)

# Reconciliations -----------------------------------------------------------------------------------------------

reconciliation = Table(  # one data set (and period) compared with another hub, a centre or a sender
    "reconciliation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("by", String(80), nullable=False),
    Column("way", String(10), nullable=False),  # hub, centre, statement
    Column("counterpart", String(64), nullable=False),  # destination, or the party that sends
    Column("party", String(64), nullable=False),  # whose data; empty: everybody's
    Column("dataset", String(64), nullable=False),
    Column("period_begin", Date),  # empty: all that is held
    Column("period_end", Date),
    Column("agrees", Boolean, nullable=False),
    Column("ours", Text, nullable=False),  # JSON: counts, digest
    Column("theirs", Text, nullable=False),
    Column("missing", Integer, nullable=False, server_default="0"),
    Column("extra", Integer, nullable=False, server_default="0"),
    Column("differs", Integer, nullable=False, server_default="0"),
    Column("under_way", Integer, nullable=False, server_default="0"),
    Column("bytes", BigInteger, nullable=False, server_default="0"),  # exchanged
    Column("millis", Integer, nullable=False, server_default="0"),
)
Index("ix_reconciliation_at", reconciliation.c.at)
Index(
    "ix_reconciliation_what",
    reconciliation.c.way,
    reconciliation.c.counterpart,
    reconciliation.c.party,
    reconciliation.c.dataset,
    reconciliation.c.period_begin,
)

reconciliation_difference = Table(  # records that are not there as they are here, the first thousands
    "reconciliation_difference",
    metadata,
    Column("reconciliation_id", Uuid, primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("bucket", Integer, nullable=False),
    Column("kind", String(10), nullable=False),  # missing: not there; extra: only there; differs
    Column("key_hash", LargeBinary(16), nullable=False),
    Column("owner", String(18), nullable=False),
    Column("party", String(64), nullable=False),
    Column("cd_id", String(100), nullable=False),
)
Index("ix_reconciliation_difference_party", reconciliation_difference.c.party)

# Notices -------------------------------------------------------------------------------------------------------

notice = Table(  # what somebody was told, each once: a term runs out, a case is opened
    "notice",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("whom", String(64), nullable=False),  # party; empty: the operator; `above`: the level above
    Column("about", String(200), nullable=False),  # case:… or task:…
    Column("says", String(20), nullable=False),  # opened, remind, tomorrow, overdue, escalate
    Column("detail", Text, nullable=False),  # JSON: names, numbers, times; no content
    Column("read_at", Utc),
    Column("read_by", String(80), nullable=False, server_default=""),
)
Index("ux_notice_once", notice.c.about, notice.c.says, notice.c.whom, unique=True)
Index("ix_notice_whom", notice.c.whom, notice.c.at)

# Sharing -------------------------------------------------------------------------------------------------------

sharing_grant = Table(  # who may see what of whose data, for what, until when
    "sharing_grant",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner", String(64), nullable=False),  # party whose data it is
    Column("receiver", String(64), nullable=False),  # party that may see it
    Column("dataset", String(64), nullable=False),
    Column("elements", Text, nullable=False),  # JSON: those that may be seen
    Column("rule", Text, nullable=False, server_default=""),  # expression: only records of which it is true
    Column("purpose", Text, nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("until_at", Utc, nullable=False),
    Column("consent_at", Utc),  # empty: nothing is opened yet
    Column("consent_by", String(200), nullable=False, server_default=""),
    Column("ended_at", Utc),
    Column("end_reason", Text, nullable=False, server_default=""),
    Column("subscribed", String(64), nullable=False, server_default=""),  # destination that new records go to
)
Index("ix_sharing_grant_receiver", sharing_grant.c.receiver, sharing_grant.c.dataset)
Index("ix_sharing_grant_owner", sharing_grant.c.owner)

look = Table(  # who looked at whose data
    "look",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("party", String(64), nullable=False),  # who looked; empty: the operator of this hub
    Column("actor", String(80), nullable=False),
    Column("owner", String(18), nullable=False),  # credit code of the organisation whose data it is
    Column("dataset", String(64), nullable=False),
    Column("grant_id", Uuid),
    Column("way", String(20), nullable=False),  # query, export, batch, subject, subscription
    Column("purpose", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("records", LargeBinary),  # JSON list of cd_ids, the first of them, closed
    Column("key_ref", String(64)),
)
Index("ix_look_owner", look.c.owner, look.c.at)
Index("ix_look_at", look.c.at)

# Attachments ---------------------------------------------------------------------------------------------------

task = Table(
    "task",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("flow", String(40), nullable=False),
    Column("source", String(100), nullable=False),  # whose number it is: the element, or the party that handed it over
    Column("number", String(200), nullable=False),
    Column("addressed", String(40), nullable=False),  # code of the organisation it names; empty: none
    Column("pair", Text, nullable=False),  # JSON: further numbers of the same thing
    Column("sender", String(64), nullable=False),  # party that handed it over
    Column("assignee", String(64), nullable=False),  # party that must answer; empty: in the pool
    Column("dataset", String(64), nullable=False),
    Column("submission_id", Uuid, nullable=False),  # of the record that opened it, newest revision
    Column("row_no", Integer, nullable=False),
    Column("state", String(40), nullable=False),
    Column("steps", Integer, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("since", Utc, nullable=False),  # when it came to this state
    Column("whole_due_at", Utc),  # what its sender asked for
    Column("due_at", Utc),
    Column("due_missing", String(80), nullable=False, server_default=""),
    Column("item", String(100), nullable=False, server_default=""),  # what it is about, for dispatch and the pool
    Column("region", String(12), nullable=False, server_default=""),
    Column("urged", SmallInteger, nullable=False, server_default="0"),  # so many of its flow's urgings were told
    Column("urge_at", Utc),  # of the next; empty: none is left
    Column("escalated_at", Utc),
    Column("ended_at", Utc),
)
Index("ix_task_identity", task.c.flow, task.c.source, task.c.number, task.c.addressed, unique=True)
Index(
    "ix_task_assignee",
    task.c.assignee,
    task.c.due_at,
    postgresql_where=task.c.ended_at.is_(None),
    sqlite_where=task.c.ended_at.is_(None),
)

Index(
    "ix_task_number",
    task.c.flow,
    task.c.number,
    postgresql_where=task.c.ended_at.is_(None),
    sqlite_where=task.c.ended_at.is_(None),
)
Index(
    "ix_task_urge",
    task.c.urge_at,
    postgresql_where=task.c.ended_at.is_(None),
    sqlite_where=task.c.ended_at.is_(None),
)
Index("ix_task_submission", task.c.submission_id)
Index(
    "ix_task_sender",
    task.c.sender,
    task.c.due_at,
    postgresql_where=task.c.ended_at.is_(None),
    sqlite_where=task.c.ended_at.is_(None),
)

task_step = Table(
    "task_step",
    metadata,
    Column("task_id", Uuid, primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("step", String(40), nullable=False),
    Column("state", String(40), nullable=False),  # it led to
    Column("party", String(64), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("at", Utc, nullable=False),
    Column("said", LargeBinary),  # JSON, closed
    Column("key_ref", String(64)),
    Column("connection", String(64), nullable=False, server_default=""),  # its answer goes through; empty: no answer
    Column("dataset", String(64), nullable=False, server_default=""),  # of the answer
    Column("receipt_no", String(24), nullable=False, server_default=""),  # of the answer; empty: not handed in yet
)
Index(
    "ix_task_step_unsent",
    task_step.c.at,
    postgresql_where=text("connection <> '' AND receipt_no = ''"),
    sqlite_where=text("connection <> '' AND receipt_no = ''"),
)

attachment = Table(
    "attachment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("bytes_id", Uuid, nullable=False),  # whose parts hold its bytes
    Column("party", String(64), nullable=False),
    Column("connection", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("type", String(120), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),  # SM3
    Column("scanned", Boolean, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("created_by", String(80), nullable=False, server_default=""),
)
Index("ix_attachment_digest", attachment.c.digest)

attachment_part = Table(
    "attachment_part",
    metadata,
    Column("bytes_id", Uuid, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    Column("key_ref", String(64)),
)

attachment_grant = Table(  # who was sent a record that names it
    "attachment_grant",
    metadata,
    Column("attachment_id", Uuid, primary_key=True),
    Column("party", String(64), primary_key=True),
    Column("parcel_id", Uuid, nullable=False),
    Column("at", Utc, nullable=False),
)

# On the way ----------------------------------------------------------------------------------------------------

parcel = Table(
    "parcel",
    metadata,
    _month(),
    Column("id", Uuid, primary_key=True),
    Column("destination", String(64), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("lane", String(8), nullable=False),
    Column("dataset", String(64), nullable=False),
    Column("dataset_version", String(20), nullable=False),
    Column("submission_id", Uuid, nullable=False),
    Column("chunk", Integer, nullable=False),
    Column("first_row", Integer, nullable=False),
    Column("last_row", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("batch", String(50), nullable=False, server_default=""),  # cd_batch, given when first sent
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Utc),  # waiting: not before; awaiting: the receipt is due
    Column("published_at", Utc),
    Column("publishes", Integer, nullable=False, server_default="0"),
    Column("waits_for", Uuid),  # an older parcel with the same key, still on the way
    Column("lease_owner", String(80)),
    Column("lease_until", Utc),
    Column("created_at", Utc, nullable=False),
    Column("sent_at", Utc),  # first hand-over that was not plainly refused
    Column("resent_at", Utc),  # a person had it sent again: patience begins anew
    Column("ended_at", Utc),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),
    Column("error_code", String(40), nullable=False, server_default=""),
    Column("error_text", Text, nullable=False, server_default=""),
    Column("hops", Text, nullable=False, server_default=""),
    Column("traceparent", String(64), nullable=False, server_default=""),
    **_BY_MONTH,
)
_open_parcel = parcel.c.ended_at.is_(None)
Index(
    "ix_parcel_open",
    parcel.c.destination,
    parcel.c.state,
    parcel.c.due_at,
    postgresql_where=_open_parcel,
    sqlite_where=_open_parcel,
)
Index(
    "ix_parcel_waits_for",
    parcel.c.waits_for,
    postgresql_where=parcel.c.waits_for.isnot(None),
    sqlite_where=parcel.c.waits_for.isnot(None),
)
Index("ix_parcel_submission", parcel.c.submission_id)

delivery = Table(
    "delivery",
    metadata,
    _month(),
    Column("submission_id", Uuid, primary_key=True),
    Column("row_no", Integer, primary_key=True, autoincrement=False),
    Column("destination", String(64), primary_key=True),
    Column("parcel_id", Uuid, nullable=False),
    Column("state", String(12)),  # NULL: as its parcel
    Column("code", String(40)),
    Column("message", Text),
    **_BY_MONTH,
)

attempt = Table(
    "attempt",
    metadata,
    _month(),
    Column("parcel_id", Uuid, primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("started_at", Utc, nullable=False),
    Column("ended_at", Utc, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("error_code", String(40), nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("next_at", Utc),
    **_BY_MONTH,
)

receipt = Table(
    "receipt",
    metadata,
    _month(),
    Column("id", Uuid, primary_key=True),
    Column("submission_id", Uuid, nullable=False),
    Column("parcel_id", Uuid),  # NULL: about the submission
    Column("version", Integer, nullable=False, server_default="1"),
    Column("level", String(10), nullable=False),  # which level spoke: district, city, province, nation
    Column("speaker", String(64), nullable=False),
    Column("result", String(12), nullable=False),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),
    Column("received_at", Utc, nullable=False),
    Column("lines", LargeBinary),  # zstd JSON of the lines that are not plainly accepted
    **_BY_MONTH,
)
Index("ix_receipt_submission", receipt.c.submission_id)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Serial, Identity(), primary_key=True),
    Column("exchange", String(32), nullable=False),
    Column("routing_key", String(160), nullable=False),
    Column("queue", String(120), nullable=False),
    Column("message_id", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("lease_owner", String(80)),
    Column("tries", Integer, nullable=False, server_default="0"),
)
Index("ix_outbox_queue", outbox.c.queue, outbox.c.due_at)
Index("ix_outbox_due", outbox.c.due_at)

destination_state = Table(
    "destination_state",
    metadata,
    Column("destination", String(64), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("since", Utc, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("probe_at", Utc),  # when the next probe may go
    Column("last_success", Utc),
    Column("last_failure", Utc),
    Column("changed_by", String(80), nullable=False, server_default=""),
)

# Alarms and canaries -------------------------------------------------------------------------------------------

alarm = Table(  # something a rule finds wrong; one open row for each rule and subject
    "alarm",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("rule", String(32), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("zh", Text, nullable=False),  # as it was when it was raised: names, counts, times; no content
    Column("en", Text, nullable=False),
    Column("grave", Boolean, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),  # its cause was last there
    Column("recovered_at", Utc),
    Column("acknowledged_at", Utc),
    Column("acknowledged_by", String(200), nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
)
Index(
    "ux_alarm_open",
    alarm.c.rule,
    alarm.c.subject,
    unique=True,
    postgresql_where=alarm.c.recovered_at.is_(None),
    sqlite_where=alarm.c.recovered_at.is_(None),
)
Index("ix_alarm_opened_at", alarm.c.opened_at)

alarm_message = Table(  # what contacts are told of alarms, each once; it leaves when their server takes it
    "alarm_message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("alarm_id", Uuid, nullable=False),
    Column("contact", String(64), nullable=False),
    Column("says", String(12), nullable=False),  # raised, recovered
    Column("created_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("sent_at", Utc),
    Column("given_up_at", Utc),
    Column("error", Text, nullable=False, server_default=""),
)
Index("ux_alarm_message_once", alarm_message.c.alarm_id, alarm_message.c.contact, alarm_message.c.says, unique=True)
_unsent = alarm_message.c.sent_at.is_(None) & alarm_message.c.given_up_at.is_(None)
Index("ix_alarm_message_unsent", alarm_message.c.due_at, postgresql_where=_unsent, sqlite_where=_unsent)

canary = Table(  # test records on their way; they are no data and stand nowhere else
    "canary",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("way", String(64), nullable=False),  # destination, or the connection it came in through
    Column("inward", Boolean, nullable=False),
    Column("reach", String(12), nullable=False),  # through, connection
    Column("dataset", String(64), nullable=False),
    Column("content", LargeBinary),  # the parcel another hub sent, until it is judged
    Column("started_at", Utc, nullable=False),
    Column("judged_at", Utc),
    Column("sent_at", Utc),
    Column("ended_at", Utc),
    Column("ok", Boolean),
    Column("problem", Text, nullable=False, server_default=""),
)
Index("ix_canary_way", canary.c.way, canary.c.started_at)

# Settings, rights, memory --------------------------------------------------------------------------------------

generation = Table(
    "generation",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("created_by", String(80), nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False),  # zstd JSON: settings and every file that belongs to them
)

credential = Table(
    "credential",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("party", String(64), nullable=False),  # '' is the operator
    Column("rights", String(200), nullable=False, server_default=""),
    Column("note", String(200), nullable=False, server_default=""),
    Column("created_at", Utc, nullable=False),
    Column("created_by", String(80), nullable=False, server_default=""),
    Column("expires_at", Utc),
    Column("revoked_at", Utc),
)

# People --------------------------------------------------------------------------------------------------------

person = Table(  # never deleted: the journal names them
    "person",
    metadata,
    Column("name", String(40), primary_key=True),  # what they log in with; never another person's
    Column("title", String(80), nullable=False),  # the real name
    Column("party", String(64), nullable=False),  # '' are the hub's own people
    Column("roles", String(200), nullable=False, server_default=""),
    Column("rights", String(200), nullable=False, server_default=""),  # beside those of the roles
    Column("region", String(6), nullable=False, server_default=""),
    Column("state", String(8), nullable=False),  # active, disabled
    Column("password", String(200), nullable=False, server_default=""),  # argon2; '': logs in elsewhere only
    Column("password_at", Utc),
    Column("must_change", Boolean, nullable=False, server_default=false()),
    Column("secret", LargeBinary),  # of the second factor, closed with the seal
    Column("secret_key_ref", String(64)),
    Column("secret_at", Utc),  # NULL: not confirmed yet
    Column("last_step", BigInteger, nullable=False, server_default="0"),  # no code counts twice
    Column("created_at", Utc, nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("logged_in_at", Utc),
)
Index("ix_person_party", person.c.party)

session = Table(  # of people, and of keys on the pages; apart from the keys of machines
    "session",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("person", String(40), nullable=False, server_default=""),
    Column("credential", String(32), nullable=False, server_default=""),
    Column("stage", String(8), nullable=False),  # what is still missing; 'open': nothing
    Column("way", String(40), nullable=False, server_default=""),  # how: password, password+code, key, oidc
    Column("address", String(64), nullable=False, server_default=""),
    Column("agent", String(120), nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),  # JSON: what the other side's log-in must bring back
    Column("started_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Column("ends_at", Utc, nullable=False),
    Column("ended_at", Utc),
)
Index("ix_session_person", session.c.person, session.c.ended_at)
Index("ix_session_ends", session.c.ends_at)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("person", String(40), nullable=False),
    Column("used_at", Utc),
)
Index("ix_recovery_code_person", recovery_code.c.person)

login_attempt = Table(  # of names that exist and of names that do not
    "login_attempt",
    metadata,
    Column("name", String(64), primary_key=True),  # SHA-256 of what was typed
    Column("failed", Integer, nullable=False),
    Column("at", Utc, nullable=False),
    Column("until", Utc),  # nobody gets in before
)
Index("ix_login_attempt_at", login_attempt.c.at)

crosswalk = Table(
    "crosswalk",
    metadata,
    Column("mapping", String(120), primary_key=True),
    Column("name", String(120), primary_key=True),
    Column("source", String(255), primary_key=True),
    Column("code", String(120), nullable=False),
    Column("by", String(80), nullable=False),
    Column("at", Utc, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("owner", String(80), nullable=False),
    Column("until", Utc, nullable=False),
)

bookmark = Table(
    "bookmark",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", Utc, nullable=False),
)

number = Table(
    "number",
    metadata,
    Column("series", String(120), primary_key=True),
    Column("day", String(8), primary_key=True),
    Column("next", Integer, nullable=False),
)

tally = Table(
    "tally",
    metadata,
    Column("id", _Serial, Identity(), primary_key=True),
    Column("day", String(10), nullable=False),
    Column("party", String(64), nullable=False),
    Column("dataset", String(64), nullable=False),
    Column("destination", String(64), nullable=False),
    Column("name", String(40), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("folded", Boolean, nullable=False, server_default=text("false")),
)
Index(  # each counter of a day once; read by day
    "ux_tally_day",
    tally.c.day,
    tally.c.party,
    tally.c.dataset,
    tally.c.destination,
    tally.c.name,
    unique=True,
    postgresql_where=text("folded"),
    sqlite_where=text("folded"),
)
Index("ix_tally_day", tally.c.day, tally.c.party, tally.c.dataset)
Index("ix_tally_unfolded", tally.c.id, postgresql_where=text("NOT folded"), sqlite_where=text("NOT folded"))

journal = Table(
    "journal",
    metadata,
    Column("id", _Serial, Identity(), primary_key=True),
    Column("at", Utc, nullable=False),
    Column("action", String(40), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("submission_id", Uuid),
    Column("parcel_id", Uuid),
    Column("detail", Text, nullable=False),  # JSON: ids, counts and digests, never content
    Column("digest", LargeBinary, nullable=False),  # SM3 of the row
)
Index("ix_journal_submission", journal.c.submission_id)

seal = Table(
    "seal",
    metadata,
    Column("id", _Serial, Identity(), primary_key=True),
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),  # Merkle root over the rows' digests
    Column("chain", LargeBinary, nullable=False),  # SM3 over the chain before and this root
    Column("sealed_at", Utc, nullable=False),
)

#: Tables that are partitioned by month on PostgreSQL.
PARTITIONED = (submission, payload, chunk, record, finding, parcel, delivery, attempt, receipt)
