"""Accepted records on their way: a delivery for each destination, in parcels that keep the order of every key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from hub.broker import topology
from hub.ledger import outbox, parcels
from hub.ledger.outbox import Outgoing
from hub.ledger.parcels import OnTheWay, StoredParcel
from hub.plan import RouteTo
from standards.digest import uuid7s
from standards.states import DeliveryState, ParcelState


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Where the records to be routed stand."""

    submission_id: UUID
    lane: str
    traceparent: str
    #: Hubs the hand-over has passed.
    hops: str
    dataset: str
    version: str
    chunk: int
    #: Row number of index 0.
    first_row: int
    columns: Mapping[str, list[str]]
    #: Owner and operation of the record at an index.
    identity: Callable[[int], tuple[str, str]]


def route_records(
    connection: Connection,
    routes: Sequence[RouteTo],
    load: Load,
    accepted: Sequence[int],
    newest: set[int],
    twins: Mapping[tuple[UUID, int], int],
    now: datetime,
) -> list[StoredParcel]:
    """Write deliveries, parcels and their messages for the accepted indexes.

    `newest`: those that are the last revision of their key here; the others are born superseded.
    `twins`: the revision before, and which index follows it.
    """
    on_the_way = parcels.on_the_way(connection, twins) if twins else []
    older = {(twins[(o.submission_id, o.row_no)], o.destination): o for o in on_the_way}
    made: list[StoredParcel] = []
    for route in routes:
        rows = route.rows(load.columns, accepted)
        if route.zone is not None:
            rows = route.zone.going(load.columns, rows, load.identity)
        if rows:
            made.extend(_parcels(connection, load, route, rows, newest, older, now))
    if made:
        parcels.add(connection, made)
        waiting = [p for p in made if p.ended_at is None and p.waits_for is None]
        messages = [
            Outgoing(
                topology.deliver(p.direction, p.destination, p.dataset, p.lane),
                str(p.id),
                str(p.id).encode("ascii"),
                traceparent=p.traceparent,
            )
            for p in waiting
        ]
        outbox.put(connection, messages, now)
    return made


def _in_front(connection: Connection, before: OnTheWay | None, destination: str) -> UUID | None:
    """The parcel that must end before a newer revision may go; None when there is none."""
    if before is None:
        return None
    if before.parcel_state == ParcelState.WAITING:
        # Not sent yet: the newer one takes its place, behind whatever that one waited for.
        place = [(before.submission_id, before.row_no)]
        parcels.mark_deliveries(connection, place, destination, DeliveryState.SUPERSEDED)
        return before.waits_for
    return before.parcel_id


def _parcels(
    connection: Connection,
    load: Load,
    route: RouteTo,
    rows: Sequence[int],
    newest: set[int],
    older: Mapping[tuple[int, str], OnTheWay],
    now: datetime,
) -> list[StoredParcel]:
    by_front: dict[UUID | None, list[int]] = {None: []}
    for i in rows:
        front = _in_front(connection, older.get((i, route.destination)), route.destination)
        by_front.setdefault(front, []).append(i)
    groups = [
        (front, held[start : start + route.parcel])
        for front, held in by_front.items()
        for start in range(0, len(held), route.parcel)
    ]
    made = []
    for identifier, (front, group) in zip(uuid7s(len(groups)), groups, strict=True):
        live = any(i in newest for i in group)
        made.append(
            StoredParcel(
                id=identifier,
                destination=route.destination,
                direction=route.direction,
                lane=load.lane,
                dataset=load.dataset,
                dataset_version=load.version,
                submission_id=load.submission_id,
                chunk=load.chunk,
                first_row=load.first_row + group[0],
                last_row=load.first_row + group[-1],
                count=len(group),
                state=ParcelState.WAITING if live else ParcelState.SUPERSEDED,
                due_at=now,
                published_at=now if live and front is None else None,
                publishes=1,
                waits_for=front if live else None,
                created_at=now,
                ended_at=None if live else now,
                hops=load.hops,
                traceparent=load.traceparent,
            )
        )
        parcels.add_deliveries(
            connection,
            load.submission_id,
            [load.first_row + i for i in group],
            route.destination,
            [identifier] * len(group),
            [None if i in newest else str(DeliveryState.SUPERSEDED) for i in group],
        )
    return made
