"""The cases beside a mapping: what goes in, what must come out.  `hub mapping test` runs them, and so do the tests.

cases:
  - name: 罚款以万元计
    given: {案件编号: "001", 罚款金额: "4.54"}
    expect: {fine: "45400.00"}
    findings: [10001 set_date]       # exactly these, besides those of `lacks`; left out: not looked at
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from mappings.compile import Program
from standards import yaml_text
from standards.checker import UNREADABLE, Checker
from standards.yaml_text import Problem


class Case(BaseModel):
    """One legacy record and what it must become."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    given: dict[str, str]
    expect: dict[str, str] = Field({}, description="Elements and their values; an empty value means absent.")
    findings: tuple[str, ...] | None = Field(None, description="`code element` of exactly the findings expected.")
    today: str = Field("2026-12-31", description="The day the case is judged on.")


class CaseFile(BaseModel):
    """The cases of one mapping."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    cases: tuple[Case, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case went; right when `wrong` is empty."""

    case: str
    line: int
    wrong: tuple[str, ...]


def cases_path(mapping: Path) -> Path:
    """Where the cases of a mapping stand."""
    return mapping.with_suffix(".cases.yaml")


def run_cases(path: Path, program: Program, checker: Checker) -> tuple[list[Outcome], list[Problem]]:
    """Run every case of a file; problems are mistakes in the file itself."""
    document = yaml_text.read(path.read_text("utf-8"), path.name)
    file = yaml_text.validate(document, CaseFile)
    if file is None:
        return [], document.problems
    outcomes = [
        Outcome(case.name, document.line(("cases", i)), tuple(_differences(case, program, checker)))
        for i, case in enumerate(file.cases)
    ]
    return outcomes, document.problems


def _differences(case: Case, program: Program, checker: Checker) -> list[str]:
    wrong: list[str] = []
    translated = program.run({name: [value] for name, value in case.given.items()}, 1)
    for name in translated.unknown_fields:
        wrong.append(f"the mapping does not know the field {name}")
    for element, expected in case.expect.items():
        column = translated.columns.get(element)
        got = column[0] if column else ""
        if got == UNREADABLE:
            got = "(unreadable)"
        if got != expected:
            wrong.append(f"{element}: expected {expected!r}, got {got!r}")
    if case.findings is not None:
        faults = [*translated.faults, *checker.check(translated.columns, 1, case.today)]
        lacking = set(program.file.lacks)
        found = sorted({f"{f.code} {f.element}" for f in faults if f.element not in lacking})
        if found != sorted(set(case.findings)):
            wrong.append(f"findings: expected {sorted(set(case.findings))}, got {found}")
    return wrong
