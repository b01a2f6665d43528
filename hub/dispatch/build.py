"""A parcel as it is sent: its records' content out of the chunks, with the common elements the hub fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec
from sqlalchemy import Connection, select

from hub.dispatch.contents import Contents
from hub.ledger.parcels import StoredParcel
from hub.ledger.submissions import Submission
from hub.ledger.tables import delivery, record
from hub.ledger.types import month_of
from hub.sharing.zone import Shared
from hub.zones import Zone
from standards.clock import local_text
from standards.parcel import Parcel, ParcelRecord


@dataclass(frozen=True, slots=True)
class Line:
    """A record of a parcel in the ledger's terms."""

    row_no: int
    cd_id: str
    owner: str
    revision: int
    operation: str
    digest: bytes
    event_date: str
    idx: int
    place: str
    key_hash: bytes


def lines_of(connection: Connection, parcel: StoredParcel) -> list[Line]:
    """The records of a parcel that are to be sent: superseded ones are left out."""
    month = month_of(parcel.submission_id)
    # Two range scans of primary keys: a join of the two is planned badly while the tables are young.
    rows = set(
        connection.execute(
            select(delivery.c.row_no).where(
                delivery.c.month == month,
                delivery.c.submission_id == parcel.submission_id,
                delivery.c.row_no.between(parcel.first_row, parcel.last_row),
                delivery.c.destination == parcel.destination,
                delivery.c.parcel_id == parcel.id,
                delivery.c.state.is_(None),
            )
        )
        .scalars()
        .all()
    )
    found = connection.execute(
        select(
            record.c.row_no,
            record.c.cd_id,
            record.c.owner,
            record.c.revision,
            record.c.operation,
            record.c.digest,
            record.c.event_date,
            record.c.idx,
            record.c.place,
            record.c.key_hash,
        )
        .where(
            record.c.month == month,
            record.c.submission_id == parcel.submission_id,
            record.c.row_no.between(parcel.first_row, parcel.last_row),
        )
        .order_by(record.c.row_no)
    ).all()
    return [Line(*row) for row in found if row[0] in rows]


def build(
    connection: Connection,
    parcel: StoredParcel,
    lines: Sequence[Line],
    submission: Submission,
    *,
    origin: str,
    provider: str,
    contents: Contents,
    filled: Mapping[str, str],
    fills: Mapping[int, Mapping[str, str]] = MappingProxyType({}),
    zone: Zone | Shared | None = None,
) -> Parcel:
    """The parcel ready for its destination.

    `filled`: what the hub puts into the data set's own elements where the sender left them empty.  It travels with the
    common elements, so that the digest stays that of the sender's content.
    `fills`: what lookups filled in, by row; it travels in the same way.
    `zone`: what may leave, where the destination stands in the internet zone.
    """
    content, commons = contents.of(connection, parcel.submission_id, parcel.chunk)
    shared = {
        "cd_time": local_text(parcel.created_at),
        "cd_source": provider,
        "cd_batch": parcel.batch,
        "dataset_version": parcel.dataset_version,
        "provider_code": provider,
        "report_way": submission.report_way,
        "trace_id": trace_id(submission),
    }
    records = []
    for line in lines:
        digest = line.digest.hex()
        common = {
            **shared,
            "cd_id": line.cd_id,
            "cd_operation": line.operation,
            "content_digest": digest,
            "record_unique_identity": line.cd_id,
        }
        if line.event_date:
            common["event_date"] = line.event_date
        if line.owner != provider:
            common["owner_org_code"] = line.owner
        if commons is not None:
            common |= msgspec.json.decode(commons[line.idx], type=dict[str, str])
        if line.operation != "d":
            common |= filled
            common |= fills.get(line.row_no, {})
        made = ParcelRecord(
            cd_id=line.cd_id,
            revision=line.revision,
            operation=line.operation,
            digest=digest,
            content=msgspec.Raw(content[line.idx]),
            common=common,
        )
        records.append(zone.only(made, line.owner) if zone is not None else made)
    return Parcel(
        id=parcel.id,
        origin=origin,
        destination=parcel.destination,
        direction=parcel.direction,
        dataset=parcel.dataset,
        version=parcel.dataset_version,
        batch=parcel.batch,
        created_at=parcel.created_at,
        records=tuple(records),
        lane=parcel.lane,
        traceparent=parcel.traceparent or f"00-{submission.id.hex}-{parcel.id.hex[:16]}-01",
        hops=tuple(h for h in (*parcel.hops.split(","), origin) if h),
        attempt=parcel.attempts,
    )


def trace_id(submission: Submission) -> str:
    """W3C trace id of a submission: the sender's, or its own id."""
    parts = submission.traceparent.split("-")
    return parts[1] if len(parts) == 4 and len(parts[1]) == 32 else submission.id.hex
