"""Reading a table that a party fills: new rows are handed over, marked as taken, and answered in their own columns.

    read       rows whose flag says new, or that stand behind the last one read
    kept       the hub has them and gave a receipt number: the flag becomes `taken`, or the mark moves on
    judged     verdict, receipt number and what is wrong go into the row, again when a higher level speaks

A crash between two steps repeats the same rows; what was taken before is a duplicate and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Select,
    Table,
    and_,
    bindparam,
    exc,
    or_,
    select,
    types,
    update,
)

from adapters.base import Surroundings
from adapters.table.cells import text_of
from adapters.table.database import Database
from adapters.table.expected import differences
from adapters.table.source_settings import TableSourceSettings
from standards.clock import SHANGHAI, Clock, SystemClock
from standards.digest import sm3, uuid7
from standards.errors import BadConfiguration
from standards.ports import HandOver, ReceiptView, SourceContext

log = structlog.get_logger()

#: Receipts that are looked at in one turn.
_LOOKS = 20
_PAGE = 500
#: Characters of a message where the column does not say how many it takes.
_MESSAGE = 500
_SETTLED = "settled"
_OFFER = "offer"


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as they were read: their keys, their text, and what guards them against change."""

    keys: list[tuple[Any, ...]]
    lines: list[dict[str, str]]
    guards: list[Any]
    last: tuple[str, ...] = ()


