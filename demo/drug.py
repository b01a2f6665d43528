"""Pushes of the drug regulator's licensing system: JSON, nested, a few licences a time or a single one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from demo.firms import Firm, wrong_check_character
from demo.records import File, Stated, Statements, every

BUREAU = "大同市药品监督管理局"
BUREAU_CODE = "111402002NRECWRM5T"

_KINDS = (
    ("药品经营许可证", "晋DA352", "药品零售：处方药、甲类非处方药、乙类非处方药；中药饮片、中成药、化学药制剂"),
    ("药品批发许可证", "晋AA352", "药品批发：中成药、化学药制剂、抗生素、生物制品（除疫苗）"),
    ("第三类医疗器械经营许可证", "晋同食药监械经营许", "三类：6815 注射穿刺器械、6866 医用高分子材料及制品"),
)
_FAULTS = ("10001", "10007.order", "10005.crosswalk", "10006.uscc", "10008", "10004.date")
_STEP = 30


def pushes(firms: Sequence[Firm], today: date, batches: int, size: int, singles: int) -> list[File]:
    """That many pushes of `size` licences and some of a single one; every 30th licence is faulty."""
    sizes = [size] * batches + [1] * singles
    files: list[File] = []
    number = 0
    for turn, count in enumerate(sizes, 1):
        made = [_licence(number + n, firms, today) for n in range(1, count + 1)]
        number += count
        content: Any = {"system": "yjxk", "batch": f"{today:%Y%m%d}-{turn:03}", "data": [one for one, _ in made]}
        data = json.dumps(content, ensure_ascii=False, indent=1).encode()
        files.append(File(f"许可推送-{turn:03}.json", data, tuple(stated for _, stated in made)))
    return files


def single(firms: Sequence[Firm], today: date, number: int) -> bytes:
    """One right licence, to try the door with."""
    content, _ = _licence(number, firms, today, faults=())
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _licence(
    number: int, firms: Sequence[Firm], today: date, faults: Sequence[str] = _FAULTS
) -> tuple[dict[str, Any], Stated]:
    chosen = Random(f"drug/{number}")
    firm = firms[chosen.randrange(len(firms))]
    name, head, scope = chosen.choice(_KINDS)
    decided = today - timedelta(days=1 + chosen.randrange(200))
    until = decided.replace(year=decided.year + 5, day=1) - timedelta(days=1)
    document = f"同药监许准〔{today.year}〕{number:04}号"
    content: dict[str, Any] = {
        "docNo": document,
        "docName": "准予行政许可决定书",
        "holder": {
            "name": firm.name,
            "kind": "2" if firm.shop else "1",
            "creditCode": firm.code,
            "legalPerson": firm.person,
        },
        "permit": {"kind": "PT", "certName": name, "certNo": f"{head}{10000 + number}", "scope": scope},
        "decidedOn": decided.isoformat(),
        "validFrom": decided.isoformat(),
        "validTo": until.isoformat(),
        "status": "在用" if chosen.random() < 0.97 else "注销",
        "public": True,
    }
    fault = every(number, _STEP, faults)
    if fault:
        _spoil(content, fault)
    return content, Statements("credit_license", BUREAU_CODE, hide_key=True).as_found(
        fault, document, firm.name, BUREAU_CODE
    )


def _spoil(content: dict[str, Any], fault: str) -> None:
    match fault:
        case "10001":
            content["permit"]["scope"] = None
        case "10007.order":
            content["validTo"] = content["validFrom"].replace("20", "19", 1)
        case "10005.crosswalk":
            content["permit"]["kind"] = "BA"
        case "10006.uscc":
            content["holder"]["creditCode"] = wrong_check_character(content["holder"]["creditCode"])
        case "10008":
            content["holder"]["creditCode"] = ""
        case "10004.date":
            content["decidedOn"] = "去年十二月"
