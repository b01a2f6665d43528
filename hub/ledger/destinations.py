"""Whether destinations take parcels: up, down (one probe at a time), or paused by an operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from hub.ledger.sql import insert_new
from hub.ledger.tables import destination_state as table
from standards.states import DestinationState


@dataclass(frozen=True, slots=True)
class Standing:
    """How a destination stands."""

    destination: str
    state: str
    since: datetime
    reason: str
    failures: int
    probe_at: datetime | None
    last_success: datetime | None
    last_failure: datetime | None


_COLUMNS = (
    table.c.destination,
    table.c.state,
    table.c.since,
    table.c.reason,
    table.c.failures,
    table.c.probe_at,
    table.c.last_success,
    table.c.last_failure,
)


def every(connection: Connection) -> dict[str, Standing]:
    """How each destination stands that was ever heard of."""
    return {r[0]: Standing(*r) for r in connection.execute(select(*_COLUMNS))}


def get(connection: Connection, name: str) -> Standing | None:
    """How one destination stands."""
    row = connection.execute(select(*_COLUMNS).where(table.c.destination == name)).one_or_none()
    return None if row is None else Standing(*row)


def _ensure(connection: Connection, name: str, now: datetime) -> None:
    insert_new(connection, table, {"destination": name, "state": str(DestinationState.UP), "since": now})


def failed(connection: Connection, name: str, reason: str, probe_at: datetime, now: datetime) -> bool:
    """It did not answer; True when it was up until now."""
    _ensure(connection, name, now)
    row = connection.execute(select(table.c.state).where(table.c.destination == name).with_for_update()).one()
    was_up: bool = row[0] == DestinationState.UP
    values = {"failures": table.c.failures + 1, "last_failure": now, "reason": reason[:500]}
    if row[0] != DestinationState.PAUSED:
        values |= {"state": str(DestinationState.DOWN), "probe_at": probe_at}
        if was_up:
            values["since"] = now
    connection.execute(update(table).where(table.c.destination == name).values(**values))
    return was_up


def succeeded(connection: Connection, name: str, now: datetime) -> bool:
    """It answered; True when it had been down."""
    _ensure(connection, name, now)
    row = connection.execute(select(table.c.state).where(table.c.destination == name).with_for_update()).one()
    was_down: bool = row[0] == DestinationState.DOWN
    values: dict[str, object] = {"last_success": now, "failures": 0, "probe_at": None}
    if was_down:
        values |= {"state": str(DestinationState.UP), "since": now, "reason": ""}
    connection.execute(update(table).where(table.c.destination == name).values(**values))
    return was_down


def take_probe(connection: Connection, name: str, now: datetime, lease: timedelta) -> bool:
    """The right to send the one probe; False when it is not time or somebody has it."""
    statement = (
        update(table)
        .where(table.c.destination == name, table.c.state == DestinationState.DOWN, table.c.probe_at <= now)
        .values(probe_at=now + lease)
    )
    return connection.execute(statement).rowcount == 1


def pause(connection: Connection, name: str, by: str, reason: str, now: datetime) -> None:
    """An operator stops a destination; its parcels wait."""
    _ensure(connection, name, now)
    connection.execute(
        update(table)
        .where(table.c.destination == name)
        .values(state=str(DestinationState.PAUSED), since=now, reason=reason[:500], changed_by=by)
    )


def resume(connection: Connection, name: str, by: str, now: datetime) -> None:
    """An operator lets a destination go on."""
    _ensure(connection, name, now)
    connection.execute(
        update(table)
        .where(table.c.destination == name)
        .values(state=str(DestinationState.UP), since=now, reason="", probe_at=None, changed_by=by)
    )


def probe_now(connection: Connection, name: str, now: datetime) -> None:
    """One that is down may be tried at once: an operator said so."""
    connection.execute(
        update(table).where(table.c.destination == name, table.c.state == DestinationState.DOWN).values(probe_at=now)
    )
