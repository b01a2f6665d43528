"""Private-use characters are found, told where they stand, and guessed at only where Windows made them for all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards import private_use
from standards.checker import Checker, Fault
from standards.findings import Finding, catalogue, severity_of, text
from standards.findings import hint as hint_of
from standards.model import DataSet, Severity
from standards.registry import built_in
from standards.samples import Samples

STANDARD = built_in()
PUNISH = STANDARD.dataset("punish_action")
MILD = frozenset(e.code for e in catalogue() if e.severity is Severity.WARNING)
EDGES = "\ue000\uf8ff\U000f0000\U000ffffd\U00100000\U0010fffd"
OUTSIDE = "\ud7ff\uf900\U0001f600\U000effff\U00020087\u9fb4\uffe5，"


@pytest.mark.parametrize("character", EDGES)
def test_the_edges_of_the_areas_are_private(character: str) -> None:
    assert private_use.among(f"王{character}")
    assert private_use.perhaps_among(f"王{character}".encode())


@pytest.mark.parametrize("character", OUTSIDE)
def test_the_neighbours_of_the_areas_are_not(character: str) -> None:
    assert not private_use.among(f"王{character}")


def test_ordinary_text_is_cleared_by_its_bytes() -> None:
    assert not private_use.perhaps_among("王（丽），１２３￥ ⅷ 𠮷 😀 é".encode())


@given(st.text(st.characters(exclude_categories=("Cs",)) | st.sampled_from(EDGES)))
def test_the_bytes_never_clear_a_text_that_holds_one(value: str) -> None:
    assert private_use.perhaps_among(value.encode()) >= private_use.among(value)
    assert bool(private_use.places(value)) == private_use.among(value)


def test_places_are_counted_as_people_count() -> None:
    assert private_use.places("\ue863王\ue000") == "1, 3"
    assert private_use.places("\ue000" * 7) == "1, 2, 3, 4, 5 …"
    assert private_use.places("王") == ""


@pytest.mark.parametrize(
    ("private", "standard"),
    [
        *(("\ue863", "䶮"), ("\ue864", "\u9fbb"), ("\ue815", "\u2e81"), ("\ue843", "\u9fb9"), ("\ue844", "\u4723")),
        *(("\ue81e", "\u9fb4"), ("\ue816", "\U00020087"), ("\ue7c7", "\u1e3f"), ("\ue7c8", "\u01f9"), ("\ue76c", "€")),
        *(("\ue7e7", "\u303e"), ("\ue7f3", "\u2ffb"), ("\ue78d", "\ufe10"), ("\ue796", "\ufe19"), ("\ue794", "\ufe17")),
        *(("\ue000", ""), ("\ue4c6", ""), ("\ue7f4", ""), ("\ue865", ""), ("\U000f0000", "")),
    ],
)
def test_what_windows_made_is_guessed_and_nothing_else(private: str, standard: str) -> None:
    assert private_use.meant(f"王{private}丽") == standard


def test_no_guess_is_a_private_character_itself() -> None:
    guesses = [private_use.meant(chr(code)) for code in range(0xE000, 0xF900)]

    assert sum(map(bool, guesses)) == 1 + 10 + 2 + 13 + 80
    assert not any(map(private_use.among, guesses))


def faults(element: str, value: str, dataset: DataSet = PUNISH) -> list[Fault]:
    checker = Checker(dataset, STANDARD, mild=MILD)
    record = {**next(iter(Samples(dataset, STANDARD, seed=3).records(1))), element: value}
    return checker.check({name: [held] for name, held in record.items()}, 1, "2026-11-23")


def told(fault: Fault, language: str = "zh", dataset: DataSet = PUNISH) -> str:
    finding = Finding(fault.code, Severity.WARNING, fault.element, 1, "L2", "案件名称", fault.value, fault.params)
    return f"{text(finding, language, dataset, STANDARD)}; {hint_of(finding, language, dataset, STANDARD)}"


def test_a_private_character_is_a_warning_that_says_where_and_what_to_type() -> None:
    (fault,) = faults("punish_action_name", "杨\ue863公司案")

    assert fault.code == "10004.private_use"
    assert severity_of(fault.code, PUNISH, fault.params) is Severity.WARNING
    assert "“杨<U+E863>公司案”中第 2 个字符是自造字" in told(fault)
    assert "很可能是“䶮”" in told(fault)
    assert 'character 2 of "杨<U+E863>公司案"' in told(fault, "en")
    assert 'most likely "䶮"' in told(fault, "en")


def test_one_that_nobody_knows_is_told_without_a_guess() -> None:
    (fault,) = faults("punish_action_name", "杨\ue000公司案")

    assert "第 2 个字符" in told(fault)
    assert "很可能" not in told(fault)
    assert "—" not in told(fault)


def test_what_stands_in_a_persons_name_is_not_told() -> None:
    hotline = STANDARD.dataset("hotline_work_order")

    (fault,) = faults("caller_name", "杨\ue863", hotline)

    assert "第 2 个字符" in told(fault, "zh", hotline)
    for secret in ("杨", "䶮", "E863", "\ue863"):
        assert secret not in told(fault, "zh", hotline) + told(fault, "en", hotline)


def test_private_and_control_characters_are_told_apart() -> None:
    assert [f.code for f in faults("punish_action_name", "杨\ue000\x07")] == ["10004.control", "10004.private_use"]
    assert faults("punish_action_name", "杨䶮\u9fb4\U00020087") == []
