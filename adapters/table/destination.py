"""Parcels into front-end tables: each parcel one transaction, each record one row, verdicts read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, false, insert, literal, select, update

from adapters.base import StandardView, Surroundings
from adapters.table.compare import Difference, compare
from adapters.table.database import Database
from adapters.table.settings import TableSettings
from adapters.table.shape import RealTable, Shape, find_table, missing_table, shape_of
from adapters.table.verdicts import Verdicts
from adapters.table.writing import Writer, later, prepare, row_uuid
from standards.clock import Clock, SystemClock, local_text
from standards.errors import BadSetup, HubError, ReceiverRefused, UnknownName
from standards.model import DataSet
from standards.parcel import Answer, AnswerLine, Parcel
from standards.ports import Awaited

#: Mild differences told in full by the connection test; grave ones all are.
_TOLD = 40


class FrontTable:
    """Implements standards.ports.Destination."""

    def __init__(self, settings: TableSettings, around: Surroundings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._standard: StandardView = around.standard
        self._name = around.name
        self._level = settings.level or around.level
        self._clock = clock or SystemClock()
        self.database = Database(settings, around.secret)
        self._stores = (
            Database(settings.verdict_database, around.secret) if settings.verdict_database else self.database
        )
        self._verdicts = Verdicts(settings, self.database, self._stores, self._front_of)
        self._shapes: dict[tuple[str, str], tuple[Shape, Writer]] = {}
        self._ask_at: datetime | None = None

    def deliver(self, parcel: Parcel) -> Answer:
        """Write the parcel's rows in one transaction."""
        shape, writer = self._shape(parcel.dataset, parcel.version)
        moment = local_text(self._clock.now())
        prepared = prepare(parcel, shape, moment)
        awaited = self._settings.verdict != "written"
        if awaited and prepared.rows and prepared.refused:
            raise _in_parts(prepared.refused)
        try:
            told = self.database.write(lambda c: writer.write(c, prepared.rows, parcel.batch)) if prepared.rows else []
        except HubError:
            # The table may have been changed under us: look again before the next attempt.
            self._shapes.pop((parcel.dataset, parcel.version), None)
            raise
        return Answer(
            awaiting=awaited and bool(prepared.rows),
            lines=tuple(prepared.lines + told),
            speaker=self._name,
            level=self._level,
            receipt_no=parcel.batch,
            detail={"table": shape.real.name, "rows": len(prepared.rows), "written_at": moment},
        )

    def collect(self, awaited: Sequence[Awaited]) -> Iterable[tuple[UUID, Answer]]:
        """What the centre says of rows that were written earlier."""
        now = self._clock.now()
        if self._settings.verdict == "written" or (self._ask_at is not None and now < self._ask_at):
            return
        for parcel, answer in self._verdicts.of(awaited, now):
            yield (
                parcel.parcel_id,
                Answer(
                    lines=answer.lines,
                    speaker=self._name,
                    level=self._level,
                    receipt_no=answer.receipt_no,
                    detail=answer.detail,
                ),
            )
        self._ask_at = now + timedelta(seconds=self._settings.ask_seconds)

    def stored(self, parcel: Parcel) -> bool | None:
        """Whether the parcel's rows are there, or newer ones in their place."""
        _, writer = self._shape(parcel.dataset, parcel.version)
        newest = {r.cd_id: r for r in sorted(parcel.records, key=lambda r: r.revision)}
        present = self.database.read(lambda c: writer.present(c, list(newest)))
        if set(present) != set(newest):
            return False
        return all(
            present[key].uuid == row_uuid(parcel.id, record) or later(present[key].batch, parcel.batch)
            for key, record in newest.items()
        )

    def holding(self, dataset: str, cd_ids: Sequence[str]) -> set[str]:
        """Those of these records that are there: as far as `verdict` says, written, merged, or passed."""
        if self._settings.verdict != "written":
            return self._verdicts.holding(dataset, cd_ids)
        _, writer = self._shape(dataset, self._standard.dataset(dataset).version)
        return set(self.database.read(lambda c: writer.present(c, cd_ids)))

    def close(self) -> None:
        """Let go of the connections."""
        self.database.close()
        self._stores.close()

    # The tables

    def _shape(self, dataset_id: str, version: str) -> tuple[Shape, Writer]:
        held = self._shapes.get((dataset_id, version))
        if held is None:
            dataset = self._standard.dataset(dataset_id, version)
            real = self._real(dataset)
            shape = shape_of(dataset, self._standard, real, self._settings, self.database.where)
            held = self._shapes[dataset_id, version] = (shape, Writer(shape))
        return held

    def _real(self, dataset: DataSet, *, unique: bool = False) -> RealTable:
        real = self._find(dataset, unique=unique)
        if real is None:
            raise missing_table(self._table_name(dataset), self.database.where)
        return real

    def _find(self, dataset: DataSet, *, unique: bool = False) -> RealTable | None:
        name = self._table_name(dataset)
        return self.database.look(lambda i: find_table(i, name, self.database.schema, unique=unique))

    def _table_name(self, dataset: DataSet) -> str:
        return self._settings.front_table(dataset.id, dataset.table)

    def _front_of(self, dataset_id: str) -> tuple[DataSet, RealTable]:
        dataset = self._standard.dataset(dataset_id)
        return dataset, self._real(dataset)

    # The connection test

    def check(self) -> str:
        """Connect, compare every table with the standard, and try the rights without changing anything.

        Raises BadSetup that lists every grave difference; others are told in what it returns.
        """
        found = self._datasets_there()
        differences: list[Difference] = []
        for dataset, real in found:
            differences += compare(dataset, self._standard, real, self._settings)
        grave = [d for d in differences if d.grave]
        if grave:
            raise BadSetup(
                f"{len(grave)} differences from the standard in {self.database.where}:\n" + _listed(grave, "en"),
                what_zh=f"前置库 {self.database.where} 与标准有 {len(grave)} 处不符：\n" + _listed(grave, "zh"),
                hint="change the tables, or name them in tables and columns, or see leave_out",
                hint_zh="请按标准修改表结构，或在 tables、columns 中写明实际名称，或调整 leave_out",
            )
        for _, real in found:
            self._try_rights(real)
        if self._settings.verdict != "written":
            for dataset, _ in found:
                self._verdicts.tables(dataset.id)
        mild = [d for d in differences if not d.grave]
        said = (
            f"{self.database.where}：{len(found)} 张表符合标准，可读写"
            f" ({len(found)} tables as in the standard, can be read and written)"
        )
        return said if not mild else f"{said}\n{_listed(mild, 'zh', _TOLD)}"

    def _datasets_there(self) -> list[tuple[DataSet, RealTable]]:
        if self._settings.datasets:
            sets = [self._standard.dataset(name) for name in self._settings.datasets]
            return [(dataset, self._real(dataset, unique=True)) for dataset in sets]
        found = [(d, real) for d in self._known() if (real := self._find(d, unique=True)) is not None]
        if not found:
            raise BadSetup(
                f"none of the standard's tables is in {self.database.where}",
                what_zh=f"前置库 {self.database.where} 中没有任何标准规定的表",
                hint="make them with the DDL of `hub standard export`; check schema, prefix and rights",
                hint_zh="请用 hub standard export 导出的建表语句建表，并检查 schema、prefix 和权限",
            )
        return found

    def _known(self) -> Iterable[DataSet]:
        """Every data set of the standard; of a view that cannot list them, those that the settings name."""
        every = getattr(self._standard, "ids", None)
        names: Iterable[str] = every() if callable(every) else self._settings.tables
        for name in names:
            try:
                yield self._standard.dataset(name)
            except UnknownName:
                continue

    def _try_rights(self, real: RealTable) -> None:
        """Select, insert and update that touch no row: the database checks the rights all the same."""
        self.database.write(lambda connection: _touch_nothing(connection, real))


