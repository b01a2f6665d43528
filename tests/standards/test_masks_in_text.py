"""Numbers of persons inside free text are hidden; what only looks a little like one stays as it is."""

from __future__ import annotations

from datetime import date, datetime
from random import Random
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from standards.identifiers import check_id_number, check_uscc, id_check_character, make_uscc, uscc_check_character
from standards.masks_in_text import hidden_numbers, mask_text

REGIONS = ("140211", "110105", "330203", "440305")
#: What stands around a number in the sentences of complaints.
BEFORE = ("", "请联系张先生", "电话：", "tel:", "手机号 ", "反映人(", "wx", "，", "\n", "+86 ", "0086")
AFTER = ("", "，请尽快办理", "。", ")", " 张先生", "\n", "/", "；备注")
numbers = st.builds(Random, st.integers(0, 2**32))


def luhn(body: str) -> str:
    total = sum(sum(divmod(int(sign) * (2 - place % 2), 10)) for place, sign in enumerate(reversed(body)))
    return f"{body}{-total % 10}"


def mobile(random: Random) -> str:
    head = random.choice(["13", "15", "16", "17", "18", "19"]) + str(random.randrange(10))
    return head + "".join(random.choices("0123456789", k=8))


def id_number(random: Random) -> str:
    born = date.fromordinal(random.randrange(date(1930, 1, 1).toordinal(), date(2020, 1, 1).toordinal()))
    body = f"{random.choice(REGIONS)}{born:%Y%m%d}{random.randrange(1000):03}"
    return f"{body}{id_check_character(body)}"


def card(random: Random) -> str:
    head = random.choice(["62", "4", "51", "35", "9558"])
    return luhn(head + "".join(random.choices("0123456789", k=random.choice([15, 16, 17, 18]) - len(head))))


@given(numbers, st.sampled_from(BEFORE), st.sampled_from(AFTER))
def test_a_mobile_number_in_a_sentence_is_hidden_and_the_sentence_stays(
    random: Random, before: str, after: str
) -> None:
    number = mobile(random)
    for written in (number, f"{number[:3]}-{number[3:7]}-{number[7:]}", f"{number[:3]} {number[3:7]} {number[7:]}"):
        assert mask_text(before + written + after) == f"{before}{number[:3]}****{number[-4:]}{after}"


@given(numbers, st.sampled_from(["", "身份证", "身份证号：", "ID", "(", "号码 "]), st.sampled_from(AFTER))
def test_an_identity_number_in_a_sentence_is_hidden(random: Random, before: str, after: str) -> None:
    number = id_number(random)
    shown = f"{before}{number[:6]}********{number[-4:]}{after}"
    spaced = f"{before}{number[:6]} {number[6:14]} {number[14:]}{after}"

    assert mask_text(before + number + after) == shown
    assert mask_text(before + number.lower() + after) == shown
    assert mask_text(spaced) == shown


@given(numbers, st.sampled_from(["", "卡号", "工行卡 ", "账号："]), st.sampled_from(AFTER))
def test_the_number_of_a_bank_card_in_a_sentence_is_hidden(random: Random, before: str, after: str) -> None:
    number = card(random)
    # One of 18 digits may be a firm's code as well, which stays, or a person's number, which is hidden as that.
    assume(check_uscc(number) not in (None, "uscc_inner") and check_id_number(number) is not None)
    shown = f"{before}{number[:4]}{'*' * (len(number) - 8)}{number[-4:]}{after}"
    grouped = " ".join(number[at : at + 4] for at in range(0, len(number), 4))

    assert mask_text(before + number + after) == shown
    assert mask_text(before + grouped + after) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("请联系张先生13800138000，身份证14020219900101123X", "请联系张先生138****8000，身份证140202********123X"),
        ("身份证140211199003070016有误", "身份证140211********0016有误"),  # its check character is wrong
        ("原身份证 130503670401001。", "原身份证 130503******001。"),
        ("电话１３８００１３８０００", "电话138****8000"),
        ("13800138000/13900139000", "138****8000/139****9000"),
        ("138-00138000", "138****8000"),
        ("护照号：E12345678", "护照号：E1*****78"),
        ("passport No. EA1234567", "passport No. EA*****67"),
    ],
)
def test_numbers_are_hidden_however_they_are_written(text: str, shown: str) -> None:
    assert mask_text(text) == shown


