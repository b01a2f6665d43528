"""The differences of two versions of a data set in words."""

from collections.abc import Mapping
from typing import Any

import pytest

from standards.diff import Effect, differences
from standards.model import DataSet
from standards.registry import built_in

STANDARD = built_in()
OLD = STANDARD.dataset("punish_action")


def version_2(**elements: Mapping[str, Any] | None) -> DataSet:
    """The data set with some elements changed, taken out (None) or added."""
    held = OLD.model_dump(mode="json")
    held["version"] = "2"
    for name, words in elements.items():
        where = next((i for i, e in enumerate(held["elements"]) if e["id"] == name), None)
        if words is None:
            assert where is not None
            del held["elements"][where]
        elif where is None:
            held["elements"].append({"id": name, **words})
        else:
            held["elements"][where] |= words
    return DataSet.model_validate(held)


def test_equal_versions_do_not_differ() -> None:
    assert differences(OLD, version_2(), STANDARD, STANDARD) == []


@pytest.mark.parametrize(
    ("change", "effect", "zh", "en"),
    [
        ({"major_case": None}, Effect.BREAKS, "删除数据项“是否重大案件”（major_case）", 'element "Major case" is gone'),
        (
            {"case_no": {"title": "案号", "title_en": "Case number", "type": "text", "max": 50, "need": "must"}},
            Effect.BREAKS,
            "新增数据项“案号”（case_no），必填",
            'new element "Case number" (case_no), required',
        ),
        (
            {"case_no": {"title": "案号", "title_en": "Case number", "type": "text", "max": 50}},
            Effect.EASES,
            "新增数据项“案号”（case_no），选填",
            'new element "Case number" (case_no), optional',
        ),
        (
            {"punish_action_name": {"max": 200}},
            Effect.BREAKS,
            "“处罚行为名称”的长度由 500 收窄为 200",
            '"Penalty name": length narrowed from 500 to 200',
        ),
        (
            {"punish_action_name": {"max": 900}},
            Effect.EASES,
            "“处罚行为名称”的长度由 500 放宽为 900",
            '"Penalty name": length widened from 500 to 900',
        ),
        (
            {"major_case": {"need": "must"}},
            Effect.BREAKS,
            "“是否重大案件”由选填改为必填",
            '"Major case" was optional and is now required',
        ),
        (
            {"major_case": {"need": "when: contains(punish_type, '02')"}},
            Effect.BREAKS,
            "“是否重大案件”由选填改为当“处罚种类”包含“02 罚款”时必填",
            '"Major case" was optional and is now required when "Kinds of penalty" contains "02 罚款"',
        ),
        (
            {"illegal_fact": {"need": "optional"}},
            Effect.EASES,
            "“违法事实”由必填改为选填",
            '"Facts of the violation" was required and is now optional',
        ),
        (
            {"fine": {"title": "罚款数额"}},
            Effect.TELLS,
            "“罚款金额(元)”改名为“罚款数额”",
            '"Fine (yuan)" is now called "Fine (yuan)"',
        ),
        (
            {"submitted_personnel": {"personal": True}},
            Effect.TELLS,
            "“报送人员”标为个人信息",
            '"Reported by" is personal',
        ),
        (
            {"punish_procedure": {"list": "CL_YES1_NO0"}},
            Effect.BREAKS,
            "“处罚程序”的码表由 CL_PUNISH_PROC 改为 CL_YES1_NO0",
            '"Penalty procedure": code list CL_PUNISH_PROC is now CL_YES1_NO0',
        ),
        (
            {"filing_date": {"not_future": True}},
            Effect.BREAKS,
            "“立案时间”不得晚于当前时间",
            '"Date of filing" must not lie in the future',
        ),
        (
            {"check_action_code": {"refers": None}},
            Effect.EASES,
            "“检查行为编号”不再引用其他记录",
            '"Check number" no longer names another record',
        ),
    ],
)
def test_a_change_is_told_with_what_it_means(change: dict[str, Any], effect: Effect, zh: str, en: str) -> None:
    found = differences(OLD, version_2(**change), STANDARD, STANDARD)

    assert [(d.effect, d.zh, d.en) for d in found] == [(effect, zh, en)]


def test_what_was_narrowed_one_way_is_widened_the_other() -> None:
    new = version_2(punish_action_name={"max": 200}, major_case={"need": "must"})

    assert {d.effect for d in differences(OLD, new)} == {Effect.BREAKS}
    assert {d.effect for d in differences(new, OLD)} == {Effect.EASES}


class Lists:
    """Code lists with one changed."""

    def __init__(self, name: str, codes: Mapping[str, str]) -> None:
        self.name, self.changed = name, codes

    def codes(self, list_id: str) -> Mapping[str, str]:
        return self.changed if list_id == self.name else STANDARD.codes(list_id)


def test_codes_gone_added_and_renamed_are_told() -> None:
    new = Lists("CL_PUNISH_PROC", {"01": "简易程序", "03": "快速程序"})
    found = differences(OLD, OLD, new, STANDARD)

    assert [(d.effect, d.zh) for d in found] == [
        (Effect.BREAKS, "“处罚程序”删除代码 02 一般(普通)程序"),
        (Effect.EASES, "“处罚程序”新增代码 03 快速程序"),
    ]
    renamed = Lists("CL_PUNISH_PROC", {"01": "简易程序", "02": "普通程序"})
    assert [d.effect for d in differences(OLD, OLD, renamed, STANDARD)] == [Effect.TELLS]


def test_rules_gone_new_and_changed_are_told() -> None:
    held = OLD.model_dump(mode="json")
    rules = {r["id"]: r for r in held["rules"]}
    rules["paid_within_fine"]["severity"] = "warning"
    rules["closed_after_filing"]["when"] = "given(cases_closed_execution) and cases_closed_execution < set_date"
    held["rules"] = [r for r in rules.values() if r["id"] != "fine_in_yuan"]
    held["rules"].append({**rules["paid_within_fine"], "id": "own_rule", "severity": "error", "says": "另一规则"})
    new = DataSet.model_validate(held)

    found = {d.subject: (d.effect, d.zh) for d in differences(OLD, new, STANDARD)}

    assert found["fine_in_yuan"][0] is Effect.EASES
    assert found["own_rule"] == (Effect.BREAKS, "新增规则：另一规则")
    assert found["paid_within_fine"][0] is Effect.EASES
    assert found["closed_after_filing"][1] == "规则“结案日期早于立案时间”的条件改为：“结案日期”早于“处罚决定日期”时违反"


def test_key_table_and_deadline_are_told() -> None:
    held = OLD.model_dump(mode="json") | {
        "natural_key": ["punish_document_code"],
        "table": "jg_new",
        "deadline": {"working_days": 3},
    }

    found = differences(OLD, DataSet.model_validate(held))

    assert [d.zh for d in found] == [
        "自然主键由 punish_action_code 改为 punish_document_code",
        "前置库表由 jg_jgxw_punish_action 改为 jg_new",
        "报送时限由 5 个工作日改为 3 个工作日",
    ]
    assert {d.effect for d in found} == {Effect.BREAKS}
