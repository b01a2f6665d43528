"""Every finding can be told so that a clerk can mend it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards import findings
from standards.errors import UnknownName
from standards.findings import Finding, FindingKind, catalogue, hint, sentence, severity_of, shown, text
from standards.model import Severity
from standards.registry import built_in
from tests.shared_data import REPOSITORY, shared
from tools.standard.source import read

STANDARD = built_in()
PUNISH = STANDARD.dataset("punish_action")
ENTRIES = list(catalogue())

#: Codes of ours are in these numbers; other five digits in quotes are something else.
_CODE = re.compile(r"""["']((?:1000[1-9]|10010|2000[1-5]|3000[1-4]|4000[12]|5000[1-3]|9000[12])(?:\.[a-z_]+)?)["']""")

#: Main code -> sub-codes; '' is the main code itself.
WANTED_BY = {
    "10001": [""],
    "10002": [""],
    "10003": [""],
    "10004": [
        "date",
        "datetime",
        "decimal",
        "scale",
        "int",
        "item",
        "main_item",
        "inventory",
        "uscc",
        "id_number",
        "reg_no",
        "org_code",
        "region",
        "industry",
        "json",
        "control",
        "private_use",
        "items",
        "number_as_float",
        "row",
        "column",
        "missing_column",
        "null_key",
        "too_many_columns",
        "long_value",
        "pattern",
    ],
    "10005": ["list", "crosswalk", "region", "industry", "region_withdrawn"],
    "10006": ["uscc", "uscc_inner", "id_number", "org_code", "reg_no", "region_part"],
    "10007": ["future", "order"],
    "10008": [""],
    "10009": ["encoding"],
    "10010": [""],
    "20001": [""],
    "20002": [""],
    "20005": [""],
    "30001": [""],
    "30002": [""],
    "30003": [""],
    "30004": [""],
    "50001": [""],
}
WANTED = [f"{main}.{sub}".rstrip(".") for main, subs in WANTED_BY.items() for sub in subs]


def a_finding(code: str, element: str | None = "fine", value: str = "12", **params: str) -> Finding:
    return Finding(code, Severity.ERROR, element, 3, "Sheet1!D12", "罚款", value, params)


def test_every_code_of_the_source_is_in_the_catalogue_with_its_class() -> None:
    for code, _, kind in read(shared("../DATASETS.md").resolve()).findings:
        assert code in catalogue()
        assert kind.startswith(catalogue().entry(code).kind.value)


@pytest.mark.parametrize("code", WANTED)
def test_every_sub_code_that_the_hub_tells_is_in_the_catalogue(code: str) -> None:
    assert code in catalogue()


@pytest.mark.parametrize("room", ["standards", "mappings", "adapters", "hub"])
def test_every_code_that_the_sources_name_is_in_the_catalogue(room: str) -> None:
    named: dict[str, set[str]] = {}
    for path in (REPOSITORY / room).rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "sqlstate" in line.lower():  # PostgreSQL has five-digit codes too
                continue
            for code in _CODE.findall(line):
                named.setdefault(code, set()).add(f"{path.relative_to(REPOSITORY)}: {line.strip()}")

    assert {code: where for code, where in named.items() if code not in catalogue()} == {}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.code)
def test_every_code_is_told_in_both_languages_with_known_placeholders(entry: findings.CodeEntry) -> None:
    known = findings.OWN_WORDS | findings.LOOKED_UP | findings.PARAMS

    for template in (entry.text, entry.text_en, entry.hint, entry.hint_en):
        assert template
        assert findings.placeholders(template) <= known
        assert template.count("[") == template.count("]")
    assert re.search(r"[\u4e00-\u9fff]", entry.text)
    assert re.search(r"[\u4e00-\u9fff]", entry.hint)
    assert entry.text_en.isascii()
    assert entry.hint_en.isascii()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.code)
def test_every_code_can_be_told_of_an_element_and_of_a_whole_row(entry: findings.CodeEntry) -> None:
    for element in ("fine", None, "no_such_element"):
        for language in ("zh", "en"):
            told = sentence(a_finding(entry.code, element), language, PUNISH, STANDARD)

            assert "{" not in told
            assert "[" not in told
            assert "  " not in told


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if e.code[0] in "13" and "{name}" in e.text], ids=lambda e: e.code
)
def test_a_clerk_reads_element_column_place_and_value(entry: findings.CodeEntry) -> None:
    told = text(a_finding(entry.code, value="十二", found="1", expected="2"), "zh", PUNISH, STANDARD)

    assert "罚款金额(元)" in told
    assert "“罚款”列" in told or "列“罚款”" in told
    assert "工作表“Sheet1”第 12 行（单元格 D12）" in told
    if "{value}" in entry.text:
        assert "十二" in told