@given(numbers, st.sampled_from(["", "统一社会信用代码", "单位 ", "("]), st.sampled_from(AFTER))
def test_a_unified_social_credit_code_stays(random: Random, before: str, after: str) -> None:
    head = random.choice(["11", "12", "13", "51", "52", "53", "91", "92"])
    text = before + make_uscc(random, random.choice(REGIONS), head) + after

    assert mask_text(text) == text


@given(numbers, st.sampled_from(["", "统一社会信用代码", "单位 ", "("]), st.sampled_from(AFTER))
def test_a_unified_social_credit_code_of_digits_only_stays(random: Random, before: str, after: str) -> None:
    while True:
        body = f"{random.choice(['12', '51', '52', '91'])}{random.choice(REGIONS)}{random.randrange(10**9):09}"
        check = uscc_check_character(body) or ""
        if check.isdigit() and check_uscc(body + check) in (None, "uscc_inner"):
            break
    text = before + body + check + after

    assert mask_text(text) == text


@given(
    st.datetimes(),
    st.integers(0, 999_999),
    st.integers(0, 99_999_999_999),
    st.sampled_from(["", "，", " ", "/", "-"]),
)
def test_receipt_and_case_numbers_days_and_amounts_stay(moment: datetime, number: int, amount: int, mark: str) -> None:
    day = str(moment)[:10]
    plain = day.replace("-", "")
    for one in (
        f"{plain[2:]}-{number:06}-{number % 10}",  # a receipt number
        f"晋0211行罚〔{day[:4]}〕{number}号",
        f"XK{plain}{number:06}",
        f"1402{number:06}1",  # a division and a serial number, eleven digits
        str(moment)[:19],
        f"{day}{mark}{day}",
        f"{plain}{mark}{plain}" if mark else plain,
        f"第139 {plain}号" if 1900 <= int(day[:4]) < 2100 else "",
        f"{amount}.{number % 100:02}",
        f"¥{amount}",
        f"罚款{amount}元",
    ):
        assert mask_text(one) == one


@given(st.uuids(), st.binary(min_size=32, max_size=32))
def test_ids_and_digests_stay(identifier: UUID, digest: bytes) -> None:
    assert mask_text(str(identifier)) == str(identifier)
    assert mask_text(digest.hex()) == digest.hex()


@pytest.mark.parametrize(
    "text",
    [
        "案号140211202401150016",  # a division, a day, a serial number: its last character is no check character
        "金额13800138000元",
        "13800138000.00",
        "投资￥13800138000",
        "单号138001380001",
        "设备XK13800138000",
        "3F13800138000B",
        "流水2024011512345678",
        "1402111380013",
        "0192f0c1-138-0013-8000",
        "电话138****8000",
        "E12345678",
        "13140200588X",
    ],
)
def test_what_is_no_number_of_a_person_stays(text: str) -> None:
    assert mask_text(text) == text


@given(st.text(max_size=60) | st.text("0123456789 -X号护照", max_size=60))
def test_hiding_twice_is_hiding_once(text: str) -> None:
    once = mask_text(text)

    assert mask_text(once) == once


@given(st.text(st.characters(exclude_categories=["Nd"]), max_size=60))
def test_a_text_without_digits_stays(text: str) -> None:
    assert mask_text(text) == text


def test_hidden_numbers_are_found_in_a_text() -> None:
    text = mask_text("请联系13800138000，身份证140211199003070015")

    assert hidden_numbers(text) == {"138****8000", "140211********0015"}
    assert hidden_numbers("没有 ** 号码 ****") == set()
