"""How personal values are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards.masks import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("13800138000", "138****8000"),
        ("11010519491231002X", "110105********002X"),
        ("130503670401001", "130503******001"),
        ("张三", "张*"),
        ("欧阳建国", "欧***"),
        ("张三;李四", "张*;李*"),
        ("zhang@example.com", "z***@example.com"),
        ("0574-87654321", "057*******321"),
        ("ZJ00012345", "ZJ******45"),
        ("", ""),
    ],
)
def test_values_are_masked_by_what_they_look_like(value: str, shown: str) -> None:
    assert mask(value) == shown


@given(st.text(max_size=40))
def test_masking_twice_is_masking_once(value: str) -> None:
    once = mask(value)

    assert mask(once) == once


@given(st.text(st.characters(categories=["Nd"], max_codepoint=127), min_size=5, max_size=30))
def test_of_a_long_number_never_more_than_half_stays(value: str) -> None:
    assert mask(value).count("*") * 2 >= len(value) - 3
