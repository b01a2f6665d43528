"""Coverage: how an element stands over many records, counted in bounded memory, the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.coverage import MOST_VALUES, Coverage, Line, Standing
from mappings.grammar import MappingFile
from standards.checker import UNREADABLE, Fault
from standards.model import Severity
from standards.registry import built_in

PENALTY = built_in().dataset("punish_action")


def coverage(**words: object) -> Coverage:
    file = MappingFile.model_validate({"mapping": "试验", "dataset": "punish_action", "elements": {}, **words})
    labels = {"set_date": "决定日期"}
    return Coverage(PENALTY, file, labels, lambda code, _: Severity.WARNING if code == "10006" else Severity.ERROR)


def line(one: Coverage, element: str) -> Line:
    return next(found for found in one.lines() if found.element == element)


def values(count: int) -> list[str]:
    return [f"2025-{n % 12 + 1:02}-{n % 28 + 1:02}" for n in range(count)]


@pytest.mark.parametrize(
    ("column", "faults", "standing"),
    [
        ([""] * 100, [], Standing.NEVER),
        (values(90) + [""] * 10, [], Standing.SELDOM),
        ([*values(99), UNREADABLE], [Fault(99, "set_date", "10004.date", "", {})], Standing.FAULTY),
        (["2025-01-01"] * 99 + ["2025-01-02"], [], Standing.SAME),
        (["2025-01-01"] * 19, [], Standing.GOOD),
        (values(100), [Fault(3, "set_date", "10006", "", {})], Standing.GOOD),
    ],
)
def test_a_must_element_stands_as_its_values_say(column: list[str], faults: list[Fault], standing: Standing) -> None:
    one = coverage()

    one.add({"set_date": column}, len(column), faults)

    found = line(one, "set_date")
    assert found.standing is standing
    assert found.fields == "决定日期"
    assert found.filled == sum(value != "" for value in column), "what was given and not understood was given"


def test_what_the_mapping_says_of_an_element_counts() -> None:
    one = coverage(elements={"area_number": {"const": "140200"}}, lacks={"punish_action_name": "系统没有"})

    one.add({"area_number": ["140200"] * 50}, 50, [])

    assert line(one, "area_number").standing is Standing.GOOD
    assert line(one, "punish_action_name").standing is Standing.LACKING
    assert line(one, "entrust_dept_code").standing is Standing.EMPTY


def test_the_worst_comes_first() -> None:
    one = coverage(lacks={"punish_accord": "系统没有"})
    musts = [e.id for e in PENALTY.from_sender if e.need == "must"]
    columns: dict[str, Sequence[str]] = {name: values(100) for name in musts if name != "punish_accord"}
    columns |= {"set_date": [""] * 100, "punish_action_code": values(50) + [""] * 50}
    faults = [Fault(n, "punish_type", "10005.list", "", {}) for n in range(3)]
    faults += [Fault(n, "illegal_fact", "10010", "", {}) for n in range(7)]

    one.add(columns, 100, faults)

    assert [(found.element, found.standing) for found in one.lines()][:5] == [
        ("set_date", Standing.NEVER),
        ("punish_accord", Standing.LACKING),
        ("punish_action_code", Standing.SELDOM),
        ("illegal_fact", Standing.FAULTY),
        ("punish_type", Standing.FAULTY),
    ]


def test_a_million_values_are_counted_and_not_kept() -> None:
    one = coverage()

    for chunk in range(20):
        one.add({"punish_action_code": [f"同环罚〔2025〕{chunk * 2000 + n}号" for n in range(2000)]}, 2000, [])

    found = line(one, "punish_action_code")
    assert (found.filled, found.distinct, found.more) == (40_000, MOST_VALUES, True)
    assert found.standing is Standing.GOOD


def test_a_citizen_is_not_shown_and_a_long_text_neither() -> None:
    one = coverage()

    one.add({"administrative_cp_ui_code": ["140202199001011234"] * 30, "illegal_fact": ["超标" * 200] * 30}, 30, [])

    assert line(one, "administrative_cp_ui_code").commonest == "140202********1234"
    found = line(one, "illegal_fact")
    assert (found.commonest, found.distinct, found.times) == ("", 1, 30)


_COLUMN = st.lists(st.sampled_from(["", "a", "b", UNREADABLE]), min_size=1, max_size=40)


@given(_COLUMN, st.integers(1, 39))
def test_it_does_not_matter_how_the_records_are_cut_into_chunks(column: list[str], at: int) -> None:
    whole, parts = coverage(), coverage()
    pieces: list[Mapping[str, Sequence[str]]] = [{"set_date": column[:at]}, {"set_date": column[at:]}]

    whole.add({"set_date": column}, len(column), [])
    for piece in pieces:
        parts.add(piece, len(piece["set_date"]), [])

    assert whole.lines() == parts.lines()
