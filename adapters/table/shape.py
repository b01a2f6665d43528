"""A real front-end table beside the standard: which element goes into which column, as what, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Column, MetaData, Table, types
from sqlalchemy.engine.reflection import Inspector

from adapters.base import StandardView
from adapters.table.settings import TableSettings
from standards.encodings import encode
from standards.errors import BadSetup
from standards.exports.ddl import short_name
from standards.model import DataSet, Element, FilledBy, Mark
from standards.parcel import AnswerLine, Result

#: Named in `columns` like an element: the revision, where a table has a column for it.
REVISION = "revision"
#: What every front-end table must have (the seven of DOMAIN 1.3, and the batch that a row belongs to).
SEVEN = ("cd_id", "cd_time", "cd_source", "cd_operation", "data_up_time", "data_up_status", "data_up_uuid")
NEEDED = (*SEVEN, "cd_batch")
#: What the centre writes into a row it has merged.
FROM_CENTRE = ("cd_lsh", "cd_hb_source", "cd_hb_time")
#: Technical elements that a row which deletes carries, besides the key.
_OF_DELETION = (*NEEDED, "dataset_version", "provider_code", "owner_org_code", "trace_id", "content_digest", REVISION)

Value = str | int | Decimal | date | datetime | None


@dataclass(frozen=True, slots=True)
class RealColumn:
    """A column as the database describes it."""

    name: str
    type: types.TypeEngine[Any]
    nullable: bool = True
    has_default: bool = False

    @property
    def length(self) -> int | None:
        """How long a text may be; None: as long as it likes."""
        return getattr(self.type, "length", None) if isinstance(self.type, types.String) else None


@dataclass(frozen=True, slots=True)
class RealTable:
    """A table as the database describes it."""

    name: str
    schema: str | None
    columns: tuple[RealColumn, ...]
    #: Sets of columns that are unique, in lower case.
    unique: tuple[frozenset[str], ...] = ()

    def by_low_name(self) -> dict[str, RealColumn]:
        """The columns by their names in lower case."""
        return {c.name.lower(): c for c in self.columns}

    def as_table(self, renamed: Mapping[str, str] | None = None) -> Table:
        """For SQLAlchemy, names quoted where they need it; keyed by lower case, or as `renamed` says of that."""
        keys = renamed or {}
        held = [Column(c.name, c.type, key=keys.get(c.name.lower(), c.name.lower())) for c in self.columns]
        return Table(self.name, MetaData(), *held, schema=self.schema)


def find_table(inspector: Inspector, name: str, schema: str | None, *, unique: bool = False) -> RealTable | None:
    """The table, whatever letter case it was made in; None when there is none."""
    for candidate in dict.fromkeys((name, name.lower(), name.upper(), short_name(name.lower()))):
        if not inspector.has_table(candidate, schema):
            continue
        candidate = _as_it_is_called(inspector, candidate, schema)  # noqa: PLW2901
        columns = tuple(
            RealColumn(c["name"], c["type"], bool(c.get("nullable", True)), _has_default(c))
            for c in inspector.get_columns(candidate, schema)
        )
        return RealTable(candidate, schema, columns, _unique_sets(inspector, candidate, schema) if unique else ())
    return None


def _as_it_is_called(inspector: Inspector, name: str, schema: str | None) -> str:
    """The name in its own letter case: SQLite finds a table by any, but tells its unique keys only by this one."""
    names = inspector.get_table_names(schema)
    return name if name in names else next((n for n in names if n.lower() == name.lower()), name)


def _has_default(column: Mapping[str, Any]) -> bool:
    made = (column.get("default"), column.get("identity"), column.get("computed"))
    return any(made) or column.get("autoincrement") is True


def _unique_sets(inspector: Inspector, name: str, schema: str | None) -> tuple[frozenset[str], ...]:
    found = [inspector.get_pk_constraint(name, schema).get("constrained_columns") or []]
    found += [c["column_names"] for c in inspector.get_unique_constraints(name, schema)]
    found += [[n or "" for n in i["column_names"]] for i in inspector.get_indexes(name, schema) if i.get("unique")]
    return tuple(frozenset(n.lower() for n in names) for names in found if names)


def missing_table(name: str, where: str) -> BadSetup:
    """The operator's error about a table that is not there."""
    return BadSetup(
        f"there is no table {name} in {where}",
        what_zh=f"前置库 {where} 中没有表 {name}",
        hint="make it with the DDL of `hub standard export`, or name it in `tables`; check the schema and the rights",
        hint_zh="请用 hub standard export 导出的建表语句建表，或在 tables 中写明实际表名；并检查模式名和权限",
    )


