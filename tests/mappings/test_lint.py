"""`hub mapping lint`: every mistake at once, with its line and the near name; and what comes with the hub has none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from mappings.load import MappingFolders
from standards.model import FilledBy
from standards.registry import built_in

GOOD = """\
mapping: 试验
dataset: punish_action
elements:
  punish_action_code: 案件编号
  fine: {from: 罚款, unit: 万元, to: 元}
  punish_type: {from: 种类, split: "、", codes: 种类}
crosswalks:
  种类: {罚款: "02"}
lacks:
"""
MAPPED = ("punish_action_code", "fine", "punish_type")
GOOD += "".join(
    f"  {element.id}: 试验系统没有\n"
    for element in built_in().dataset("punish_action").elements
    if element.filled_by is FilledBy.SENDER and str(element.need) == "must" and element.id not in MAPPED
)

#: What is changed in GOOD, the line of the mistake, and words that must be said.
MISTAKES = {
    "an unknown data set": (("dataset: punish_action", "dataset: punish_actoin"), 2, "punish_actoin"),
    "an unknown element": (("fine: {", "fien: {"), 5, "fine"),
    "an unknown word": (("unit: 万元", "units: 万元"), 5, "units"),
    "an unknown unit": (("unit: 万元", "unit: 亿亿"), 5, "亿"),
    "a crosswalk that is not there": (("codes: 种类", "codes: 种类表"), (6, 8), "did you mean 种类"),
    "a code that is not in the list": (('罚款: "02"', '罚款: "77"'), 8, "77"),
    "two sources": (("{from: 罚款, ", "{from: 罚款, const: x, "), 5, "exactly one"),
    "a pattern that is none": (("from: 罚款, ", 'from: 罚款, pattern: "(", '), 5, "pattern"),
    "an expression that is not allowed": (
        ("{from: 罚款, unit: 万元, to: 元}", "{expr: \"__import__('os')\"}"),
        5,
        "__import__",
    ),
    "a unit for what is no amount": (
        ("punish_action_code: 案件编号", "punish_action_code: {from: 案件编号, unit: 元, to: 元}"),
        4,
        "not an amount",
    ),
}


def lint(folder: Path, text: str) -> tuple[int, list[dict[str, object]]]:
    """Exit code and problems of one mapping in a site folder."""
    path = folder / "mappings" / "trial" / "one.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    done = CliRunner().invoke(app, ["mapping", "lint", "trial/one", "--site", str(folder), "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_what_comes_with_the_hub_has_no_mistake() -> None:
    done = CliRunner().invoke(app, ["mapping", "lint", "--json"])

    assert (done.exit_code, json.loads(done.stdout)) == (0, [])


@pytest.mark.parametrize("name", MappingFolders([]).names())
def test_the_cases_beside_every_mapping_hold(name: str) -> None:
    done = CliRunner().invoke(app, ["mapping", "test", name, "--json"])

    results = json.loads(done.stdout)
    assert results
    assert done.exit_code == 0, results


def test_a_good_mapping_is_silent(tmp_path: Path) -> None:
    assert lint(tmp_path, GOOD) == (0, [])


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, what: str) -> None:
    (before, after), line, word = MISTAKES[what]
    assert before in GOOD

    code, problems = lint(tmp_path, GOOD.replace(before, after))

    assert code == 2
    assert [p["line"] for p in problems] == (list(line) if isinstance(line, tuple) else [line]), problems
    assert word in f"{problems[0]['what']} {problems[0]['hint']}"
    assert str(problems[0]["file"]).endswith("one.yaml")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("fine: {", "fien: {").replace('罚款: "02"', '罚款: "77"')

    _, problems = lint(tmp_path, text)

    assert [p["line"] for p in problems] == [5, 8]


def test_a_case_that_does_not_hold_is_told_with_what_came_instead(tmp_path: Path) -> None:
    lint(tmp_path, GOOD)
    cases = 'cases:\n  - name: 万元\n    given: {罚款: "4.54"}\n    expect: {fine: "1.00"}\n'
    (tmp_path / "mappings" / "trial" / "one.cases.yaml").write_text(cases, "utf-8")

    done = CliRunner().invoke(app, ["mapping", "test", "trial/one", "--site", str(tmp_path)])

    assert done.exit_code == 1
    assert "45400.00" in done.stdout
    assert "one.cases.yaml:2" in done.stdout
