"""Conditions in words."""

import pytest

from standards.registry import built_in
from standards.wording import in_words

STANDARD = built_in()


@pytest.mark.parametrize(
    ("dataset", "condition", "zh", "en"),
    [
        (
            "check_action",
            "check_mode == '01'",
            "“检查方式”为“01 双随机、一公开”",
            '"Mode of the check" is "01 双随机、一公开"',
        ),
        ("check_action", "given(entrust_dept)", "“受委托部门”已填写", '"Entrusted department" is given'),
        ("complaint_feedback", "number(delay_days) > 0", "“延期天数”大于 0", '"Days of extension" is more than 0'),
        (
            "supervise_item_sub",
            "left(subitem_code, 8) != manage_matter_code",
            "“子项编码”的前 8 位与“主项编码”不一致",
            'the first 8 of "Sub-item code" differs from "Main item code"',
        ),
        (
            "complaint_report",
            "step >= '4'",
            "“环节”为“4 反馈”或“5 回访”",
            '"Step" is one of "4 反馈" or "5 回访"',
        ),
        (
            "punish_action",
            "given(filing_date) and given(set_date) and filing_date > set_date",
            "“立案时间”晚于“处罚决定日期”",
            '"Date of filing" is after "Date of the penalty decision"',
        ),
        (
            "credit_penalty",
            "mentions(cf_cflb, '没收') and not empty(cf_nr)",
            "“处罚类别”含有“没收”字样，且并非“处罚内容”为空",
            '"Kinds of penalty" mentions "没收" and not: "Content of the penalty" is empty',
        ),
    ],
)
def test_a_condition_reads_as_a_clerk_would_say_it(dataset: str, condition: str, zh: str, en: str) -> None:
    held = STANDARD.dataset(dataset)

    assert in_words(condition, held, STANDARD) == zh
    assert in_words(condition, held, STANDARD, "en") == en


@pytest.mark.parametrize("dataset", list(STANDARD), ids=lambda d: d.id)
def test_no_condition_of_the_standard_is_told_as_code(dataset: object) -> None:
    held = STANDARD.dataset(dataset.id)  # type: ignore[attr-defined]
    conditions = [e.when for e in held.elements if e.when] + [r.when for r in held.rules]

    for condition in conditions:
        for language in ("zh", "en"):
            told = in_words(condition, held, STANDARD, language)
            assert "==" not in told
            assert "(punish" not in told
            assert not any(
                f"{function}(" in told for function in ("given", "empty", "count", "number", "starts", "left")
            )


def test_without_code_lists_the_codes_are_told_bare() -> None:
    held = STANDARD.dataset("check_action")

    assert in_words("check_mode == '01'", held) == "“检查方式”为“01”"