@dataclass(frozen=True, slots=True)
class Slot:
    """One element and its column."""

    element: str
    title: str
    #: Key of the column in the SQLAlchemy table.
    key: str
    convert: Callable[[str], Value] | None
    #: Longest text, and how it is measured; None: not limited.
    limit: int | None
    measure: Callable[[str], int]
    #: The database demands a value.
    required: bool
    #: Stands in place of the record's value.
    fixed: str = ""
    #: How much a number may hold: digits before and after the point.
    digits: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything that writing into one table needs."""

    dataset: DataSet
    real: RealTable
    table: Table
    slots: tuple[Slot, ...]
    #: The slots that a row which deletes writes.
    deletion: tuple[Slot, ...]
    #: Keys of the columns the centre writes; emptied when a row is replaced.
    from_centre: tuple[str, ...]

    def key(self, element: str) -> str | None:
        """The column an element is in, or None."""
        return next((s.key for s in self.slots if s.element == element), None)

    def row(self, values: Mapping[str, str], *, deletes: bool) -> tuple[dict[str, Value], list[tuple[Slot, str, str]]]:
        """The row, and what does not fit: slot, finding code, words."""
        row: dict[str, Value] = {}
        wrong: list[tuple[Slot, str, str]] = []
        for slot in self.deletion if deletes else self.slots:
            text = slot.fixed or values.get(slot.element, "")
            if not text:
                if slot.required and not deletes:
                    wrong.append((slot, "10001", "目标表要求必填 (the receiving table demands a value)"))
                row[slot.key] = None
            elif slot.limit is not None and len(text) * 4 > slot.limit and slot.measure(text) > slot.limit:
                wrong.append((slot, "10003", _too_long(slot, text)))
            elif slot.convert is None:
                row[slot.key] = text
            else:
                try:
                    row[slot.key] = slot.convert(text)
                except (ValueError, InvalidOperation):
                    wrong.append((slot, "10004", "目标字段类型存不下该值 (the receiving column cannot hold the value)"))
        return row, wrong


def _too_long(slot: Slot, text: str) -> str:
    length = slot.measure(text)
    return (
        f"目标字段最长 {slot.limit}，该值长 {length} (the receiving column holds {slot.limit}, the value has {length})"
    )


def refused_lines(cd_id: str, wrong: Iterable[tuple[Slot, str, str]]) -> list[AnswerLine]:
    """What does not fit, as the receiver's words about a record."""
    return [
        AnswerLine(
            cd_id=cd_id, result=Result.REFUSED, code=code, element=slot.element, message=f"“{slot.title}”{words}"
        )
        for slot, code, words in wrong
    ]


def elements_of(dataset: DataSet, standard: StandardView) -> tuple[Element, ...]:
    """Common and own elements as a front-end table has them."""
    return (*(e for e in standard.common if e.id not in dataset.by_id), *dataset.elements)


def column_for(element: str, settings: TableSettings, columns: Mapping[str, RealColumn]) -> RealColumn | None:
    """The real column of an element: as the settings say, by its name, or by its name cut for old Oracle."""
    named = settings.columns.get(element)
    if named is not None:
        return columns.get(named.lower())
    return columns.get(element) or columns.get(short_name(element))


