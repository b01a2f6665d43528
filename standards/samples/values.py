"""One plausible valid value of an element, by its kind, its code list and its title.  No real person, no real firm."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from standards import identifiers
from standards.divisions import RegionLevel
from standards.model import Element, Kind
from standards.registry import Standard
from standards.samples.patterns import matching

_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
_GIVEN = ("伟", "敏", "建国", "晓芳", "志强", "丽", "海燕", "文博", "雪梅", "军")
_PLACES = ("海曙", "江北", "鄞州", "镇海", "北仑", "奉化", "余姚", "慈溪")
_BRANDS = ("启明", "瑞丰", "东海", "金泰", "宏达", "四明", "甬江", "天一")
_TRADES = ("餐饮", "食品", "化工", "医药", "物流", "建材", "机械", "商贸")
_BUREAUS = ("市场监督管理局", "生态环境局", "应急管理局", "卫生健康局", "交通运输局", "城市管理局")
_ROADS = ("中山路", "人民路", "解放路", "环城西路", "甬江大道", "百丈路")

_FORMS = {
    Kind.DATE: re.compile(r"\d{4}-\d\d-\d\d"),
    Kind.DATETIME: re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    Kind.INT: re.compile(r"-?(0|[1-9]\d*)"),
    Kind.ITEM: re.compile(r"\d{14}"),
    Kind.MAIN_ITEM: re.compile(r"\d{8}"),
}


class Values:
    """Makes values; the same seed makes the same values."""

    def __init__(self, standard: Standard, random: Random, today: date) -> None:
        self.standard = standard
        self.random = random
        self.today = today
        self._counties = standard.regions.present(RegionLevel.COUNTY)
        self._provinces = standard.regions.present(RegionLevel.PROVINCE)
        self._industries = [c for c in standard.industries.all() if len(c) == 4]
        self._serial = 0

    def make(self, element: Element, certificate: str = "") -> str:
        """A valid value; `certificate` is the type of certificate that an identified number belongs to."""
        if element.identified_by is not None:
            return self._identified(certificate)[: element.max]
        if element.type is Kind.TEXT and element.list is not None and element.pattern is None:
            return self._one(element, Kind.CODE)  # the list is advice, but its codes are always right
        if element.pattern is not None:
            return matching(element.pattern, self.random)
        if element.type is Kind.LIST:
            return self._list(element)
        return self._one(element, element.type)

    def _one(self, element: Element, kind: Kind) -> str:
        random = self.random
        match kind:
            case Kind.CODE:
                return random.choice(self.standard.codelist(element.list or "").codes).code
            case Kind.DATE:
                return self.moment(element).date().isoformat()
            case Kind.DATETIME:
                return self.moment(element).isoformat(" ", "seconds")
            case Kind.DECIMAL:
                return self._decimal(element)
            case Kind.INT:
                return str(random.randrange(10 ** min(element.max or 1, 3)))
            case Kind.USCC:
                return self._uscc()
            case Kind.ID_NUMBER:
                return self._id_number()
            case Kind.REG_NO:
                return identifiers.make_reg_no(random)
            case Kind.ORG_CODE:
                return identifiers.make_org_code(random)
            case Kind.REGION:
                return random.choice(self._provinces if "省份" in element.title else self._counties)
            case Kind.INDUSTRY:
                return str(self.standard.industries.canonical(random.choice(self._industries)))
            case Kind.ITEM:
                return f"{random.randrange(10**8):08}{random.randrange(10**6):06}"
            case Kind.MAIN_ITEM:
                return f"{random.randrange(10**8):08}"
            case Kind.INVENTORY:
                return f"{self._uscc()}{random.randint(1, 5)}{random.randrange(10**6):06}"
            case Kind.JSON:
                return json.dumps([{"name": self._firm(), "note": "样例"}], ensure_ascii=False)
        return self._text(element)[: element.max]

    def _list(self, element: Element) -> str:
        kind = element.of or Kind.TEXT
        wanted = max(element.min_items or 1, self.random.randint(1, 2))
        made: list[str] = []
        while len(made) < wanted:
            item = self._one(element, kind)
            if item not in made:
                made.append(item)
            elif kind is Kind.CODE and len(self.standard.codelist(element.list or "").codes) <= len(made):
                break
        return ";".join(made)

    def moment(self, element: Element) -> datetime:
        """A moment of the last two years; ends lie later than beginnings, so that few rules break."""
        ends = any(word in element.title for word in ("期限", "截止", "届满", "至", "止", "失效", "截止"))
        days = self.random.randint(1, 700)
        if ends and not element.not_future:
            days = -self.random.randint(1, 900)
        moment = datetime(self.today.year, self.today.month, self.today.day, 9)  # noqa: DTZ001 - local time, as the standard has it
        return moment - timedelta(days=days) + timedelta(seconds=self.random.randrange(8 * 3600))

    def any_region(self) -> str:
        """A valid division of any level."""
        return self.random.choice(self._provinces if self.random.random() < 0.2 else self._counties)

    def numbers_beside(self, element: Element, constants: tuple[str, ...]) -> list[str]:
        """Numbers of the element's form on both sides of those a condition compares with."""
        found = []
        for constant in constants:
            if not re.fullmatch(r"\d{1,12}", constant):
                continue
            for number in (Decimal(constant) - 1, Decimal(constant), Decimal(constant) + 1):
                found.append(format(number.quantize(Decimal(1).scaleb(-(element.scale or 0))), "f"))
        return found

    def _decimal(self, element: Element) -> str:
        scale = element.scale or 0
        if element.id == "longitude":
            low, high = 75, 134
        elif element.id == "latitude":
            low, high = 4, 53
        else:
            low, high = 10, 10 ** min((element.max or scale) - scale, 5)
        if "%" in element.title:
            low, high = 0, 100
        units = self.random.randrange(low * 10**scale, high * 10**scale)
        return format(Decimal(units).scaleb(-scale), "f")

    def _identified(self, certificate: str) -> str:
        if certificate == "001":
            return self._uscc()
        if certificate in ("111", "112"):
            return self._id_number()
        if certificate == "002":
            return identifiers.make_org_code(self.random)
        if certificate == "003":
            return identifiers.make_reg_no(self.random)
        return f"ZJ{self.random.randrange(10**8):08}"

    def _uscc(self) -> str:
        return identifiers.make_uscc(self.random, self.random.choice(self._counties))

    def _id_number(self) -> str:
        born = date(1960, 1, 1) + timedelta(days=self.random.randrange(15000))
        return identifiers.make_id_number(self.random, self.random.choice(self._counties), born)

    def _text(self, element: Element) -> str:
        title = element.title
        if title.endswith(("编号", "标识", "主键", "文号", "号码", "编码", "证号", "版本号", "流水号", "批次号", "号")):
            self._serial += 1
            return f"{self.today.year}{self._serial:07}"
        if any(word in title for word in ("电话", "号码")):
            return f"0574-8{self.random.randrange(10**7):07}"
        if any(word in title for word in ("地址", "住所")):
            return f"浙江省宁波市{self._pick(_PLACES)}区{self._pick(_ROADS)}{self.random.randint(1, 999)}号"
        if any(word in title for word in ("单位", "部门", "机关", "机构", "主体")) and "性质" not in title:
            return f"宁波市{self._pick(_PLACES)}区{self._pick(_BUREAUS)}"
        if title.endswith(("人", "人员", "姓名", "领导", "法定代表人", "负责人", "具体负责人")):
            return self._pick(_SURNAMES) + self._pick(_GIVEN)
        if any(word in title for word in ("对象", "名称", "当事人")):
            return self._firm()
        return f"{title}样例{self.random.randint(1, 99)}"

    def _firm(self) -> str:
        place, brand, trade = self._pick(_PLACES), self._pick(_BRANDS), self._pick(_TRADES)
        return f"宁波市{place}{brand}{trade}有限公司"

    def _pick(self, choices: tuple[str, ...] | str) -> str:
        return self.random.choice(choices)

    def fits(self, element: Element, value: str, certificate: str = "") -> bool:
        """Whether a value taken from elsewhere may stand in this element."""
        if element.max is not None and element.type not in (Kind.DECIMAL, Kind.INT) and len(value) > element.max:
            return False
        if element.identified_by is not None and certificate in ("001", "002", "003", "111", "112"):
            return False  # better made new
        if element.type is Kind.CODE:
            return value in self.standard.codes(element.list or "")
        if element.type is Kind.INT and element.max is not None and len(value.removeprefix("-")) > element.max:
            return False
        if element.type in _FORMS:
            return _FORMS[element.type].fullmatch(value) is not None
        if element.type is Kind.DECIMAL:
            fraction = value.partition(".")[2]
            whole = value.partition(".")[0].removeprefix("-")
            fits = len(whole) <= (element.max or 0) - (element.scale or 0) and len(fraction) == (element.scale or 0)
            return fits and re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", value) is not None
        if element.type is Kind.USCC:
            return identifiers.check_uscc(value) is None
        if element.type is Kind.REGION:
            return self.standard.region(value) is None
        if element.type is Kind.LIST:
            return element.of is Kind.TEXT and value.count(";") + 1 >= (element.min_items or 1)
        return element.type in (Kind.TEXT, Kind.LONGTEXT) and element.pattern is None
