"""The journal: append-only rows of everything that happened.  It hashes digests, never content."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from hub.ledger import bulk
from hub.ledger.tables import journal
from standards.digest import sm3


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    action: str
    actor: str
    submission_id: UUID | None = None
    parcel_id: UUID | None = None
    detail: dict[str, Any] = field(default_factory=dict)


def digest_of(
    at: datetime, action: str, actor: str, submission: UUID | None, parcel: UUID | None, detail: str
) -> bytes:
    """What a row of the journal is hashed to."""
    parts = (
        at.astimezone(UTC).isoformat(timespec="microseconds"),
        action,
        actor,
        submission.hex if submission else "",
        parcel.hex if parcel else "",
        detail,
    )
    return sm3("\x1f".join(parts).encode())


def append(connection: Connection, entries: Sequence[Entry], now: datetime) -> None:
    """Write entries in the transaction of what they tell of."""
    details = [json.dumps(e.detail, ensure_ascii=False, sort_keys=True, separators=(",", ":")) for e in entries]
    digests = [
        digest_of(now, e.action, e.actor, e.submission_id, e.parcel_id, d)
        for e, d in zip(entries, details, strict=True)
    ]
    bulk.insert(
        connection,
        journal,
        {
            "at": now,
            "action": [e.action for e in entries],
            "actor": [e.actor for e in entries],
            "submission_id": [e.submission_id for e in entries],
            "parcel_id": [e.parcel_id for e in entries],
            "detail": details,
            "digest": digests,
        },
        len(entries),
    )
