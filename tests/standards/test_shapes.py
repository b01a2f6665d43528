"""What values look like: the same mistake has the same shape, and nothing of the value is told."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards.shapes import LONGEST, shape


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("", ""),
        ("2026年3月5日", "9年9月9日"),
        ("2026年12月25日", "9年9月9日"),
        ("20260305", "9{8}"),
        ("2026/3/5", "9/9/9"),
        ("91140200MA0K000001", "9{8}A9A9{6}"),
        ("大同市平城区（御河路）12号", "汉9号"),
        ("1,234.50元", "9,9.9元"),
        ("110108********1234", "9{6}*9"),
        ("１２", "９"),
        (" x\u200b", "␣a␀"),
    ],
)
def test_a_value_has_this_shape(value: str, told: str) -> None:
    assert shape(value) == told


@given(st.text(max_size=600))
def test_a_shape_is_short_and_tells_no_name_or_number(value: str) -> None:
    said = shape(value)
    assert len(said) <= LONGEST
    without_lengths = re.sub(r"9\{\d+(\}|…|$)", "", said)
    assert not re.search("[0-8b-zB-Z]", without_lengths)


@given(st.integers(100_000, 999_999), st.integers(100_000, 999_999))
def test_numbers_of_one_length_have_one_shape(one: int, other: int) -> None:
    assert shape(str(one)) == shape(str(other)) == "9{6}"
