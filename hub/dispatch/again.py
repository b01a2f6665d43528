"""Parcels that were accepted, sent once more under their own ids: a receiver that has one answers a repeat.

A record with a newer revision is not sent again in its old one (promise 7).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from hub.dispatch import settle as settling
from hub.dispatch.build import Line, lines_of
from hub.ledger import heads, journal, parcels, submissions
from hub.ledger.parcels import StoredParcel
from standards.states import DeliveryState


def send_again(
    connection: Connection, identifiers: Sequence[UUID], ask_first: Collection[str], by: str, now: datetime
) -> int:
    """Put these parcels on their way once more; how many.  Those under way, and those outdated whole, are left alone.

    `ask_first`: destinations that are asked whether they have a parcel before it is sent.
    """
    going = []
    for identifier in identifiers:
        one = parcels.get(connection, identifier)
        if one is None or one.ended_at is None:
            continue
        lines = lines_of(connection, one)
        old = outdated(connection, lines)
        if len(old) == len(lines):
            continue
        if not parcels.again(connection, one.id, now, uncertain=one.destination in ask_first):
            continue
        parcels.mark_deliveries(
            connection, [(one.submission_id, line.row_no) for line in old], one.destination, DeliveryState.ACCEPTED
        )
        submissions.reopen(connection, one.submission_id, 1)
        going.append(one)
    _tell(connection, going, by, now)
    return len(going)


def _tell(connection: Connection, going: Sequence[StoredParcel], by: str, now: datetime) -> None:
    entries = [
        journal.Entry("parcel_again", by, one.submission_id, one.id, {"destination": one.destination, "was": one.state})
        for one in going
    ]
    if entries:
        journal.append(connection, entries, now)
        settling.publish(connection, going, now)


def outdated(connection: Connection, lines: Sequence[Line]) -> list[Line]:
    """Those of the records that have a newer revision by now."""
    held = heads.look_up(connection, [line.key_hash for line in lines]) if lines else {}
    newest = {(key, head.owner): head.revision for key, found in held.items() for head in found}
    return [line for line in lines if newest.get((line.key_hash, line.owner), line.revision) > line.revision]
