"""How a real front-end table differs from the standard: every difference in words, as a centre lists them.  Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import types

from adapters.base import StandardView
from adapters.table.settings import TableSettings
from adapters.table.shape import FROM_CENTRE, REVISION, RealColumn, RealTable, column_for, elements_of, may_be_left_out
from standards.model import DataSet, Element, FilledBy, Kind

#: Kinds whose canonical text is at most this long.
_LENGTHS = {Kind.DATE: 10, Kind.DATETIME: 19, Kind.REGION: 6, Kind.USCC: 18, Kind.ITEM: 14, Kind.MAIN_ITEM: 8}
_NUMBERS = (Kind.DECIMAL, Kind.INT)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; a grave one keeps records from being written."""

    table: str
    column: str
    grave: bool
    zh: str
    en: str

    def in_words(self, language: str = "zh") -> str:
        """One line."""
        at = f"{self.table}.{self.column}" if self.column else self.table
        return f"{at}：{self.zh}" if language == "zh" else f"{at}: {self.en}"


def compare(dataset: DataSet, standard: StandardView, real: RealTable, settings: TableSettings) -> list[Difference]:
    """Every difference between a data set and its real table."""
    return [
        Difference(real.name, column, grave, zh, en)
        for column, grave, zh, en in _differences(dataset, standard, real, settings)
    ]


_Said = tuple[str, bool, str, str]


def _differences(dataset: DataSet, standard: StandardView, real: RealTable, settings: TableSettings) -> Iterator[_Said]:
    columns = real.by_low_name()
    used = set()
    for element in elements_of(dataset, standard):
        column = column_for(element.id, settings, columns)
        if column is None:
            yield from _missing(element, settings)
            continue
        used.add(column.name.lower())
        if element.filled_by is not FilledBy.RECEIVER:
            yield from _column(element, column, settings)
    if named := settings.columns.get(REVISION):
        used.add(named.lower())
    for column in real.columns:
        if column.name.lower() not in used and not column.nullable and not column.has_default:
            yield (
                column.name,
                True,
                "标准中没有的必填字段，枢纽无法填写",
                "a column the standard does not know demands a value",
            )
    yield from _keys(real, settings, columns)


def _missing(element: Element, settings: TableSettings) -> Iterator[_Said]:
    if element.id in FROM_CENTRE:
        if settings.verdict != "written" and not settings.merge_table:
            yield (
                element.id,
                element.id == "cd_lsh",
                "缺少字段，无法读回汇聚状态",
                "missing; the centre's state cannot be read",
            )
        return
    if may_be_left_out(element, settings):
        yield (
            element.id,
            False,
            f"缺少字段“{element.title}”，写入时略去",
            f"missing ({element.title_en}); it is left out",
        )
    else:
        yield element.id, True, f"缺少字段“{element.title}”", f"missing ({element.title_en})"


def _keys(real: RealTable, settings: TableSettings, columns: dict[str, RealColumn]) -> Iterator[_Said]:
    key = column_for("cd_id", settings, columns)
    if key is not None and frozenset({key.name.lower()}) not in real.unique:
        yield (
            key.name,
            False,
            "没有主键或唯一索引，查重变慢且不能防止重复",
            "no unique key: slow, and nothing prevents doubles",
        )


def _column(element: Element, column: RealColumn, settings: TableSettings) -> Iterator[_Said]:
    kind = column.type
    if isinstance(kind, types.String):
        yield from _text(element, column, settings)
    elif isinstance(kind, types.Date | types.DateTime):
        yield from _moment(element, column)
    elif isinstance(kind, types.Numeric | types.Integer):
        yield from _number(element, column)
    elif isinstance(kind, types.NullType):
        yield column.name, False, "无法识别的字段类型，按文本写入", "unknown column type; text is written"
    elif element.type not in _NUMBERS and not isinstance(kind, types.Boolean):
        yield (
            column.name,
            True,
            f"字段类型不符合要求：应为文本，实为 {kind}",
            f"wrong type: text expected, it is {kind}",
        )
    yield from _needs_value(element, column, settings)


def _needs_value(element: Element, column: RealColumn, settings: TableSettings) -> Iterator[_Said]:
    must = element.need == "must" or element.id.startswith(("cd_", "data_up_")) or settings.fill.get(element.id)
    if not column.nullable and not column.has_default and not must:
        yield (
            column.name,
            False,
            f"标准中可空的“{element.title}”在该表必填，缺值的记录会被退回",
            "optional in the standard, demanded here: records without it will be refused",
        )


def _text(element: Element, column: RealColumn, settings: TableSettings) -> Iterator[_Said]:
    longest = element.max if element.type not in _LENGTHS else None
    wanted = longest or _LENGTHS.get(element.type, 0)
    if element.type in _NUMBERS:
        wanted += 2
    per_character = 1 if settings.length_in == "characters" or element.type in (*_LENGTHS, *_NUMBERS) else 3
    length = column.length
    if length is not None and length < wanted:
        yield (
            column.name,
            True,
            f"字段长度不足：标准 {wanted}，实为 {length}",
            f"too short: {wanted} in the standard, {length} here",
        )
    elif length is not None and length < wanted * per_character:
        yield (
            column.name,
            False,
            f"按字节计的长度 {length} 装不下 {wanted} 个汉字",
            f"{length} bytes do not hold {wanted} Chinese characters",
        )
    elif length is not None and longest and element.type not in _NUMBERS and length > longest * per_character:
        yield (
            column.name,
            False,
            f"字段长度设置过长：标准 {longest}，实为 {length}",
            f"longer than the standard: {longest}, {length} here",
        )
    elif element.type in (Kind.DATE, Kind.DATETIME, *_NUMBERS):
        yield column.name, False, f"字段类型与标准不同：按文本写入（{column.type}）", f"text instead of {element.type}"


def _moment(element: Element, column: RealColumn) -> Iterator[_Said]:
    if element.type is Kind.DATETIME and not isinstance(column.type, types.DateTime):
        yield (
            column.name,
            True,
            f"字段类型不符合要求：应含时分秒，实为 {column.type}",
            f"wrong type: {column.type} loses the time",
        )
    elif element.type not in (Kind.DATE, Kind.DATETIME):
        yield (
            column.name,
            True,
            f"字段类型不符合要求：应为文本，实为 {column.type}",
            f"wrong type: text expected, it is {column.type}",
        )


def _number(element: Element, column: RealColumn) -> Iterator[_Said]:
    kind = column.type
    if element.type not in _NUMBERS:
        # Codes such as 01 would lose their zero.
        yield (
            column.name,
            True,
            f"字段类型不符合要求：应为文本，实为 {kind}",
            f"wrong type: text expected, it is {kind}",
        )
        return
    scale = element.scale or 0
    whole = (element.max or 9) - scale
    if isinstance(kind, types.Integer):
        if scale:
            yield (
                column.name,
                True,
                f"字段类型不符合要求：应有 {scale} 位小数",
                f"wrong type: {scale} decimal places expected",
            )
    elif isinstance(kind, types.Float):
        yield column.name, False, "浮点类型可能产生误差，应为定点小数", "a float may lose digits; a decimal is expected"
    elif isinstance(kind, types.Numeric) and kind.precision is not None:
        has_scale = kind.scale or 0
        if kind.precision - has_scale < whole or has_scale < scale:
            yield (
                column.name,
                True,
                f"数值位数不足：标准 ({element.max},{scale})，实为 ({kind.precision},{has_scale})",
                f"too few digits: ({element.max},{scale}) in the standard, ({kind.precision},{has_scale}) here",
            )
