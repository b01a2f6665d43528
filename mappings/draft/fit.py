"""How well the values of a field suit an element: below 1 they speak against it, above 1 for it, and in which words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mappings.draft.profile import Profile
from standards.model import DataSet, Element, Kind

Codes = Callable[[str], Mapping[str, str]]

#: Looks that values of a kind have.
_LOOK_OF = {
    Kind.USCC: ("uscc", "like_uscc"),
    Kind.DATE: ("date",),
    Kind.DATETIME: ("date",),
    Kind.DECIMAL: ("number", "amount"),
    Kind.INT: ("whole",),
    Kind.REGION: ("region", "place"),
    Kind.ITEM: ("item",),
    Kind.ID_NUMBER: ("id_number",),
    Kind.ORG_CODE: ("org_code",),
    Kind.REG_NO: ("reg_no",),
    Kind.INDUSTRY: ("industry", "whole"),
}
#: Kinds whose text may take many forms that a mapping converts.
_LENIENT = (Kind.REGION, Kind.ITEM, Kind.INDUSTRY, Kind.REG_NO)
_TEXTS = (Kind.TEXT, Kind.LONGTEXT)
#: Role of a text element -> looks that speak for it.
SPEAKS = {
    "name": ("firm",),
    "authority": ("authority",),
    "person": ("person",),
    "address": ("address",),
    "phone": ("phone",),
    "document": ("document",),
    "licence": ("licence",),
    "certificate": ("uscc", "like_uscc", "org_code", "reg_no", "id_number"),
    "basis": ("law",),
    "prose": ("prose",),
    "number": ("number_sign", "whole", "document"),
}
#: Role -> looks that speak against it.
_AGAINST = {
    "name": ("person", "date", "number", "phone", "uscc", "address", "mail", "link", "hash", "law", "document"),
    "authority": ("person", "date", "number", "phone", "uscc", "mail", "link", "law", "document", "address"),
    "person": ("date", "phone", "uscc", "address", "mail", "link", "law", "document", "firm", "number"),
    "address": ("person", "date", "number", "phone", "uscc", "mail", "link", "law", "postcode"),
    "phone": ("person", "date", "uscc", "address", "firm", "prose", "mail", "link"),
    "document": ("person", "uscc", "phone", "mail", "link", "address", "firm"),
    "licence": ("person", "date", "phone", "mail", "link", "firm", "prose"),
    "certificate": ("person", "date", "phone", "mail", "link", "firm", "prose", "address", "flag"),
    "basis": ("person", "date", "number", "phone", "uscc", "mail", "link", "firm"),
    "prose": ("person", "date", "uscc", "phone", "mail", "link", "postcode"),
    "number": ("person", "date", "mail", "link", "firm", "prose", "address", "flag"),
    "": ("mail", "link"),
}
_IN_WORDS = {
    "uscc": "信用代码 credit codes", "like_uscc": "形似信用代码 like credit codes", "date": "日期 dates",
    "number": "数值 numbers", "whole": "整数 whole numbers", "region": "区划代码 division codes",
    "place": "地名 place names", "item": "事项编码 item codes", "id_number": "身份证号 identity numbers",
    "org_code": "组织机构代码 organisation codes", "reg_no": "工商注册号 registration numbers",
    "industry": "行业代码 industry codes", "firm": "单位名称 names of firms",
    "authority": "机关名称 names of authorities",
    "person": "人名 names of persons", "address": "地址 addresses", "phone": "电话 telephone numbers",
    "document": "文号 document numbers", "licence": "证号 licence numbers", "law": "法规条款 provisions of law",
    "prose": "成段文字 prose", "number_sign": "编号 numbers", "mail": "邮箱 mail addresses", "link": "网址 links",
    "amount": "带单位的金额 amounts with units", "hash": "散列值 hashes", "postcode": "邮编 postcodes",
    "flag": "是否值 flags",
}  # fmt: skip
_LABEL_PARTS = re.compile(r"[（(）)、，,;；/]")
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Fit:
    """1.5 when the values say it is this, 1 when they say nothing, less when they say it is not."""

    factor: float = 1.0
    said: str = ""


def role(element: Element, dataset: DataSet) -> str:
    """What a text element holds, as far as its definition tells."""
    title = re.sub(r"[（(].*?[）)]", "", element.title)
    if element.type not in _TEXTS and element.type is not Kind.LIST:
        return ""
    if element.identified_by or element.id == dataset.subject.code:
        return "certificate"
    if element.id == dataset.subject.name or title in ("监管对象", "行政相对人"):
        return "name"
    for ends, found in (
        (("机关", "机构", "单位", "部门"), "authority"),
        (("代表人", "人员", "举报人", "负责人"), "person"),
        (("地址", "住所"), "address"),
        (("电话",), "phone"),
        (("文号", "文书号"), "document"),
        (("许可编号",), "licence"),
        (("依据",), "basis"),
        (("编号", "标识"), "number"),
    ):
        if title.endswith(ends):
            return found
    return "prose" if element.type is Kind.LONGTEXT else ""


def fit(seen: Profile, element: Element, dataset: DataSet, codes: Codes) -> Fit:
    """What the values say about a field being this element."""
    if element.list and element.type in (Kind.CODE, Kind.LIST, Kind.TEXT):
        coded = _coded(seen, element, codes)
        if coded is not None:
            return coded
    looks = _LOOK_OF.get(element.type)
    if looks is not None:
        return _of_kind(seen, element, looks)
    return _of_role(seen, element, dataset)


def _coded(seen: Profile, element: Element, codes: Codes) -> Fit | None:
    known = codes(element.list or "")
    hits = share_of_codes(seen.common, known)
    flags = len(known) <= 2 and seen.share("flag") >= 0.8
    if hits >= 0.6 or flags:
        said = _percent(max(hits, seen.share("flag") if flags else 0), f"在代码表 {element.list} 中 in the code list")
        # 0, 1, 2 are in many lists; words are not.
        return Fit(1.5 if any(_HAN.search(v) for v in seen.common) else 1.2, said)
    if hits >= 0.3:
        return Fit(1.1, _percent(hits, f"在代码表 {element.list} 中 in the code list"))
    if element.type is Kind.TEXT:
        return None
    if seen.distinct > 40:
        return Fit(0.5, "取值太多，不像代码 too many values for a code")
    if any(_HAN.search(v) for v in seen.common):
        return Fit(0.88, f"取值不在代码表 {element.list} 中 not in the code list")
    return Fit(0.95)


def share_of_codes(values: tuple[str, ...], known: Mapping[str, str]) -> float:
    """Share of the values that are a code, a label or plainly a part of a label."""
    labels = {form for name in known.values() for form in label_forms(name)}
    hits = sum(
        all(item in known or item in labels or plain(item) in labels for item in _items(value)) for value in values
    )
    return hits / max(1, len(values))


def label_forms(label: str) -> set[str]:
    whole = plain(label)
    return {whole, label, *(part for part in map(plain, _LABEL_PARTS.split(label)) if len(part) >= 2)}


def plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace(" ", "")
    return re.sub(r"(名单|案件|状态|类|的)$", "", text) if len(text) > 3 else text


def _items(value: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;；、,，|]", value) if part.strip()] or [value]


def _of_kind(seen: Profile, element: Element, looks: tuple[str, ...]) -> Fit:
    best = max(looks, key=seen.share)
    share = seen.share(best)
    if share >= 0.8:
        if best == "whole" and element.type is Kind.INT:
            return Fit(1.2, _percent(share, _IN_WORDS[best]))
        return Fit(1.5, _percent(share, _IN_WORDS[best]))
    if element.type in _LENIENT:
        return Fit(0.9, _percent(share, _IN_WORDS[best]) if share else "")
    if share >= 0.4:
        return Fit(1.0, _percent(share, _IN_WORDS[best]))
    return Fit(0.35, f"取值不是{_IN_WORDS[best].replace(' ', '（not ', 1)}）")


def _of_role(seen: Profile, element: Element, dataset: DataSet) -> Fit:
    kind = role(element, dataset)
    if seen.counts_rows:
        return Fit(0.4, "是行序号 numbers of rows")
    if element.max and seen.longest > element.max:
        return Fit(0.8, f"最长 {seen.longest} 字，超出 {element.max} longer than the element")
    if kind == "number" and seen.known and seen.repeated:
        return Fit(0.5, "取值多有重复，不像编号 repeated, unlike a number")
    if kind == "certificate" and seen.known:
        if seen.longest < 8:
            return Fit(0.5, "太短，不是证件号码 too short for a certificate number")
        own = dataset.by_id.get(dataset.subject.code or "")
        if own is not None and own.type is Kind.USCC and own.id != element.id and seen.share("uscc") >= 0.8:
            return Fit(0.6, f"信用代码另有数据项 {own.id} credit codes have their own element")
    speaks = max(SPEAKS.get(kind, ()), key=seen.share, default="")
    against = max(_AGAINST.get(kind, ()), key=seen.share, default="")
    if speaks and seen.share(speaks) >= 0.7 and seen.share(speaks) + 0.2 >= seen.share(against or speaks):
        weak = speaks == "whole" or kind == "number"
        return Fit(1.2 if weak else 1.5, _percent(seen.share(speaks), _IN_WORDS[speaks]))
    if against and seen.share(against) >= 0.7:
        return Fit(0.5, _percent(seen.share(against), f"是{_IN_WORDS[against]}"))
    if not kind and seen.share("date") > 0.9 and "date" not in element.id and "时间" not in element.title:
        return Fit(0.5, "是日期 dates")
    return Fit()


def _percent(share: float, what: str) -> str:
    return f"{share:.0%} {what}"
