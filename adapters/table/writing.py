"""What a parcel does to the rows of a front-end table: one row per cd_id, replaced by operation.  Pure decisions first.

`cd_id` is the unique key of a front-end row (DOMAIN 1.3), so a newer revision takes the place of the older one and says
by cd_operation what happened; a row that deletes stays as a row with `d`.  A row knows the parcel that wrote it by
data_up_uuid, which is derived from parcel, key and revision: a repeat is seen and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import Connection, Table, bindparam, insert, select, update

from adapters.table.database import Collided
from adapters.table.shape import REVISION, Shape, Value, refused_lines
from standards.parcel import AnswerLine, Parcel, ParcelRecord, Result

#: Keys in one IN list; Oracle takes no more.
IN_LIST = 1000
_STATUS = {"i": "I", "u": "U", "d": "D"}


class Step(Enum):
    """What is to be done with one record."""

    INSERT = "insert"
    UPDATE = "update"
    THERE = "there"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Row:
    """A record as a row."""

    record: ParcelRecord
    values: dict[str, Value]
    uuid: str

    @property
    def deletes(self) -> bool:
        """Whether it takes the record away."""
        return self.record.operation == "d"


@dataclass(frozen=True, slots=True)
class Present:
    """What stands in the table under a key."""

    uuid: str
    batch: str
    provider: str
    revision: int | None


@dataclass(slots=True)
class Prepared:
    """A parcel as rows, and what was refused before anything was written."""

    rows: list[Row] = field(default_factory=list)
    lines: list[AnswerLine] = field(default_factory=list)

    @property
    def refused(self) -> list[AnswerLine]:
        """The lines that say no."""
        return [line for line in self.lines if line.result is Result.REFUSED]


def row_uuid(parcel: UUID, record: ParcelRecord) -> str:
    """data_up_uuid: the same whenever the same parcel writes the same revision."""
    return str(uuid5(NAMESPACE_OID, f"{parcel}/{record.cd_id}/{record.revision}"))


def prepare(parcel: Parcel, shape: Shape, moment: str) -> Prepared:
    """The rows of a parcel; of two revisions of one key only the newer is written.

    cd_time and data_up_time are the moment of writing: the centre reads what is new by them, and would not see a row
    that waited here for an hour and then came with the hour-old time of its parcel.
    """
    newest: dict[str, ParcelRecord] = {}
    prepared = Prepared()
    for record in parcel.records:
        held = newest.get(record.cd_id)
        if held is not None:
            older, record = sorted((held, record), key=lambda r: r.revision)  # noqa: PLW2901
            prepared.lines.append(AnswerLine(cd_id=older.cd_id, result=Result.STALE))
        newest[record.cd_id] = record
    for record in newest.values():
        uuid = row_uuid(parcel.id, record)
        values = record.values() | {
            "cd_time": moment,
            "cd_batch": parcel.batch or record.common.get("cd_batch", ""),
            "data_up_uuid": uuid,
            "data_up_time": moment,
            "data_up_status": _STATUS.get(record.operation, "U"),
            REVISION: str(record.revision),
        }
        row, wrong = shape.row(values, deletes=record.operation == "d")
        if wrong:
            prepared.lines += refused_lines(record.cd_id, wrong)
        else:
            prepared.rows.append(Row(record, row, uuid))
    return prepared


def step_for(row: Row, present: Present | None, batch: str, provider: str) -> Step:
    """What to do with a row, by what stands in the table."""
    if present is None:
        return Step.INSERT
    if present.uuid == row.uuid:
        return Step.THERE
    if present.revision is not None:
        return Step.STALE if present.revision > row.record.revision else Step.UPDATE
    # Batch numbers rise for one provider only; where it is not known to be the same, the hub's own order holds.
    same = bool(provider) and provider == present.provider
    return Step.STALE if same and later(present.batch, batch) else Step.UPDATE


def later(one: str, other: str) -> bool:
    """Whether a batch number (date and running number of the day) is above another."""
    if not (one.isdigit() and other.isdigit() and len(one) >= 13 and len(other) >= 13):
        return False
    return (one[:8], int(one[8:])) > (other[:8], int(other[8:]))


class Writer:
    """The statements for one table: select by keys, insert many, update by key.  Nothing that a dialect lacks."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._table: Table = shape.table
        self._key = self._need("cd_id")
        self._uuid = self._need("data_up_uuid")
        self._batch = self._need("cd_batch")
        # A cd_source that the settings fill says nothing about the provider.
        source = next((s for s in shape.slots if s.element == "cd_source" and not s.fixed), None)
        self._provider = shape.key("provider_code") or (source.key if source else None)
        self._revision = shape.key(REVISION)
        self._update = self._update_of([s.key for s in shape.slots] + list(shape.from_centre))
        self._delete = self._update_of([s.key for s in shape.deletion] + list(shape.from_centre))

    def _need(self, element: str) -> str:
        key = self._shape.key(element)
        assert key is not None, element  # shape_of refuses a table without them
        return key

    def _update_of(self, keys: Iterable[str]) -> Any:
        table = self._table
        values = {key: bindparam(f"v_{key}", type_=table.c[key].type) for key in keys if key != self._key}
        return update(table).where(table.c[self._key] == bindparam("k_cd_id")).values(values)

    def write(self, connection: Connection, rows: Sequence[Row], batch: str) -> list[AnswerLine]:
        """Bring the rows into the table; lines for those that were there or are too old.

        Raises Collided when a row was taken away between looking and writing.
        """
        present = self.present(connection, [r.record.cd_id for r in rows])
        todo: dict[Step, list[Row]] = {step: [] for step in Step}
        for row in rows:
            provider = str(row.values.get(self._provider) or "") if self._provider else ""
            todo[step_for(row, present.get(row.record.cd_id), batch, provider)].append(row)
        self._insert(connection, todo[Step.INSERT])
        self._change(connection, self._update, [r for r in todo[Step.UPDATE] if not r.deletes])
        self._change(connection, self._delete, [r for r in todo[Step.UPDATE] if r.deletes])
        return [
            *(AnswerLine(cd_id=r.record.cd_id, result=Result.DUPLICATE) for r in todo[Step.THERE]),
            *(AnswerLine(cd_id=r.record.cd_id, result=Result.STALE) for r in todo[Step.STALE]),
        ]

    def present(self, connection: Connection, keys: Sequence[str]) -> dict[str, Present]:
        """What stands in the table under these keys."""
        c = self._table.c
        named = [self._key, self._uuid, self._batch]
        named += [k for k in (self._provider, self._revision) if k is not None]
        found = {}
        for some in chunks(keys):
            for row in connection.execute(select(*(c[k] for k in named)).where(c[self._key].in_(some))).mappings():
                found[str(row[c[self._key]])] = Present(
                    uuid=str(row[c[self._uuid]] or ""),
                    batch=str(row[c[self._batch]] or ""),
                    provider=str(row[c[self._provider]] or "") if self._provider else "",
                    revision=_number(row[c[self._revision]]) if self._revision else None,
                )
        return found

    def _insert(self, connection: Connection, rows: Sequence[Row]) -> None:
        for deletes in (False, True):
            some = [r.values for r in rows if r.deletes is deletes]
            if some:
                connection.execute(insert(self._table), some)

    def _change(self, connection: Connection, statement: Any, rows: Sequence[Row]) -> None:
        if not rows:
            return
        empty = dict.fromkeys((f"v_{k}" for k in self._shape.from_centre), None)
        parameters = [
            {**empty, **{f"v_{k}": v for k, v in r.values.items() if k != self._key}, "k_cd_id": r.record.cd_id}
            for r in rows
        ]
        done = connection.execute(statement, parameters).rowcount
        if connection.dialect.supports_sane_multi_rowcount and 0 <= done < len(rows):
            raise Collided


def _number(value: object) -> int | None:
    return int(str(value)) if value is not None and str(value).isdigit() else None


def chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """The keys in lists that every database takes."""
    for start in range(0, len(keys), IN_LIST):
        yield keys[start : start + IN_LIST]
