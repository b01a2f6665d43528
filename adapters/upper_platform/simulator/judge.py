"""How a centre judges: every element, the hub's ones too, by the same definitions that the hub checks with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.simulators.faults import Faults
from standards.checker import Checker, Fault
from standards.findings import Finding, severity_of, text
from standards.model import DataSet, FilledBy, Severity
from standards.registry import Standard

#: Everything but what the centre itself fills.
_DEMAND = frozenset({FilledBy.SENDER, FilledBy.HUB})


@dataclass(frozen=True, slots=True)
class Error:
    """One thing wrong with one row."""

    column: str
    code: str
    message: str


class Judge:
    """Judges rows of one data set; not shared between threads."""

    def __init__(self, dataset: DataSet, standard: Standard) -> None:
        self._dataset = dataset
        self._standard = standard
        self._checker = Checker(dataset, standard, _DEMAND, standard.common_for(dataset))
        self._names = [e.id for e in standard.elements(dataset)]

    def judge(self, rows: Sequence[Mapping[str, str]], today: str, faults: Faults) -> dict[int, list[Error]]:
        """Row number -> its errors; rows that pass are not in it."""
        wrong: dict[int, list[Error]] = defaultdict(list)
        whole = [i for i, row in enumerate(rows) if row.get("cd_operation") != "d"]
        columns = {name: [rows[i].get(name) or "" for i in whole] for name in self._names}
        for fault in self._checker.check(columns, len(whole), today):
            if severity_of(fault.code, self._dataset, fault.params) is Severity.ERROR:
                wrong[whole[fault.row]].append(self._in_words(fault))
        for i, row in enumerate(rows):
            if i not in wrong and row.get("cd_operation") == "d":
                wrong[i] += [Error(n, "10001", "删除数据缺少主键") for n in self._dataset.natural_key if not row.get(n)]
            if not wrong.get(i) and faults.refuses(row["cd_id"]):
                wrong[i] += self._made_up(row)
        return {i: errors for i, errors in wrong.items() if errors}

    def _in_words(self, fault: Fault) -> Error:
        told = Finding(
            code=fault.code,
            severity=Severity.ERROR,
            element=fault.element,
            row=0,
            place="",
            field="",
            value=fault.value,
            params=fault.params,
        )
        words = text(told, "zh", self._dataset, self._standard, self._standard.common)
        return Error(fault.element, fault.code, words)

    def _made_up(self, row: Mapping[str, str]) -> list[Error]:
        """What the switch `wrong` says of a record that is right."""
        given = [e for e in self._dataset.elements if row.get(e.id) and e.need == "must"]
        element = given[len(row["cd_id"]) % len(given)] if given else self._dataset.elements[0]
        return [Error(element.id, "90002", f"模拟：“{element.title}”与省级数据比对不一致")]
