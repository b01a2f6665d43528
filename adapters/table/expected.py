"""How a sender's table differs from the standard, told before the first transfer: missing, too long, wrong type."""

from __future__ import annotations

from sqlalchemy import Table, types

from standards.model import DataSet, Element, FilledBy, Kind

_NUMBERS = (Kind.DECIMAL, Kind.INT)
_MOMENTS = (Kind.DATE, Kind.DATETIME)


def differences(dataset: DataSet, table: Table) -> list[str]:
    """Every difference in words; empty when the table is as the standard has it."""
    columns = {column.name.lower(): column for column in table.columns}
    said = []
    for element in dataset.elements:
        if element.filled_by is not FilledBy.SENDER:
            continue
        column = columns.get(element.id.lower())
        if column is None:
            if element.need != "optional":
                said.append(f"缺少字段 {element.id}“{element.title}” missing")
            continue
        wrong = _wrong(element, column.type)
        if wrong:
            said.append(f"{column.name}“{element.title}”：{wrong}")
    return said


def _wrong(element: Element, kind: types.TypeEngine[object]) -> str:
    if isinstance(kind, types.String):
        length = kind.length
        if element.max and length and length > element.max and element.type not in _NUMBERS:
            return f"字段长度设置过长：标准 {element.max}，实为 {length} too long"
        return ""
    if isinstance(kind, types.Date | types.DateTime):
        if element.type not in _MOMENTS:
            return f"字段类型不符合要求：应为文本，实为 {kind} wrong type"
        if element.type is Kind.DATETIME and not isinstance(kind, types.DateTime):
            return f"字段类型不符合要求：应含时分秒，实为 {kind} wrong type"
        return ""
    if isinstance(kind, types.Numeric | types.Integer) and element.type not in _NUMBERS:
        return f"字段类型不符合要求：应为文本（数字类型会丢失前导零），实为 {kind} wrong type"
    return ""
