"""The enterprises and shops of the demo city.  None of them exists: names and numbers are drawn, not taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from standards.identifiers import make_id_number, make_reg_no, make_uscc

DISTRICTS: Mapping[str, str] = {
    "平城区": "140213", "云冈区": "140214", "新荣区": "140212", "云州区": "140215", "阳高县": "140221",
    "天镇县": "140222", "广灵县": "140223", "灵丘县": "140224", "浑源县": "140225", "左云县": "140226",
}  # fmt: skip

_FIRST = "恒鼎瑞晟宏嘉泰盛鑫德润祥锦福同合云塞雁桑御紫华"
_SECOND = "源通达利丰和茂昌兴隆业顺安泽邦腾昊岳川峰远"
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙马胡郭何高罗郑梁谢宋唐许邓韩冯曹彭曾"
_GIVEN = (
    "建国",
    "秀英",
    "志强",
    "丽华",
    "永红",
    "海燕",
    "晓东",
    "文博",
    "雪梅",
    "军",
    "敏",
    "伟",
    "春生",
    "俊杰",
    "玉兰",
)
_ROADS = ("迎宾街", "平城街", "文兴路", "御河西路", "魏都大道", "同煤路", "站前街", "永泰南路", "开源街", "南关西街")


@dataclass(frozen=True, slots=True)
class Trade:
    """A line of business."""

    word: str
    industry: str
    scope: str
    #: What a shop of this trade is called; '' where there are no shops.
    shop: str = ""


TRADES = (
    Trade("化工", "C2614", "有机化学原料生产、销售"),
    Trade("煤炭洗选", "B0610", "煤炭洗选、销售"),
    Trade("建材", "C3024", "混凝土制品、新型墙体材料生产"),
    Trade("环保科技", "N7721", "水污染治理、技术咨询"),
    Trade("医药", "F5151", "药品批发、医疗器械经营", "大药房"),
    Trade("医药连锁", "F5251", "药品零售（连锁）、保健食品零售", "便民药店"),
    Trade("餐饮管理", "H6210", "正餐服务、会议服务", "刀削面馆"),
    Trade("食品", "C1411", "糕点、面包制造", "糕点铺"),
    Trade("商贸", "F5211", "百货零售、日用品销售", "超市"),
    Trade("物流", "G5430", "普通货物道路运输、仓储"),
    Trade("机械制造", "C3511", "矿山机械制造、维修"),
    Trade("电梯工程", "E4920", "电梯安装、维修", ""),
)


@dataclass(frozen=True, slots=True)
class Firm:
    """One subject."""

    name: str
    code: str
    reg_no: str
    district: str
    address: str
    person: str
    #: Number of the person's identity card: nobody's.
    person_no: str
    trade: Trade
    shop: bool

    @property
    def region(self) -> str:
        """Its division code."""
        return DISTRICTS[self.district]


def firms(count: int, seed: int = 14) -> list[Firm]:
    """That many, each with a name of its own; the same each time."""
    chosen = Random(seed)
    places = list(DISTRICTS)
    names: set[str] = set()
    made: list[Firm] = []
    while len(made) < count:
        district, trade = chosen.choice(places), chosen.choice(TRADES)
        brand = chosen.choice(_FIRST) + chosen.choice(_SECOND)
        shop = bool(trade.shop) and chosen.random() < 0.4
        name = f"{district}{brand}{trade.shop}" if shop else f"大同市{brand}{trade.word}有限公司"
        if name in names:
            continue
        names.add(name)
        region = DISTRICTS[district]
        born = date(1960 + chosen.randrange(40), 1 + chosen.randrange(12), 1 + chosen.randrange(28))
        made.append(
            Firm(
                name=name,
                code=make_uscc(chosen, region, "92" if shop else "91"),
                reg_no=make_reg_no(chosen, region),
                district=district,
                address=f"大同市{district}{chosen.choice(_ROADS)}{chosen.randint(1, 399)}号",
                person=chosen.choice(_SURNAMES) + chosen.choice(_GIVEN),
                person_no=make_id_number(chosen, region, born),
                trade=trade,
                shop=shop,
            )
        )
    return made


def inspectors(chosen: Random, head: str, count: int = 2) -> list[tuple[str, str]]:
    """Names and certificate numbers of as many officers."""
    numbers = chosen.sample(range(100, 999), count)
    return [(chosen.choice(_SURNAMES) + chosen.choice(_GIVEN), f"{head}{number:05}") for number in numbers]


def wrong_check_character(code: str) -> str:
    """A credit code with its last character mistyped."""
    return code[:-1] + ("1" if code[-1] != "1" else "2")
