"""What the centre says of rows it was given: merged, passed, or wrong in which column.

A row gets its serial number cd_lsh when it is merged; by it the error tables name column and message, and the base
table holds what passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, select

from adapters.table.database import Database
from adapters.table.settings import TableSettings
from adapters.table.shape import FROM_CENTRE, RealTable, find_table, missing_table
from adapters.table.writing import chunks
from standards.clock import SHANGHAI
from standards.errors import BadSetup
from standards.model import DataSet
from standards.parcel import Answer, AnswerLine, Result
from standards.ports import Awaited

#: What a row is asked for.
_ASKED = ("cd_id", "cd_batch", *FROM_CENTRE)
#: The catalogue's code for what a receiver says in its own words.
REFUSED = "90002"


@dataclass(frozen=True, slots=True)
class State:
    """How far one row has come at the centre."""

    cd_id: str
    batch: str
    lsh: str
    source: str
    merged_at: str

    @property
    def merged(self) -> bool:
        """Whether the centre has taken it over."""
        return bool(self.lsh or self.merged_at)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables a data set's verdicts are read from."""

    states: Table
    detail: Table | None
    index: Table | None
    base: Table | None
    #: Column of the front-end table, in lower case -> element.
    elements: dict[str, str]


class Verdicts:
    """Reads back what became of parcels."""

    def __init__(
        self,
        settings: TableSettings,
        front: Database,
        stores: Database,
        front_of: Callable[[str], tuple[DataSet, RealTable]],
    ) -> None:
        self._settings = settings
        self._front = front
        self._stores = stores
        self._front_of = front_of
        self._tables: dict[str, Tables] = {}

    def of(self, awaited: Sequence[Awaited], now: datetime) -> Iterator[tuple[Awaited, Answer]]:
        """The parcels of which every record has a verdict."""
        by_dataset: dict[str, list[Awaited]] = {}
        for parcel in awaited:
            by_dataset.setdefault(parcel.dataset, []).append(parcel)
        for dataset, parcels in by_dataset.items():
            tables = self.tables(dataset)
            for parcel in self._ripe(tables, parcels):
                answer = self._answer(tables, parcel, now)
                if answer is not None:
                    yield parcel, answer

    def holding(self, dataset: str, cd_ids: Sequence[str]) -> set[str]:
        """Those of these records that the centre has: in its base store, or merged where none is read."""
        tables = self.tables(dataset)
        states = self._states(tables, cd_ids)
        if tables.base is None:
            return {key for key, one in states.items() if one.merged}
        present = self._present(tables.base, [one.lsh for one in states.values() if one.lsh])
        return {key for key, one in states.items() if one.lsh in present}

    def _ripe(self, tables: Tables, parcels: Sequence[Awaited]) -> list[Awaited]:
        """Parcels whose first and last record are merged; the others need not be looked at row by row."""
        ends = {key for p in parcels if p.cd_ids for key in (p.cd_ids[0], p.cd_ids[-1])}
        merged = {key: s for key, s in self._states(tables, sorted(ends)).items() if s.merged}
        return [p for p in parcels if p.cd_ids and p.cd_ids[0] in merged and p.cd_ids[-1] in merged]

    def _answer(self, tables: Tables, parcel: Awaited, now: datetime) -> Answer | None:
        states = self._states(tables, parcel.cd_ids)
        if len(states) < len(set(parcel.cd_ids)) or not all(s.merged for s in states.values()):
            return None
        lines: list[AnswerLine] = []
        # A row that a later batch has replaced was taken over before that, or is made good by it.
        ours = [s for s in states.values() if not parcel.batch or s.batch == parcel.batch]
        if self._settings.verdict == "judged":
            judged = self._judge(tables, ours, now)
            if judged is None:
                return None
            lines = judged
        lines += [
            AnswerLine(cd_id=s.cd_id, result=Result.STALE)
            for s in states.values()
            if parcel.batch and s.batch != parcel.batch
        ]
        return Answer(
            lines=tuple(lines),
            receipt_no=parcel.batch,
            detail={
                "merged_from": sorted({s.source for s in ours if s.source}),
                "merged_at": max((s.merged_at for s in ours), default=""),
                "serials": [min(s.lsh for s in ours), max(s.lsh for s in ours)] if ours else [],
            },
        )

    def _judge(self, tables: Tables, states: Sequence[State], now: datetime) -> list[AnswerLine] | None:
        """Lines about the rows in the error tables; None while one of the others has not passed."""
        by_lsh = {s.lsh: s for s in states if s.lsh}
        if len(by_lsh) < len(states):
            return None
        wrong = self._wrong(tables, by_lsh)
        open_ones = [s for s in states if s.lsh not in wrong]
        if tables.base is not None:
            passed = self._present(tables.base, [s.lsh for s in open_ones])
            if any(s.lsh not in passed for s in open_ones):
                return None
        elif not all(_old_enough(s, now, self._settings.clean_minutes) for s in open_ones):
            return None
        return [line for lsh in by_lsh for line in wrong.get(lsh, ())]

    def _wrong(self, tables: Tables, by_lsh: dict[str, State]) -> dict[str, list[AnswerLine]]:
        found: dict[str, list[AnswerLine]] = {}
        lshs = sorted(by_lsh)
        if tables.detail is not None:
            c = tables.detail.c
            asked = select(c.cd_lsh, c.error_column, c.msg)
            for row in self._rows(self._stores, lambda some: asked.where(c.cd_lsh.in_(some)), lshs):
                lsh, column, message = (str(v or "").strip() for v in row)
                line = _line(by_lsh[lsh].cd_id, column, message, tables.elements)
                if line not in found.setdefault(lsh, []):
                    found[lsh].append(line)
        if tables.index is not None:
            for lsh in self._present(tables.index, [one for one in lshs if one not in found]):
                words = "上级平台判为错误数据，未给出明细 (wrong by the centre, which gives no detail)"
                found[lsh] = [_line(by_lsh[lsh].cd_id, "", words, {})]
        return found

    def _present(self, table: Table, lshs: Sequence[str]) -> set[str]:
        c = table.c
        rows = self._rows(self._stores, lambda some: select(c.cd_lsh).where(c.cd_lsh.in_(some)), lshs)
        return {str(row[0]) for row in rows}

    def _states(self, tables: Tables, keys: Sequence[str]) -> dict[str, State]:
        c = tables.states.c
        database = self._stores if self._settings.merge_table else self._front
        named = [c[name] for name in _ASKED if name in c]
        names = [name for name in _ASKED if name in c]
        states: dict[str, State] = {}
        for row in self._rows(database, lambda some: select(*named).where(c.cd_id.in_(some)), keys):
            told = dict(zip(names, row, strict=True))
            state = State(
                cd_id=str(told["cd_id"]),
                batch=_text(told.get("cd_batch")),
                lsh=_text(told.get("cd_lsh")),
                source=_text(told.get("cd_hb_source")),
                merged_at=_text(told.get("cd_hb_time")),
            )
            # A merge store may keep every version of a row: the newest speaks.
            if state.cd_id not in states or (state.batch, state.merged_at) >= (
                states[state.cd_id].batch,
                states[state.cd_id].merged_at,
            ):
                states[state.cd_id] = state
        return states

    @staticmethod
    def _rows(database: Database, statement: Callable[[Sequence[str]], Any], keys: Sequence[str]) -> list[Any]:
        def work(connection: Connection) -> list[Any]:
            return [row for some in chunks(keys) for row in connection.execute(statement(some))]

        return database.read(work) if keys else []

    def tables(self, dataset: str) -> Tables:
        """The tables of a data set.  Raises BadSetup with the one that is missing."""
        held = self._tables.get(dataset)
        if held is None:
            held = self._tables[dataset] = self._find(dataset)
        return held

    def _find(self, dataset: str) -> Tables:
        definition, front = self._front_of(dataset)
        s = self._settings
        renamed = {column.lower(): element for element, column in s.columns.items()}
        elements = {name: name for name in definition.by_id} | renamed
        judged = s.verdict == "judged"
        if s.merge_table:
            states = self._need(s.beside(s.merge_table, dataset, definition.table), ("cd_id",)).as_table()
        else:
            states = front.as_table(renamed)

        def beside(pattern: str, *columns: str) -> Table | None:
            if not judged or not pattern:
                return None
            return self._need(s.beside(pattern, dataset, definition.table), columns).as_table()

        return Tables(
            states=states,
            detail=beside(s.detail_table, "cd_lsh", "error_column", "msg"),
            index=beside(s.index_table, "cd_lsh"),
            base=beside(s.base_table, "cd_lsh"),
            elements=elements,
        )

    def _need(self, name: str, columns: Sequence[str]) -> RealTable:
        real = self._stores.look(lambda inspector: find_table(inspector, name, self._stores.schema))
        if real is None:
            raise missing_table(name, self._stores.where)
        if missing := set(columns) - set(real.by_low_name()):
            names = "、".join(sorted(missing))
            raise BadSetup(
                f"the table {name} in {self._stores.where} lacks {', '.join(sorted(missing))}",
                what_zh=f"{self._stores.where} 的表 {name} 缺少字段：{names}",
            )
        return real


def _line(cd_id: str, column: str, message: str, elements: dict[str, str]) -> AnswerLine:
    element = elements.get(column.lower(), "")
    if column and not element:
        message = f"{column}：{message}"
    return AnswerLine(
        cd_id=cd_id, result=Result.REFUSED, code=REFUSED, element=element, message=message or "上级平台判为错误数据"
    )


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)


def _old_enough(state: State, now: datetime, minutes: float) -> bool:
    try:
        merged = datetime.fromisoformat(state.merged_at).replace(tzinfo=SHANGHAI)
    except ValueError:
        return False
    return now - merged >= timedelta(minutes=minutes)
