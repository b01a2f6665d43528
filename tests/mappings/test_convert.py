"""Legacy habits in values: dates, amounts, numbers as departments write them."""

from __future__ import annotations

import pytest

from mappings.convert import Wrong, as_date, as_datetime, as_decimal, as_int
from mappings.plan import Column, Steps
from standards.checker import UNREADABLE


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-31",
        "2026/3/31",
        "2026.3.31",
        "2026年3月31日",
        "20260331",
        "２０２６年３月３１日",
        "2026-03-31 00:00:00",
        " 2026-3-31 ",
    ],
)
def test_a_day_is_read_however_it_is_written(written: str) -> None:
    assert as_date(written) == "2026-03-31"


@pytest.mark.parametrize("written", ["2026-02-30", "2026年13月40日", "31/03/2026x", "昨天", "0"])
def test_what_is_no_day_is_told(written: str) -> None:
    with pytest.raises(Wrong):
        as_date(written)


def test_day_numbers_of_excel_are_read_where_they_are_expected() -> None:
    assert as_date("46112", ("excel",)) == "2026-03-31"


@pytest.mark.parametrize(
    "written", ["2026-03-31 09:05:00", "2026/3/31 9:05", "2026年3月31日 9时5分", "2026-03-31T09:05:00"]
)
def test_a_time_is_read_however_it_is_written(written: str) -> None:
    assert as_datetime(written) == "2026-03-31 09:05:00"


@pytest.mark.parametrize("written", ["长期", "永久", "9999-12-31"])
def test_open_ends_are_the_far_day_where_allowed(written: str) -> None:
    assert as_date(written, open_end=True) == "2099-12-31"


@pytest.mark.parametrize(
    ("written", "value"),
    [("1,234.5", "1234.50"), ("１２．５", "12.50"), ("12.50", "12.50"), ("0", "0.00"), (" 7 ", "7.00")],
)
def test_amounts_are_read_with_thousands_and_full_width_digits(written: str, value: str) -> None:
    assert as_decimal(written, 2) == value


@pytest.mark.parametrize("written", ["十二万元", "1.2.3", "NaN", "--1"])
def test_what_is_no_amount_is_told(written: str) -> None:
    with pytest.raises(Wrong):
        as_decimal(written, 2)


def test_whole_numbers_have_no_fraction() -> None:
    assert as_int("12") == "12"
    with pytest.raises(Wrong):
        as_int("12.5")


@pytest.mark.parametrize("left", ["#VALUE!", "#N/A", "#REF!"])
def test_what_a_failed_formula_leaves_is_told_as_that_whatever_the_element(left: str) -> None:
    amounts = Column(Steps(lambda value: as_decimal(value, 2), remember=True))
    names = Column(Steps(str.strip, remember=False))

    for column in (amounts, names):
        assert column([left, "1"])[0] == UNREADABLE
        assert column.told([left, "1"]) == [(0, left, "10004.excel_error", {})]
