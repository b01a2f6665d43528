"""The first cases of a drafted mapping: what it makes of rows of the sample."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from mappings import compile as compiler
from mappings.grammar import MappingFile
from standards.checker import UNREADABLE, Checker
from standards.model import DataSet, Element
from standards.yaml_text import read

#: Rows of the sample that become cases.
_CASES = 3


def cases_text(
    text: str,
    columns: Mapping[str, Sequence[str]],
    dataset: DataSet,
    common: Sequence[Element],
    codes: Callable[[str], Mapping[str, str]],
    checker: Checker,
) -> str:
    """What the draft makes of the first rows: right as long as nobody changes the mapping."""
    file = MappingFile.model_validate(read(text, "draft").value)
    if not file.elements:
        return ""
    program = compiler.build("draft", file, dataset, common, codes, crosswalks=_crosswalks(file))
    count = min(_CASES, max((len(values) for values in columns.values()), default=0))
    lines = [
        "# 由样例前几行生成的用例；改动映射后请核对。Made from the first rows of the sample.",
        "# 共享前请换掉其中的个人信息。Replace what is personal before you share it.",
        "cases:",
    ]
    for n in range(count):
        done = program.run({name: [values[n]] for name, values in columns.items()}, 1)
        expect = {name: column[0] for name, column in done.columns.items() if column[0] and column[0] != UNREADABLE}
        faults = [*done.faults, *checker.check(done.columns, 1, "2026-12-31")]
        found = sorted({f"{f.code} {f.element}" for f in faults if f.element not in file.lacks})
        lines += [
            f"  - name: 样例第 {n + 1} 行",
            "    given: " + json.dumps({name: columns[name][n] for name in columns}, ensure_ascii=False),
            "    expect: " + json.dumps(expect, ensure_ascii=False),
            "    findings: " + json.dumps(found, ensure_ascii=False),
        ]
    return "\n".join(lines) + "\n" if count else ""


def _crosswalks(file: MappingFile) -> dict[str, dict[str, str]]:
    return {name: held for name, held in file.crosswalks.items() if isinstance(held, dict)}