class TableSource:
    """Implements standards.ports.Source."""

    def __init__(self, settings: TableSourceSettings, around: Surroundings, *, clock: Clock | None = None) -> None:
        self.pause = timedelta(seconds=settings.pause_seconds)
        self._s = settings
        self._around = around
        self._clock = clock or SystemClock()
        self._database = Database(settings, around.secret)
        self._table: Table | None = None

    def run_once(self, context: SourceContext) -> int:
        """Take new rows and bring answers back."""
        return self._take(context) + self._answer_all(context)

    def check(self) -> str:
        """Compare the table with the settings and the standard; count what waits."""
        table = self._reflected(fresh=True)
        waiting = self._database.read(lambda c: len(c.execute(self._wanted(table, "")).all()))
        said = f"{self._s.table}：{'至少 ' if waiting >= self._s.rows else ''}{waiting} 行待取 rows waiting"
        if self._s.dataset:
            found = differences(self._around.standard.dataset(self._s.dataset), table)
            said = "；".join([said, *found])
        return said

    def close(self) -> None:
        """Let go of the connection."""
        self._database.close()

    # The table

    def _reflected(self, *, fresh: bool = False) -> Table:
        """The real table.  Raises BadConfiguration with every column that is not there."""
        if self._table is not None and not fresh:
            return self._table

        def work(connection: Connection) -> Table:
            try:
                table = Table(self._s.table, MetaData(schema=self._database.schema), autoload_with=connection)
                if connection.dialect.name == "sqlite":  # it has no times: what is called so holds any text
                    for column in table.columns:
                        if isinstance(column.type, types.DateTime | types.Date):
                            column.type = types.String()
                return table
            except exc.NoSuchTableError as error:
                raise BadConfiguration(
                    f"no table {self._s.table} in {self._database.where}",
                    what_zh=f"{self._database.where} 中没有表 {self._s.table}",
                ) from error

        table = self._database.read(work)
        named = [*self._s.key, *self._s.columns, self._s.flag, self._s.changed, self._s.since, *self._s.answer.columns]
        there = {column.name.lower() for column in table.columns}
        missing = [name for name in named if name and name.lower() not in there]
        if missing:
            raise BadConfiguration(
                f"{self._s.table} has no column {', '.join(missing)}",
                what_zh=f"表 {self._s.table} 没有字段 {'、'.join(missing)}",
                hint=f"there are: {', '.join(c.name for c in table.columns)}",
                hint_zh=f"现有字段：{'、'.join(c.name for c in table.columns)}",
            )
        self._table = table
        return table

    def _column(self, table: Table, name: str) -> Column[Any]:
        return next(column for column in table.columns if column.name.lower() == name.lower())

    # Taking

    def _take(self, context: SourceContext) -> int:
        table = self._reflected()
        mark = (context.memory.recall("mark") or "") if self._s.take == "since" else ""
        batch = self._database.read(lambda c: self._read(c, table, mark))
        if not batch.keys:
            return 0
        body = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in batch.lines).encode()
        kept = context.intake.receive(
            HandOver(
                connection=context.connection,
                external_id=_offer(context, sm3(body).hex()),
                name=self._s.table,
                content_type="application/x-ndjson",
                actor="table",
            ),
            [body],
        )
        # First what is owed an answer, then the mark: a crash between the two repeats rows, it never loses them.
        owed = {"keys": [[text_of(part) for part in key] for key in batch.keys], "version": 0}
        if self._s.answer.columns:
            context.memory.remember(f"receipt:{kept.receipt_no}", json.dumps(owed, ensure_ascii=False))
        marked = len(batch.keys)
        if self._s.take == "flag":
            marked = self._database.write(lambda c: self._mark_taken(c, table, batch))
        else:
            context.memory.remember("mark", json.dumps(batch.last, ensure_ascii=False))
        if marked == len(batch.keys):
            context.memory.forget(_OFFER)
        elif kept.repeated and marked == 0:
            raise BadConfiguration(
                f"rows of {self._s.table} cannot be marked as taken: no row matches key and {self._s.changed}",
                what_zh=f"表 {self._s.table} 的行无法标记为已取：按主键和 {self._s.changed} 找不到对应的行",
                hint="name another column for `changed`, or none",
                hint_zh="请为 changed 另选字段，或不设置",
            )
        return len(batch.keys)

    def _wanted(self, table: Table, mark: str) -> Select[Any]:
        """The next rows: new ones by their flag, or those behind the last in the order of `since` and key."""
        names = self._s.columns or tuple(column.name for column in table.columns)
        read = [self._column(table, name) for name in names]
        keys = [self._column(table, name) for name in self._s.key]
        if self._s.take == "flag":
            flag = self._column(table, self._s.flag)
            conditions = [flag == _typed(flag, value) for value in self._s.new if value]
            if "" in self._s.new:
                conditions.append(flag.is_(None))
                if isinstance(flag.type, types.String):
                    conditions.append(flag == "")
            guard = self._column(table, self._s.changed) if self._s.changed else keys[0]
            statement = select(*keys, guard, *read).where(or_(*conditions)).order_by(*keys)
        else:
            since = self._column(table, self._s.since)
            statement = select(*keys, since, *read).order_by(since, *keys)
            if isinstance(since.type, types.DateTime):
                young = self._clock.now().astimezone(SHANGHAI).replace(tzinfo=None)
                statement = statement.where(since <= young - timedelta(seconds=self._s.behind_seconds))
            if mark or self._s.start:
                last = json.loads(mark) if mark else [self._s.start]
                statement = statement.where(_behind([since, *keys], last, inclusive=not mark))
        return statement.limit(self._s.rows)

    def _read(self, connection: Connection, table: Table, mark: str) -> Batch:
        names = self._s.columns or tuple(column.name for column in table.columns)
        count = len(self._s.key)
        batch = Batch([], [], [])
        last: tuple[str, ...] = ()
        for row in connection.execute(self._wanted(table, mark)):
            key, guard, values = tuple(row[:count]), row[count], row[count + 1 :]
            line = {"@place": f"@{self._s.table}[{_named(self._s.key, key)}]"}
            line |= {name: text_of(value) for name, value in zip(names, values, strict=True)}
            batch.keys.append(key)
            batch.lines.append(line)
            batch.guards.append(guard)
            last = (text_of(guard), *(text_of(part) for part in key))
        return Batch(batch.keys, batch.lines, batch.guards, last)

    def _mark_taken(self, connection: Connection, table: Table, batch: Batch) -> int:
        """How many rows were marked; those that changed meanwhile stay new."""
        flag = self._column(table, self._s.flag)
        condition = [self._column(table, name) == bindparam(f"k{n}") for n, name in enumerate(self._s.key)]
        if self._s.changed:
            condition.append(self._column(table, self._s.changed) == bindparam("guard"))
        statement = update(table).where(and_(*condition)).values({flag.name: _typed(flag, self._s.taken)})
        rows = [
            {**{f"k{n}": part for n, part in enumerate(key)}, **({"guard": guard} if self._s.changed else {})}
            for key, guard in zip(batch.keys, batch.guards, strict=True)
        ]
        counted = connection.execute(statement, rows).rowcount
        return len(rows) if counted < 0 else counted

    # Answering

    def _answer_all(self, context: SourceContext) -> int:
        if not self._s.answer.columns:
            return 0
        done = 0
        for name in context.memory.names("receipt:")[:_LOOKS]:
            done += self._answer(context, name)
        return done

    def _answer(self, context: SourceContext, name: str) -> int:
        owed = json.loads(context.memory.recall(name) or "{}")
        receipt_no = name.partition(":")[2]
        view = context.receipts.receipt(receipt_no)
        if view is None or not owed:
            context.memory.forget(name)
            return 0
        if not view.judged or view.version == owed["version"]:
            return 0
        rows = self._answers(context, view, owed["keys"])
        table = self._reflected()
        self._database.write(lambda c: self._write(c, table, rows))
        if view.state == _SETTLED:
            context.memory.forget(name)
        else:
            context.memory.remember(name, json.dumps({**owed, "version": view.version}, ensure_ascii=False))
        return len(rows)

    def _answers(
        self, context: SourceContext, view: ReceiptView, keys: Sequence[Sequence[str]]
    ) -> list[tuple[Sequence[str], str, str, str]]:
        """Key, verdict, message and receipt number of each row."""
        answer = self._s.answer
        said: dict[int, tuple[str, str]] = {}
        page: ReceiptView | None = view
        while page is not None:
            for record in page.document["records"]:
                said[record["row"]] = (_verdict(record), _message(record))
            after = page.document.get("next", 0)
            page = context.receipts.receipt(view.receipt_no, after=after, limit=_PAGE) if after else None
        if view.document.get("problem"):
            words = view.document["problem"].get("what_zh", "")
            said = dict.fromkeys(range(1, len(keys) + 1), ("rejected", words))
        words_of = answer.model_dump()
        result = []
        for number, key in enumerate(keys, 1):
            verdict, message = said.get(number, ("accepted", ""))
            result.append((key, words_of[verdict], message, view.receipt_no))
        return result

    def _write(self, connection: Connection, table: Table, rows: Sequence[tuple[Sequence[str], str, str, str]]) -> None:
        answer = self._s.answer
        now = self._clock.now().astimezone(SHANGHAI).replace(tzinfo=None, microsecond=0)
        keys = [self._column(table, name) for name in self._s.key]
        condition = [column == bindparam(f"k{n}") for n, column in enumerate(keys)]
        if self._s.take == "flag":  # a row that was changed and is new again waits for its own answer
            flag = self._column(table, self._s.flag)
            condition.append(flag == _typed(flag, self._s.taken))
        given: dict[str, Any] = {
            name: bindparam(parameter)
            for name, parameter in (
                (answer.result, "said"),
                (answer.message, "message"),
                (answer.receipt, "number"),
                (answer.time, "moment"),
            )
            if name
        }
        given = {self._column(table, name).name: value for name, value in given.items()}
        statement = update(table).where(and_(*condition)).values(given)
        longest = _length(self._column(table, answer.message)) if answer.message else _MESSAGE
        moment: Any = now
        if answer.time and isinstance(self._column(table, answer.time).type, types.String):
            moment = now.isoformat(" ", "seconds")
        parameters = []
        for key, said, message, number in rows:
            values: dict[str, Any] = {f"k{n}": _typed(keys[n], part) for n, part in enumerate(key)}
            if answer.result:
                values["said"] = _typed(self._column(table, answer.result), said)
            if answer.message:
                values["message"] = message[:longest]
            if answer.receipt:
                values["number"] = number
            if answer.time:
                values["moment"] = moment
            parameters.append(values)
        connection.execute(statement, parameters)


