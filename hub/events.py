"""Events: what happened, as CloudEvents on `hub.events`, for anyone who listens.  Ids and counts, never content."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from hub.broker import topology
from hub.ledger import outbox
from hub.ledger.outbox import Outgoing
from hub.ledger.parcels import StoredParcel
from hub.ledger.submissions import Submission
from standards.digest import uuid7

TYPE = "cn.gov.supervision."


class Events:
    """Writes events in the transaction of what they tell of; nothing where nobody could listen (embedded broker)."""

    def __init__(self, hub: str, *, carried: bool) -> None:
        self._hub = hub
        self._carried = carried

    def judged(self, connection: Connection, submission: Submission, now: datetime) -> None:
        """A submission has its verdicts."""
        counts = {n: getattr(submission, n) for n in ("read", "accepted", "rejected", "held", "duplicate")}
        self._put(
            connection,
            "submission.judged",
            submission.receipt_no,
            {
                "party": submission.party,
                "connection": submission.connection,
                "dataset": submission.dataset,
                "test": submission.test,
                **counts,
            },
            now,
            submission.traceparent,
        )

    def delivered(self, connection: Connection, parcel: StoredParcel, state: str, now: datetime) -> None:
        """A parcel has ended."""
        self._put(
            connection,
            "parcel.ended",
            str(parcel.id),
            {"destination": parcel.destination, "dataset": parcel.dataset, "count": parcel.count, "state": state},
            now,
            parcel.traceparent,
        )

    def destination(self, connection: Connection, name: str, state: str, reason: str, now: datetime) -> None:
        """A destination went down, came back or was paused."""
        self._put(connection, f"destination.{state}", name, {"reason": reason}, now)

    def task(
        self, connection: Connection, identifier: str, says: str, detail: Mapping[str, Any], now: datetime
    ) -> None:
        """Somebody is told about a task: remind, overdue, escalate."""
        self._put(connection, f"task.{says}", identifier, detail, now)

    def case(self, connection: Connection, about: str, says: str, detail: Mapping[str, Any], now: datetime) -> None:
        """Somebody is told about a group of cases: opened, remind, tomorrow, overdue, escalate."""
        self._put(connection, f"case.{says}", about, detail, now)

    def _put(
        self,
        connection: Connection,
        what: str,
        subject: str,
        data: Mapping[str, Any],
        now: datetime,
        traceparent: str = "",
    ) -> None:
        if not self._carried:
            return
        identifier = str(uuid7())
        event = {
            "specversion": "1.0",
            "id": identifier,
            "source": f"/hub/{self._hub}",
            "type": TYPE + what,
            "subject": subject,
            "time": now.isoformat(),
            "datacontenttype": "application/json",
            **({"traceparent": traceparent} if traceparent else {}),
            "data": data,
        }
        body = msgspec.json.encode(event)
        outbox.put(connection, [Outgoing(topology.event(what), identifier, body, traceparent=traceparent)], now)
