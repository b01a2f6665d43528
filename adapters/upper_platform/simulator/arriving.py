"""Rows arrive: each arrival is written down, and what is new takes its place in the merge store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from adapters.table.writing import chunks
from adapters.upper_platform.simulator.stores import Books, Stores

#: How a row arrives: nothing or an older revision was there; this one; a newer one; this one with other content.
NEW, REPEAT, STALE, CONFLICT = "new", "repeat", "stale", "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One row as it arrives, all as text."""

    cd_id: str
    revision: str
    parcel: str
    values: Mapping[str, str]
    kind: str = NEW
    lsh: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from, and when."""

    org: str
    #: `table` or `http`.
    way: str
    moment: datetime


@dataclass(frozen=True, slots=True)
class _Held:
    revision: str
    lsh: str
    digest: str


def arrive(
    connection: Connection, one: Stores, books: Books, origin: Origin, incoming: Sequence[Incoming]
) -> list[Incoming]:
    """The rows with how they arrived and their serial number."""
    present = _present(connection, one, [i.cd_id for i in incoming])
    last = _take_serials(connection, books, len(incoming))
    arrived: list[Incoming] = []
    for number, row in enumerate(incoming, last + 1):
        held = present.get(row.cd_id)
        kind = _kind(row, held, origin.way)
        lsh = held.lsh if held is not None and kind != NEW else f"{origin.moment:%Y%m%d}{number:010}"
        arrived.append(replace(row, kind=kind, lsh=lsh))
        if kind == NEW:
            present[row.cd_id] = _Held(row.revision, lsh, row.values.get("content_digest", ""))
    _write_down(connection, one, books, origin, arrived)
    newest = {row.cd_id: row for row in arrived if row.kind == NEW}
    if newest:
        _replace(connection, one, origin, list(newest.values()))
    return arrived


def _kind(row: Incoming, held: _Held | None, way: str) -> str:
    if held is None:
        return NEW
    if held.revision == row.revision:
        same = way == "table" or held.digest == row.values.get("content_digest", "")
        return REPEAT if same else CONFLICT
    # What stands in a front-end table is the truth; only parcels can overtake each other.
    if way == "table" or not held.revision.isdigit() or len(held.revision) > 12:
        return NEW
    return STALE if int(row.revision) < int(held.revision) else NEW


def _present(connection: Connection, one: Stores, keys: Sequence[str]) -> dict[str, _Held]:
    m = one.merged.c
    found = {}
    for some in chunks(keys):
        asked = select(m.cd_id, m.sim_revision, m.cd_lsh, m.content_digest).where(m.cd_id.in_(some))
        for cd_id, revision, lsh, digest in connection.execute(asked):
            found[cd_id] = _Held(revision, lsh, digest or "")
    return found


def _take_serials(connection: Connection, books: Books, count: int) -> int:
    serial = books.serial
    last: int | None = connection.execute(select(serial.c.last).where(serial.c.name == "lsh")).scalar()
    if last is None:
        connection.execute(insert(serial).values(name="lsh", last=count))
        return 0
    connection.execute(update(serial).where(serial.c.name == "lsh").values(last=last + count))
    return last


def _write_down(connection: Connection, one: Stores, books: Books, origin: Origin, arrived: Sequence[Incoming]) -> None:
    rows = [
        {
            "at": origin.moment,
            "org": origin.org,
            "way": origin.way,
            "dataset": one.dataset.id,
            "parcel": i.parcel,
            "cd_id": i.cd_id,
            "revision": i.revision,
            "digest": i.values.get("content_digest", ""),
            "kind": i.kind,
        }
        for i in arrived
    ]
    if rows:
        connection.execute(insert(books.arrival), rows)


def _replace(connection: Connection, one: Stores, origin: Origin, rows: Sequence[Incoming]) -> None:
    keys = [r.cd_id for r in rows]
    _remove_errors(connection, one, keys)
    for some in chunks(keys):
        connection.execute(delete(one.merged).where(one.merged.c.cd_id.in_(some)))
    merged_at = f"{origin.moment:%Y-%m-%d %H:%M:%S}"
    connection.execute(
        insert(one.merged),
        [
            {name: r.values.get(name, "") for name in one.elements}
            | {
                "cd_id": r.cd_id,
                "cd_lsh": r.lsh,
                "cd_hb_source": origin.org,
                "cd_hb_time": merged_at,
                "sim_org": origin.org,
                "sim_way": origin.way,
                "sim_revision": r.revision,
                "sim_parcel": r.parcel,
                "sim_verdict": "",
            }
            for r in rows
        ],
    )


def _remove_errors(connection: Connection, one: Stores, keys: Sequence[str]) -> None:
    """A row that comes again is mended, or will be told anew."""
    for some in chunks(keys):
        old = list(connection.execute(select(one.wrong.c.cd_lsh).where(one.wrong.c.cd_id.in_(some))).scalars())
        for table in (one.wrong, one.detail, one.index):
            for lshs in chunks(old):
                connection.execute(delete(table).where(table.c.cd_lsh.in_(lshs)))