def _offer(context: SourceContext, digest: str) -> str:
    """The id of this hand-over: the one it was begun with, where a crash came between keeping and marking."""
    known = json.loads(context.memory.recall(_OFFER) or "{}")
    if known.get("digest") == digest:
        return str(known["id"])
    made = {"digest": digest, "id": str(uuid7())}
    context.memory.remember(_OFFER, json.dumps(made))
    return made["id"]


def _verdict(record: Mapping[str, Any]) -> str:
    """A record's verdict, a refusal of a higher level above ours."""
    if any(f.get("level") for f in record["findings"]):
        return "refused"
    return str(record["verdict"]) or "accepted"


def _message(record: Mapping[str, Any]) -> str:
    return "；".join(f"[{f['code']}] {f['text']}。{f['hint']}" for f in record["findings"])


def _named(names: Sequence[str], key: Sequence[Any]) -> str:
    return ",".join(f"{name}={text_of(part)}" for name, part in zip(names, key, strict=True))[:150]


def _length(column: Column[Any]) -> int:
    return getattr(column.type, "length", None) or _MESSAGE


def _typed(column: Column[Any], text: str) -> Any:
    """A text as a value of the column's type, for comparing and writing."""
    kind = column.type
    try:
        if isinstance(kind, types.Integer):
            return int(text)
        if isinstance(kind, types.Numeric):
            return kind.python_type(text)
        if isinstance(kind, types.DateTime):
            return datetime.fromisoformat(text)
        if isinstance(kind, types.Date):
            return datetime.fromisoformat(text).date()
        if isinstance(kind, types.Boolean):
            return text in ("1", "true", "t")
    except ValueError as error:
        raise BadConfiguration(
            f"the column {column.name} ({kind}) cannot hold {text!r}",
            what_zh=f"字段 {column.name}（{kind}）不能取值 {text}",
        ) from error
    return text


def _behind(columns: Sequence[Column[Any]], last: Sequence[str], *, inclusive: bool) -> ColumnElement[bool]:
    """Rows that come after `last` in the order of the columns; with AND and OR only, which every database has."""
    steps: list[ColumnElement[bool]] = []
    for n, column in enumerate(columns[: len(last)]):
        before = [c == _typed(c, value) for c, value in zip(columns[:n], last[:n], strict=True)]
        value = _typed(column, last[n])
        final = n == len(last) - 1
        steps.append(and_(*before, column >= value if inclusive and final else column > value))
    return or_(*steps)
