"""From a record's values to the row a system wants; a value that does not fit refuses its record, not the parcel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from mappings.convert import OPEN_END
from mappings.outward.grammar import OutColumn, OutFile

#: Column -> text, nested where the name has slashes.
Row = dict[str, "str | Row"]
_UNITS = {"元": 1, "千元": 1000, "万元": 10_000, "百万元": 1_000_000, "亿元": 100_000_000}
_OPERATION = "cd_operation"


class Unfit(Exception):
    """A record that the form cannot hold."""

    def __init__(self, element: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.element = element
        self.zh = zh
        self.en = en


@dataclass(frozen=True, slots=True)
class OutForm:
    """A form ready for use."""

    name: str
    file: OutFile
    _columns: tuple[tuple[tuple[str, ...], Callable[[Mapping[str, str]], str]], ...]

    @classmethod
    def of(cls, name: str, file: OutFile) -> OutForm:
        """Compile a form."""
        made = []
        for column, spec in file.columns.items():
            walk = file.crosswalks.get(spec.codes or "", {})
            made.append((tuple(column.split("/")), _column(column, spec, walk)))
        return cls(name, file, tuple(made))

    @property
    def tells_removal(self) -> bool:
        """Whether the form can say that a record is taken away."""
        return any(_OPERATION in spec.elements for spec in self.file.columns.values())

    def row(self, values: Mapping[str, str]) -> Row:
        """The row of a record; `values` are own and common elements.  Raises Unfit."""
        if values.get(_OPERATION) == "d" and not self.tells_removal:
            raise Unfit(
                _OPERATION, "对方格式无法表示删除，请通知对方人工撤下", "the form cannot say that a record goes"
            )
        row: Row = {}
        for path, column in self._columns:
            place = row
            for step in path[:-1]:
                place = place.setdefault(step, {})  # type: ignore[assignment]
            place[path[-1]] = column(values)
        return row

    def key(self, row: Row) -> tuple[str, ...]:
        """What names a row."""
        return tuple(str(at(row, name)) for name in self.file.key)


def at(row: Row, name: str) -> str | Row:
    """The value of a column."""
    value: str | Row = row
    for step in name.split("/"):
        if not isinstance(value, dict):
            return ""
        value = value.get(step, "")
    return value


def _column(name: str, spec: OutColumn, walk: Mapping[str, str]) -> Callable[[Mapping[str, str]], str]:
    source = _source(spec)
    element = spec.elements[0] if spec.elements else ""

    def value(values: Mapping[str, str]) -> str:
        text = source(values)
        if text and spec.codes is not None:
            text = _translated(text, spec, walk, element, name)
        if text and (spec.date or spec.open_end):
            text = _dated(text, spec, element)
        if text and (spec.unit is not None or spec.places is not None):
            text = _counted(text, spec, element)
        text = text or spec.default
        if spec.max is not None and len(text) > spec.max:
            raise Unfit(
                element,
                f"对方 {name} 最长 {spec.max} 个字符，现有 {len(text)} 个",
                f"{name} takes {spec.max} characters, there are {len(text)}",
            )
        return text

    return value


def _source(spec: OutColumn) -> Callable[[Mapping[str, str]], str]:
    if spec.const is not None:
        const = spec.const
        return lambda _values: const
    if spec.from_ is not None:
        name = spec.from_
        if spec.with_ != ";":
            return lambda values: spec.with_.join(values.get(name, "").split(";"))
        return lambda values: values.get(name, "")
    if spec.first is not None:
        names = spec.first
        return lambda values: next((v for n in names if (v := values.get(n, ""))), "")
    joined = spec.join or ()
    return lambda values: spec.with_.join(v for n in joined if (v := values.get(n, "")))


def _translated(text: str, spec: OutColumn, walk: Mapping[str, str], element: str, name: str) -> str:
    found: dict[str, None] = {}
    for item in text.split(spec.with_):
        if item in walk:
            found.setdefault(walk[item])
        elif spec.unknown == "keep":
            found.setdefault(item)
        elif spec.unknown == "refuse":
            raise Unfit(element, f"代码 {item} 在对方 {name} 中没有对应值", f"code {item} has no counterpart in {name}")
    return spec.with_.join(found)


def _dated(text: str, spec: OutColumn, element: str) -> str:
    if spec.open_end and text.startswith(OPEN_END):
        return spec.open_end
    if not spec.date:
        return text
    try:
        return datetime.fromisoformat(text).strftime(spec.date)
    except ValueError:
        raise Unfit(element, f"{text} 不是日期", f"{text} is no date") from None


def _counted(text: str, spec: OutColumn, element: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Unfit(element, f"{text} 不是数字", f"{text} is no number") from None
    if spec.unit is not None and spec.to is not None:
        number = number * _UNITS[spec.unit] / _UNITS[spec.to]
    if spec.places is not None:
        number = number.quantize(Decimal(1).scaleb(-spec.places), ROUND_HALF_UP)
        return f"{number:f}"
    return f"{number.normalize():f}"
