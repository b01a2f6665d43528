"""Numbers of persons inside free text, hidden from someone without the right to see them.

Found by pattern only: mainland identity numbers, mobile numbers, bank cards, and what the text itself calls the number
of a passport.  Names, addresses and e-mail addresses have no such pattern and stay.
"""

from __future__ import annotations

import re

from standards.identifiers import PROVINCES, birth_date, check_id_number, check_uscc, upgrade_id_number

#: Nothing with fewer digits in a row than a mobile number is looked at closer; digits of full width are digits.
_LONG = re.compile(r"\d(?:[ -]?\d){10}")
_SHORTEST = 9
_NARROW = str.maketrans("０１２３４５６７８９Ｘｘ－", "0123456789Xx-")

# Each pattern begins with a digit and looks back afterwards: so the search for where one may begin is quick.
_ID_NUMBER = re.compile(
    r"[1-8](?<!\d\d)(?:\d{16}[\dXx]|\d{5}([ -])\d{8}\1\d{3}[\dXx]|(?<![A-Za-z].)\d{14})(?![0-9A-Za-z])", re.ASCII
)
#: What is said right before an identity number: then it is one though a digit of it is wrong.
_CERTIFICATE = re.compile(r"(?:身份证|证件|公民身份)[^0-9A-Za-z]{0,8}$")
#: Eleven digits, 3-4-4 or 3-8.  140-143 are no segments of mobile numbers, and division codes of Shanxi begin so.
_MOBILE = re.compile(
    r"1(?:(?<!\d1)|(?<=\+861)|(?<=\b861)|(?<=00861))(?<!\d[.,]1)(?<![¥￥$]1)"
    r"(?:[35-9]\d|4[5-9])(?:\d{8}|([ -])\d{4}\1\d{4}|[ -](?P<rest>\d{8}))"
    r"(?![0-9A-Za-z]|[.,]\d|\s{0,2}(?:万|亿|元|美元|人民币|港币|吨|公斤|千克|平方米|㎡))",
    re.ASCII,
)
_CARD = re.compile(
    r"[34569](?<![0-9A-Za-z.]\d)(?:\d{15,18}|\d{3}([ -])\d{4}\1\d{4}\1\d{4}(?:\1?\d{1,3})?)(?![0-9A-Za-z]|\.\d)",
    re.ASCII,
)
#: How numbers of bank cards begin; what begins with 1, 2 or 9 is a day, a division or a code of an organisation.
_ISSUERS = re.compile(r"6|4|5[1-5]|35|9558")
_PASSPORT = re.compile(
    r"((?:护照|通行证|[Pp]assport|PASSPORT)[^0-9A-Za-z\n]{0,8}(?:[Nn][Oo]\.?[^0-9A-Za-z\n]{0,4})?)"
    r"([A-Za-z]{1,2}\d{7,8}|\d{8,9})(?![0-9A-Za-z])",
    re.ASCII,
)
#: Letters right before eleven digits that are no part of a number: else it is one of a file or a device.
_CALLS = frozenset(
    [
        "tel",
        "phone",
        "mobile",
        "mob",
        "cell",
        "call",
        "m",
        "t",
        "p",
        "no",
        "dh",
        "sj",
        "sjh",
        "lxdh",
        "wx",
        "vx",
        "v",
        "q",
        "qq",
        "wechat",
        "weixin",
    ]
)
_LETTERS = re.compile(r"[0-9A-Za-z]*[A-Za-z]$")
_IN_THE_MIDDLE = re.compile(r"(?<!86)(?<=[0-9A-Za-z])-$")
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$")
#: What numbers look like once they are hidden.
_HIDDEN = re.compile(r"\d+\*{4,}\d*[Xx]?")


def mask_text(value: str) -> str:
    """The text with the numbers of persons in it hidden; all else stays as it is, also what was hidden before."""
    if len(value) < _SHORTEST:
        return value
    if _LONG.search(value):
        value = _without_numbers(value)
    if "护照" in value or "通行证" in value or "assport" in value or "ASSPORT" in value:
        value = _PASSPORT.sub(_passport, value)
    return value


def hidden_numbers(value: str) -> set[str]:
    """The hidden numbers that stand in a text."""
    return set(_HIDDEN.findall(value)) if "****" in value else set()


def _without_numbers(value: str) -> str:
    narrow = value if value.isascii() else value.translate(_NARROW)
    hidden = _ID_NUMBER.sub(_id_number, narrow)
    hidden = _MOBILE.sub(_mobile, hidden)
    hidden = _CARD.sub(_card, hidden)
    return value if hidden == narrow else hidden


def _passport(found: re.Match[str]) -> str:
    number = found[2]
    return f"{found[1]}{number[:2]}{'*' * (len(number) - 4)}{number[-2:]}"


def _digits(text: str) -> str:
    return text.replace(" ", "").replace("-", "").upper()


def _id_number(found: re.Match[str]) -> str:
    number = _digits(found[0])
    if len(number) == 15:
        is_one, tail = upgrade_id_number(number) is not None, 3
    else:
        is_one, tail = _is_id_number(number, found), 4
    if not is_one or number[:2] not in PROVINCES:
        return found[0]
    return f"{number[:6]}{'*' * (len(number) - 6 - tail)}{number[-tail:]}"


def _is_id_number(number: str, found: re.Match[str]) -> bool:
    """By its check character; where that is wrong, by what is said of it, or by an X, which no other number has."""
    if check_id_number(number) is None:
        return True
    if birth_date(number) is None or number[6:8] not in ("19", "20"):
        return False
    return (
        number[-1] == "X" or _CERTIFICATE.search(found.string[max(0, found.start() - 12) : found.start()]) is not None
    )


def _mobile(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 12) : found.start()]
    if found["rest"] and _DAY.match(found["rest"]):
        return found[0]  # a number, and a day
    if found[1] == "-" and _IN_THE_MIDDLE.search(before):
        return found[0]  # in the middle of something longer
    letters = _LETTERS.search(before)
    if letters and letters[0].lower() not in _CALLS:
        return found[0]
    return f"{found[0][:3]}****{found[0][-4:]}"


def _card(found: re.Match[str]) -> str:
    number = _digits(found[0])
    if not 16 <= len(number) <= 19 or not _ISSUERS.match(number) or not _luhn(number):
        return found[0]
    if check_uscc(number) in (None, "uscc_inner"):
        return found[0]
    return f"{number[:4]}{'*' * (len(number) - 8)}{number[-4:]}"


def _luhn(number: str) -> bool:
    total = 0
    for place, sign in enumerate(reversed(number)):
        digit = int(sign) * (1 + place % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0
