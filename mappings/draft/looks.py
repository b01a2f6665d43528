"""What single values look like: a date, a number, a credit code, a firm, an authority, a person, an address …"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from mappings.convert import Wrong, as_date
from standards.identifiers import check_org_code, check_uscc
from standards.region_names import RegionNames
from standards.registry import built_in

#: Date formats besides those a mapping reads by itself, and one value that only each of them reads.
DATE_FORMATS = ("%m/%d/%Y", "%d/%m/%Y", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y",
                "%d-%m-%Y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")  # fmt: skip
#: What stands in a cell to say that nothing stands in it.
NOTHING = frozenset(
    {"/", "\\", "-", "--", "—", "——", "*", "无", "空", "N/A", "n/a", "NA", "null", "NULL", "None", "nan"}
)

_NUMBER = re.compile(
    r"^[¥￥$]?\s*-?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?\s*(百万|千万|[千万亿])?(元|人民币|美元|RMB)?(人民币)?$"
)
_PATTERNS = {
    "whole": r"-?\d+",
    "time": r".*\d{1,2}[:：时]\d{1,2}.*",
    "phone": r"(\+?86[- ]?)?(1[3-9][\d*]{9}|0\d{2,3}-?\d{7,8}(-\d{1,5})?|[48]00-?\d{3}-?\d{4}"
    r"|\(\d{3}\) ?\d{3}-\d{4}|\d{4}-\d{8})",
    "region": r"(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])\d{4}(\d{6})?",
    "item": r"\d{14}",
    "reg_no": r"(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])\d{13}",
    "id_number": r"\d{17}[\dXx*]|\d{6}\*+[\dXx]{0,4}",
    "document": r".*[〔\[【〈（(]?\d{4}[〕\]】〉）)]?.{0,14}第?\s*\d+(-\d+)?\s*号.*",
    "licence": r"[\u4e00-\u9fff]{1,6}[A-Za-z]{0,3}(证|字|许)?第?\d{6,}号?|[A-Z]{2,4}\d{11,14}",
    "law": r".*《.+》.*",
    "mail": r"[^@\s]+@[^@\s]+\.[a-z]+",
    "amount": r"[¥￥$]?\s*\d[\d,.]*\s*[（(]?\s*[百千]?[万亿]?\s*(人民币|美|港|欧|日)?元?.{0,8}",
    "link": r"(https?://|www\.)\S+",
    "flag": r"[01]|[是否有无]|[YNyn]|[Tt]rue|[Ff]alse|[Yy]es|[Nn]o",
    "postcode": r"\d{6}|\d{5}(-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
    "hash": r"[0-9a-f]{8}-[0-9a-f-]{20,}|(?=.*\d)(?=.*[a-f])[0-9a-f]{12,64}",
    "industry": r"[A-T]\d{2,4}",
    "number_sign": r"[A-Za-z\u4e00-\u9fff]{0,8}[-_ ]?(19|20)\d{2}[-_]?\d{3,}",
    "firm": r".{2,58}(公司|厂|店|行|酒店|饭店|餐厅|食堂|超市|中心|合作社|经营部|门市部|工作室|药房"
    r"|医院|卫生院|卫生室|诊所|学校"
    r"|幼儿园|商场|市场|集团|馆|站|农场|养殖场|加油站|事务所|分公司|支公司|社|屋|坊|铺|所)"
    r"|.+\b(Inc|LLC|Ltd|Limited|Co|Corp|PLC|GmbH|Restaurant|Cafe|Diner|Grill|Market|School|Kitchen|Bakery|Pizza"
    r"|Hotel|Shop|Store)\b.*",
    "authority": r".{2,40}(局|厅|委|委员会|法院|检察院|政府|支队|大队|总队|监管所|管理所|管理处"
    r"|研究院|检验所|检测院|检定研究院|办公室"
    r"|执法队|海关|银行|分局|监督所|疾控中心|所|院|署|办)"
    r"|.*\b(Department|Dept|Authority|Agency|Council|Office|Bureau|Ministry|Commission|Health|Board|Division"
    r"|Borough|County)\b.*",
    "address": r".*(省|市|区|县|镇|乡|街道|村|路|街|道|巷).*(路|街|道|巷|弄|号|村|镇|栋|幢|楼|室|层|组|园|区).*"
    r"|\d+[A-Z]? [A-Za-z0-9].*\b(St|Street|Ave|Avenue|Rd|Road|Blvd|Dr|Drive|Ln|Lane|Way|Hwy|Pl|Ct|Court)\b\.? *.*",
}  # fmt: skip
_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪"
    "田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦"
    "季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜柯关琚欧覃阮詹凌霍付"
)
_PERSON = re.compile(
    r"^[\u4e00-\u9fff](某{1,2}|[\*＊Xx]{1,3}|[\u4e00-\u9fff]{1,2}|[\*＊][\u4e00-\u9fff]|先生|女士)$"
    r"|^[A-Z]\.? ?[A-Z][a-z]+$"
)
_PERSONS = re.compile(r"[、，,;； ]+")


def is_nothing(value: str) -> bool:
    """True for a cell that is empty or only says so."""
    value = value.strip()
    return not value or value in NOTHING


@cache
def _names() -> RegionNames:
    return RegionNames(built_in().regions)


def _fits(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(rf"(?:{pattern})$", re.DOTALL)
    return lambda value: compiled.match(value) is not None


def _is_date(value: str) -> bool:
    return date_format(value) is not None


def date_format(value: str, formats: tuple[str, ...] = ("auto", *DATE_FORMATS)) -> str | None:
    """The first of the formats that reads the value."""
    for form in formats:
        try:
            as_date(value, (form,))
        except Wrong:
            continue
        return form
    return None


def _is_person(value: str) -> bool:
    parts = [p for p in _PERSONS.split(value) if p] if not value.isascii() else [value]
    return all(_PERSON.match(p) and (p.isascii() or p[0] in _SURNAMES) for p in parts) and bool(parts)


def _is_prose(value: str) -> bool:
    """Words in a row: a sentence or a list of things."""
    if value.isascii():
        return value.count(" ") >= 4
    return len(value) >= 20 or (len(value) >= 8 and any(sign in value for sign in "。；，、"))


def _is_place(value: str) -> bool:
    return 2 <= len(value) <= 15 and not value.isascii() and bool(_names().find(value))


LOOKS: Mapping[str, Callable[[str], bool]] = {
    **{name: _fits(text) for name, text in _PATTERNS.items()},
    "uscc": lambda v: check_uscc(v.upper()) in (None, "uscc_inner"),
    "like_uscc": lambda v: len(c := v.replace(" ", "")) in (17, 18, 19) and c[:8].isdigit() and c[:1] in "159",
    "org_code": lambda v: check_org_code(v.upper().replace("-", "")) is None,
    "date": _is_date,
    "number": lambda v: bool(_NUMBER.match(v)),
    "person": _is_person,
    "prose": _is_prose,
    "place": _is_place,
}