def may_be_left_out(element: Element, settings: TableSettings) -> bool:
    """Whether a missing column is no fault."""
    if element.id in NEEDED:
        return False
    if settings.leave_out == "any" or element.filled_by is FilledBy.RECEIVER:
        return True
    return settings.leave_out == "own" and element.mark is Mark.OWN


def shape_of(dataset: DataSet, standard: StandardView, real: RealTable, settings: TableSettings, where: str) -> Shape:
    """Fit the data set to its real table.  Raises BadSetup with every column that is missing."""
    columns = real.by_low_name()
    slots: list[Slot] = []
    missing: list[str] = []
    for element in elements_of(dataset, standard):
        column = column_for(element.id, settings, columns)
        if element.filled_by is FilledBy.RECEIVER:
            continue
        if column is not None:
            slots.append(_slot(element, column, settings))
        elif not may_be_left_out(element, settings):
            missing.append(element.id)
    if missing:
        names = "、".join(missing)
        raise BadSetup(
            f"the table {real.name} in {where} lacks the columns {', '.join(missing)}",
            what_zh=f"前置库 {where} 的表 {real.name} 缺少字段：{names}",
            hint="run the connection test; it tells every difference. Names that differ go into `columns`",
            hint_zh="请运行连接测试查看全部差异；名称不同的字段写入 columns",
        )
    if (named := settings.columns.get(REVISION)) and (column := columns.get(named.lower())):
        slots.append(_of_column(REVISION, "修订号", column, settings))
    keys = {*_OF_DELETION, *dataset.natural_key}
    receiver = [column_for(name, settings, columns) for name in FROM_CENTRE]
    return Shape(
        dataset=dataset,
        real=real,
        table=real.as_table(),
        slots=tuple(slots),
        deletion=tuple(s for s in slots if s.element in keys),
        from_centre=tuple(c.name.lower() for c in receiver if c is not None),
    )


def _slot(element: Element, column: RealColumn, settings: TableSettings) -> Slot:
    return _of_column(element.id, element.title, column, settings)


def _of_column(element: str, title: str, column: RealColumn, settings: TableSettings) -> Slot:
    digits = None
    kind = column.type
    if isinstance(kind, types.Numeric) and not isinstance(kind, types.Float) and kind.precision is not None:
        scale = kind.scale or 0
        digits = (kind.precision - scale, scale)
    return Slot(
        element=element,
        title=title,
        key=column.name.lower(),
        convert=_converter(kind, digits),
        limit=column.length,
        measure=_measure(settings.length_in),
        required=not column.nullable and not column.has_default,
        fixed=settings.fill.get(element, ""),
        digits=digits,
    )


def _measure(length_in: str) -> Callable[[str], int]:
    if length_in == "characters":
        return len
    return lambda text: len(encode(text, length_in, "replace"))


def _converter(kind: types.TypeEngine[Any], digits: tuple[int, int] | None) -> Callable[[str], Value] | None:
    """Canonical text as what the driver wants; None: text as it is."""
    if isinstance(kind, types.String):
        return None
    if isinstance(kind, types.DateTime):
        return datetime.fromisoformat
    if isinstance(kind, types.Date):
        return lambda text: date.fromisoformat(text[:10])
    if isinstance(kind, types.Integer):
        return int
    if isinstance(kind, types.Numeric):
        return (lambda text: _fitting(text, digits)) if digits else Decimal
    if isinstance(kind, types.Boolean):
        return lambda text: {"1": 1, "0": 0}[text] if text in "10" else int(text)
    return None


def _fitting(text: str, digits: tuple[int, int]) -> Decimal:
    """The number; ValueError when the column would round it or overflow."""
    number = Decimal(text)
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(whole.lstrip("0")) > digits[0] or len(fraction.rstrip("0")) > digits[1]:
        raise ValueError("does not fit")
    return number