def _in_parts(refused: Sequence[AnswerLine]) -> ReceiverRefused:
    """Some records do not fit, and the verdict on the others comes later: the hub sends smaller parcels, until those
    that do not fit are alone and those that fit can be awaited."""
    first = refused[0]
    return ReceiverRefused(
        f"{len({line.cd_id for line in refused})} records do not fit the receiving table",
        what_zh=first.message,
        params={"code": first.code, "element": first.element},
    )


def _touch_nothing(connection: Connection, real: RealTable) -> None:
    table = real.as_table()
    connection.execute(select(table.c.cd_id).limit(1)).all()
    # Some databases want a value for every column that demands one, even where no row comes.
    demanding = {c.name.lower() for c in real.columns if not c.nullable and not c.has_default} | {"cd_id"}
    columns = [c for c in table.c if c.key in demanding]
    connection.execute(insert(table).from_select(columns, select(*columns).where(false())))
    connection.execute(update(table).where(table.c.cd_id == literal(""), false()).values(cd_id=table.c.cd_id))


def _listed(differences: Sequence[Difference], language: str, most: int | None = None) -> str:
    lines = [f"- {d.in_words(language)}" for d in differences[:most]]
    if len(differences) > len(lines):
        rest = len(differences) - len(lines)
        lines.append(f"- …（另有 {rest} 处）" if language == "zh" else f"- … ({rest} more)")
    return "\n".join(lines)
