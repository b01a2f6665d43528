"""Do the counts add up?  What was stated, what the city says, and what the centre says are compared.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.province import CITY, refused
from demo.records import Department
from standards.states import Verdict

COUNTS = ("read", "accepted", "held", "rejected", "duplicate")
_VERDICTS = {
    "accepted": Verdict.ACCEPTED,
    "held": Verdict.HELD,
    "rejected": Verdict.REJECTED,
    "duplicate": Verdict.DUPLICATE,
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that does not add up."""

    zh: str
    en: str


def expected(department: Department) -> dict[str, int]:
    """The row that a department's connection must show in the end."""
    counts = {name: department.counts[verdict] for name, verdict in _VERDICTS.items()}
    wrong = sum(1 for cd_id in _accepted(department) if refused(cd_id))
    return {
        "submissions": len(department.files),
        "read": sum(counts.values()),
        **counts,
        "delivered": counts["accepted"] - wrong,
        "receipted": counts["accepted"],
    }


def _accepted(department: Department) -> list[str]:
    """Identity of every revision that passes, in their order."""
    return [r.cd_id for file in department.files for r in file.records if r.verdict is Verdict.ACCEPTED]


def of_city(city: Sequence[Department], rows: Mapping[str, Mapping[str, Any]]) -> Iterator[Wrong]:
    """What is wrong with the counts of the connections."""
    for one in city:
        row = rows.get(one.connection, {})
        if row.get("read") != sum(row.get(name, 0) for name in COUNTS[1:]):
            yield Wrong(
                f"{one.title}：读取数不等于通过、挂起、退回、重复之和",
                f"{one.title_en}: read is not the sum of accepted, held, rejected and duplicate",
            )
        for name, number in expected(one).items():
            if row.get(name) != number:
                yield Wrong(
                    f"{one.title}：{_ZH[name]}应为 {number}，实为 {row.get(name, 0)}",
                    f"{one.title_en}: {name} should be {number}, is {row.get(name, 0)}",
                )


_ZH = {
    "submissions": "报送件数",
    "read": "读取",
    "accepted": "通过",
    "held": "挂起",
    "rejected": "退回",
    "duplicate": "重复",
    "delivered": "送达",
    "receipted": "回执",
}


def of_centre(
    city: Sequence[Department], counts: Sequence[Mapping[str, Any]], stored: Sequence[Mapping[str, Any]]
) -> Iterator[Wrong]:
    """What is wrong with the centre's four counts and with what it stored."""
    told = {row["dataset"]: row for row in counts if row["organisation"] == CITY}
    times: dict[str, list[int]] = {}
    for row in stored:
        times.setdefault(row["dataset"], []).append(row["times"])
    for dataset in dict.fromkeys(one.dataset for one in city):
        revisions = [cd_id for one in city if one.dataset == dataset for cd_id in _accepted(one)]
        keys = set(revisions)
        wrong = sum(1 for key in keys if refused(key))
        row = told.get(dataset, {})
        should = {"front": len(keys), "standard": len(keys), "right": len(keys) - wrong, "wrong": wrong}
        found = {name: row.get(name, 0) for name in should}
        if found != should:
            yield Wrong(
                f"省中心 {dataset}：前置、标准、正确、错误应为 {list(should.values())}，实为 {list(found.values())}",
                f"the centre, {dataset}: front, standard, right, wrong should be {should}, are {found}",
            )
        once = [n for n in times.get(dataset, []) if n == 1]
        right = sum(1 for cd_id in revisions if not refused(cd_id))
        if len(once) != right or len(times.get(dataset, [])) != right:
            yield Wrong(
                f"省中心 {dataset}：应恰好各存一次 {right} 个修订，实存 {sum(times.get(dataset, []))} 次",
                f"the centre, {dataset}: {right} revisions should be stored once each, "
                f"there were {sum(times.get(dataset, []))} storings",
            )


def of_receipts(department: Department, receipts: Mapping[str, Mapping[str, Any]]) -> Iterator[Wrong]:
    """Whether each rejected and held record has the finding that was stated; receipts by file name."""
    for file in department.files:
        document = receipts.get(file.name, {"records": []})
        told = {record["row"]: record for record in document["records"]}
        for row, stated in enumerate(file.records, 1):
            if not stated.code:
                continue
            record = told.get(row, {"findings": [], "verdict": ""})
            codes = [finding["code"] for finding in record["findings"]]
            if stated.code not in codes or record["verdict"] != stated.verdict:
                yield Wrong(
                    f"{department.title} {file.name} 第 {row} 条：应因 {stated.code} {stated.verdict}，"
                    f"实为 {record['verdict'] or '通过'} {codes}",
                    f"{department.title_en} {file.name} record {row}: should be {stated.verdict} for {stated.code}, "
                    f"is {record['verdict'] or 'accepted'} with {codes}",
                )