def test_a_condition_is_told_in_words() -> None:
    told = sentence(a_finding("10002", value="", when="contains(punish_type, '02')"), "zh", PUNISH, STANDARD)

    assert told.startswith(
        "工作表“Sheet1”第 12 行（单元格 D12），“罚款”列：当“处罚种类”包含“02 罚款”时，“罚款金额(元)”必填，现为空。"
    )
    told = text(a_finding("10002", value="", when="contains(punish_type, '02')"), "en", PUNISH, STANDARD)
    assert '"Fine (yuan)" is empty, but is required when "Kinds of penalty" contains "02 罚款"' in told


def test_a_broken_rule_is_told_in_the_words_of_the_rule() -> None:
    finding = a_finding("10007.order", "filing_date", "2021-05-01", rule="filed_before_decision")

    assert "立案时间晚于处罚决定日期（“立案时间”为“2021-05-01”）" in text(finding, "zh", PUNISH)
    assert hint(finding, "en", PUNISH) == "check both dates"


def test_a_rule_says_how_serious_it_is() -> None:
    assert severity_of("10010", PUNISH, {"rule": "fine_in_yuan"}) is Severity.WARNING
    assert severity_of("10010", PUNISH, {"rule": "paid_within_fine"}) is Severity.ERROR
    assert severity_of("10006.uscc_inner", PUNISH, {}) is Severity.WARNING
    assert severity_of("30004", PUNISH, {}) is Severity.HOLD


def test_an_empty_must_element_tells_what_may_be_filled_in() -> None:
    told = hint(a_finding("10001", "case_source", ""), "zh", PUNISH, STANDARD)

    assert "1 现场检查、2 投诉" in told


def test_personal_values_are_masked() -> None:
    order = STANDARD.dataset("hotline_work_order")
    finding = Finding("10003", Severity.ERROR, "caller_phone", 0, "L2", "电话", "13800138000", {"max": "5"})

    for language in ("zh", "en"):
        told = sentence(finding, language, order)
        assert "13800138000" not in told
        assert "138****8000" in told


def test_common_elements_have_titles_too() -> None:
    finding = Finding("10003", Severity.ERROR, "remark", 0, "L2", "", "x" * 600, {"max": "512"})

    assert "“备注”" in text(finding, "zh", PUNISH, STANDARD, STANDARD.common)


def test_a_reference_names_the_data_set_by_its_title() -> None:
    finding = a_finding("30004", "check_action_code", "X1", dataset="check_action")

    assert "行政检查行为" in text(finding, "zh", PUNISH, STANDARD)
    assert "Administrative checks" in text(finding, "en", PUNISH, STANDARD)


def test_invisible_characters_are_made_visible_and_long_values_cut() -> None:
    assert shown("a\x07b\u200bc\x7f") == "a␇b<U+200B>c␡"
    assert len(shown("长" * 5000)) == findings.SHOWN
    assert shown("甲" * 100 + "乙").endswith("乙")


@given(st.text(max_size=300), st.sampled_from([e.code for e in ENTRIES]), st.text(max_size=20))
def test_no_value_can_break_or_forge_a_text(value: str, code: str, field: str) -> None:
    finding = Finding(code, Severity.ERROR, "illegal_fact", 0, "L1", field, value, {"expected": value, "near": value})

    for language in ("zh", "en"):
        told = sentence(finding, language, PUNISH, STANDARD)
        assert "\n" not in told
        assert "\x00" not in told


def test_a_sub_code_that_is_not_known_is_told_as_its_main_code() -> None:
    assert catalogue().entry("10004.something").code == "10004"
    with pytest.raises(UnknownName):
        catalogue().entry("77777")


def test_the_three_classes_of_the_working_rules_are_kept() -> None:
    assert {e.kind for e in ENTRIES} == set(FindingKind)
    assert catalogue().entry("40001").kind is FindingKind.UNREPORTED
    assert catalogue().entry("20002").kind is FindingKind.INCONSISTENT


def test_the_catalogue_lies_beside_the_code() -> None:
    assert (Path(findings.__file__).parent / "findings.yaml").exists()
