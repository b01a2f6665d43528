"""What an element asks of whoever fills it in, in words: whether it must be given, in which form, how long."""

from __future__ import annotations

from standards.model import DataSet, Element, FilledBy, Kind
from standards.registry import Standard
from standards.wording import in_words

#: How a kind is told to a clerk.
_KINDS: dict[Kind, tuple[str, str]] = {
    Kind.TEXT: ("文字", "text"),
    Kind.LONGTEXT: ("长文字，可换行", "long text, several lines"),
    Kind.CODE: ("代码，从下拉框选", "a code, chosen from the list"),
    Kind.DATE: ("日期，如 2021-03-05", "a date such as 2021-03-05"),
    Kind.DATETIME: ("日期时间，如 2021-03-05 09:30:00", "date and time such as 2021-03-05 09:30:00"),
    Kind.DECIMAL: ("数字", "a number"),
    Kind.INT: ("整数", "a whole number"),
    Kind.LIST: ("多个值，用分号分隔", "several values with semicolons between them"),
    Kind.USCC: ("统一社会信用代码，18 位", "unified social credit code, 18 characters"),
    Kind.ID_NUMBER: ("公民身份号码，18 位", "citizen's identity number, 18 characters"),
    Kind.REG_NO: ("注册号，15 位", "registration number, 15 digits"),
    Kind.ORG_CODE: ("组织机构代码，9 位", "organisation code, 9 characters"),
    Kind.REGION: ("行政区划代码，6 位数字", "division code, 6 digits"),
    Kind.INDUSTRY: ("行业代码，如 C3912", "industry code such as C3912"),
    Kind.ITEM: ("监管事项目录编码，14 位数字", "supervision item code, 14 digits"),
    Kind.MAIN_ITEM: ("主项编码，8 位数字", "main item code, 8 digits"),
    Kind.INVENTORY: (
        "实施清单编码：18 位信用代码 + 层级 1–5 + 其余",
        "implementation list code: credit code of 18, level 1 to 5, and the rest",
    ),
    Kind.JSON: ("JSON", "JSON"),
}


def need_in_words(element: Element, dataset: DataSet, standard: Standard, language: str = "zh") -> str:
    """When the element must be filled in, for a clerk."""
    chinese = language == "zh"
    if element.filled_by is FilledBy.HUB:
        return "可不填，由枢纽填写" if chinese else "may stay empty, the hub fills it in"
    if element.filled_by is FilledBy.RECEIVER:
        return "由接收方填写" if chinese else "the receiver fills it in"
    if element.need == "must":
        return "必填" if chinese else "must be given"
    condition = in_words(element.when, dataset, standard, language) if element.when else ""
    if element.group is not None:
        return _one_of(element, dataset, condition, chinese)
    if not condition:
        return "选填" if chinese else "optional"
    return f"当{condition}时必填" if chinese else f"must be given when {condition}"


def _one_of(element: Element, dataset: DataSet, condition: str, chinese: bool) -> str:
    others = [e for e in dataset.elements if e.group == element.group and e.id != element.id]
    if chinese:
        when = f"当{condition}时，" if condition else ""
        return f"{when}与{'、'.join(f'“{e.title}”' for e in others)}至少填一项"
    when = f"when {condition}: " if condition else ""
    return f"{when}at least one of this and {', '.join(e.title_en or e.title for e in others)}"


def kind_in_words(element: Element, language: str = "zh") -> str:
    """The form of the value, for a clerk."""
    chinese = language == "zh"
    if element.pattern_says:
        return element.pattern_says if chinese else element.pattern_says_en or element.pattern_says
    if element.type is Kind.DECIMAL:
        if not element.scale:
            return "整数" if chinese else "a whole number"
        places = element.scale
        return f"数字，小数最多 {places} 位" if chinese else f"a number, at most {places} places after the point"
    if element.type is Kind.LIST:
        return _list_in_words(element, chinese)
    return _KINDS[element.type][0 if chinese else 1]


def _list_in_words(element: Element, chinese: bool) -> str:
    inner = _KINDS[element.of or Kind.TEXT]
    if chinese:
        least = f"，至少 {element.min_items} 项" if element.min_items else ""
        return f"多个值用分号分隔{least}，每项为{inner[0].split('，从下拉框选')[0]}"
    least = f", at least {element.min_items}" if element.min_items else ""
    return f"several values with semicolons between them{least}; each is {inner[1].split(', chosen')[0]}"


def size_in_words(element: Element, language: str = "zh") -> str:
    """The greatest length, for a clerk."""
    if element.max is None:
        return ""
    chinese = language == "zh"
    if element.type is Kind.DECIMAL:
        if chinese:
            return f"{element.max} 位，其中小数 {element.scale} 位"
        return f"{element.max} digits, {element.scale} of them after the point"
    if element.type is Kind.INT:
        return f"{element.max} 位" if chinese else f"{element.max} digits"
    return f"{element.max} 字" if chinese else f"{element.max} characters"
