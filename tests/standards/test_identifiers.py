"""Credit codes, organisation codes, identity and registration numbers."""

import re
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from standards import identifiers
from tests.shared_data import shared

SEEDS = st.integers(0, 2**32)


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91330203674737244W", "91110000600037341L"])
def test_published_credit_codes_are_right(code: str) -> None:
    assert identifiers.check_uscc(code) is None


def test_the_worked_example_of_gb_32100_gives_its_check_character() -> None:
    assert identifiers.uscc_check_character("91350100M000100Y4") == "3"
    assert identifiers.uscc_check_character("91330203674737244") == "W"


@pytest.mark.parametrize(
    "code",
    [
        "12345",
        "A111000060003734",
        "9111000060003IOZSV",
        "91110000600037341l",
        "9１110000600037341L",
        "",
        "91 110000600037341",
    ],
)
def test_what_is_no_credit_code_at_all_has_the_wrong_format(code: str) -> None:
    assert identifiers.check_uscc(code) == "format"


def test_a_wrong_check_character_is_told_apart_from_a_wrong_inner_code() -> None:
    assert identifiers.check_uscc("91110000600037341N") == "uscc"
    body = "91110000" + "60003734" + "0"
    inner_wrong = body + str(identifiers.uscc_check_character(body))
    assert identifiers.check_uscc(inner_wrong) == "uscc_inner"


def test_a_credit_code_of_a_province_that_does_not_exist_is_told() -> None:
    body = "91990000" + "60003734" + "1"
    assert identifiers.check_uscc(body + str(identifiers.uscc_check_character(body))) == "region_part"


def test_credit_codes_of_every_province_and_of_the_nation_are_taken() -> None:
    for province in [*sorted(identifiers.PROVINCES), "10"]:
        assert identifiers.check_uscc(identifiers.make_uscc(Random(1), f"{province}0000")) is None


def test_the_vectors_of_another_library_agree() -> None:
    text = shared("codes/uscc_test_vectors.doctest").read_text(encoding="ascii")
    codes = re.findall(r"^\.\.\. ([0-9A-Z]{18})$", text, re.MULTILINE)

    assert len(codes) > 150
    assert {code: identifiers.check_uscc(code) for code in codes} == dict.fromkeys(codes)


@given(SEEDS)
def test_made_credit_codes_pass_here_and_elsewhere(seed: int) -> None:
    code = identifiers.make_uscc(Random(seed))

    assert identifiers.check_uscc(code) is None
    assert uscc.is_valid(code)


@given(SEEDS, st.integers(0, 17), st.sampled_from(identifiers.USCC_ALPHABET))
def test_one_changed_character_of_a_credit_code_is_always_found(seed: int, position: int, letter: str) -> None:
    code = identifiers.make_uscc(Random(seed))
    changed = code[:position] + letter + code[position + 1 :]

    assert (identifiers.check_uscc(changed) is None) == (changed == code)


@given(st.text(max_size=20))
def test_any_text_at_all_can_be_asked_about(text: str) -> None:
    for check in (
        identifiers.check_uscc,
        identifiers.check_id_number,
        identifiers.check_org_code,
        identifiers.check_reg_no,
    ):
        assert check(text) is None or isinstance(check(text), str)
    assert (identifiers.check_uscc(text) not in ("format", "uscc")) <= uscc.is_valid(text)


@pytest.mark.parametrize("code", ["D2143569X", "M000100Y4", "674737244"])
def test_published_organisation_codes_are_right(code: str) -> None:
    assert identifiers.check_org_code(code) is None


def test_a_wrong_organisation_code_is_told() -> None:
    assert identifiers.check_org_code("D21435690") == "org_code"
    assert identifiers.check_org_code("D2143569-X") == "format"
    assert identifiers.check_org_code("d2143569X") == "format"


@given(SEEDS)
def test_made_organisation_codes_pass(seed: int) -> None:
    assert identifiers.check_org_code(identifiers.make_org_code(Random(seed))) is None


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014", "130503196704010016"])
def test_published_identity_numbers_are_right(number: str) -> None:
    assert identifiers.check_id_number(number) is None


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("110105194912310021", "id_number"),
        ("11010519491231002x", "format"),
        ("130503670401001", "format"),
        ("1101051949123100２X", "format"),
    ],
)
def test_what_is_wrong_with_an_identity_number_is_told(number: str, reason: str) -> None:
    assert identifiers.check_id_number(number) == reason


def test_an_identity_number_with_an_impossible_birth_date_or_province_is_told() -> None:
    for body, reason in (("11010519490230001", "id_birth_date"), ("99010519491231002", "id_province")):
        assert identifiers.check_id_number(body + str(identifiers.id_check_character(body))) == reason


def test_fifteen_digits_become_eighteen() -> None:
    assert identifiers.upgrade_id_number("130503670401001") == "130503196704010016"
    assert identifiers.upgrade_id_number("130503671301001") is None
    assert identifiers.upgrade_id_number("13050367040100X") is None


def test_birth_date_and_sex_are_in_the_number() -> None:
    assert identifiers.birth_date("11010519491231002X") == date(1949, 12, 31)
    assert not identifiers.is_male("11010519491231002X")
    assert identifiers.is_male("440524188001010014")


@given(SEEDS, st.dates(date(1900, 1, 1), date(2020, 12, 31)))
def test_made_identity_numbers_pass_here_and_elsewhere(seed: int, born: date) -> None:
    number = identifiers.make_id_number(Random(seed), "110105", born)

    assert identifiers.check_id_number(number) is None
    assert ric.is_valid(number)
    assert identifiers.birth_date(number) == born


@given(SEEDS, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_changed_character_of_an_identity_number_is_always_found(seed: int, position: int, letter: str) -> None:
    number = identifiers.make_id_number(Random(seed))
    changed = number[:position] + letter + number[position + 1 :]

    assert (identifiers.check_id_number(changed) is None) == (changed == number)


@pytest.mark.parametrize("number", ["110108000000016", "330203000000018", "410100000000003"])
def test_published_registration_numbers_are_right(number: str) -> None:
    assert identifiers.check_reg_no(number) is None


def test_a_wrong_registration_number_is_told() -> None:
    assert identifiers.check_reg_no("110108000000017") == "reg_no"
    assert identifiers.check_reg_no("1101080000000") == "format"


@given(SEEDS, st.integers(0, 14), st.sampled_from("0123456789"))
def test_one_changed_digit_of_a_registration_number_is_always_found(seed: int, position: int, digit: str) -> None:
    number = identifiers.make_reg_no(Random(seed))
    changed = number[:position] + digit + number[position + 1 :]

    assert (identifiers.check_reg_no(changed) is None) == (changed == number)
