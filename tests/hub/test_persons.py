"""Telling a person's number from an organisation's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.persons import is_person, newest_form
from hub.translate.encode import subject_of
from standards.identifiers import check_reg_no, upgrade_id_number

OLD = "140211900307001"
NEW = "140211199003070015"


def test_a_number_of_fifteen_digits_is_a_persons_too_and_is_found_by_its_newest_form() -> None:
    assert is_person(OLD)
    assert is_person(NEW)
    assert newest_form(OLD) == newest_form(NEW) == NEW
    assert subject_of(OLD, str.encode) == subject_of(NEW, str.encode) == ("", NEW.encode())


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("330203000012345", "no such day"),
        ("140200231102017", "a number of a file with its day: nobody of 1923 has an old number"),
        ("990105491231002", "no such province"),
        ("11010549123100", "fourteen digits"),
        ("11010549123100X", "no digit at the end"),
        ("91140200EHWEFJ5F34", "a credit code"),
        ("", "nothing"),
    ],
)
def test_what_is_no_persons_number_stays_plain(number: str, why: str) -> None:
    assert not is_person(number), why
    assert subject_of(number, str.encode) == (number, None)
    assert newest_form(number) == number or upgrade_id_number(number)


@given(st.from_regex(r"[0-9]{15}", fullmatch=True))
def test_a_registration_number_whose_check_digit_is_right_is_never_a_persons(number: str) -> None:
    assert not (check_reg_no(number) is None and is_person(number))
