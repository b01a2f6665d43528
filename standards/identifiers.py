"""Identifiers that carry their own check: credit codes, organisation codes, citizen and registration numbers.

Pure and table-driven.  A check returns None when the text is right, `format` when it is not even of the right
shape, and otherwise the word that names the finding after `10006.`; which of them stops a record is said in
`findings.yaml` (real data hold old and mistyped codes), not here.

The weights of GB 32100 are powers of 3 modulo 31 and those of GB 11643 powers of 2 modulo 11.  34 is 3 modulo 31
and 13 is 2 modulo 11, so a whole weighted sum is one conversion of the text read in base 34 or 13.
"""

from __future__ import annotations

from datetime import date
from random import Random

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ORG_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#: Province level of GB/T 2260; 81-83 are Hong Kong, Macao and Taiwan.
PROVINCES = frozenset(
    f"{head}{tail}"
    for head, tails in {"1": "12345", "2": "123", "3": "1234567", "4": "123456", "5": "01234", "6": "12345"}.items()
    for tail in tails
) | {"71", "81", "82", "83"}
#: 10 is the national authority (100000), which registers too.
_REGISTERING = PROVINCES | {"10"}

_BASE_34 = b"0123456789abcdefghijklmnopqrstuvwx"
_BAD = b"!"


def _translation(alphabet: str) -> bytes:
    """Each letter of the alphabet as the base-34 digit of its value; all else as what `int` refuses."""
    table = bytearray(_BAD * 256)
    for value, letter in enumerate(alphabet):
        table[ord(letter)] = _BASE_34[value]
    return bytes(table)


_USCC_DIGITS = _translation(USCC_ALPHABET)
#: Check character by the weighted sum modulo 31: C18 = 31 - sum, 31 is written 0.
_USCC_CHECK = "".join(USCC_ALPHABET[(31 - rest) % 31] for rest in range(31))

_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORG_CHECK = "".join("0X987654321"[rest] for rest in range(11))
#: Weighted value of two letters at once, for each of the four pairs of an organisation code.
_ORG_PAIRS = tuple(
    {
        a + b: x * _ORG_WEIGHTS[2 * pair] + y * _ORG_WEIGHTS[2 * pair + 1]
        for x, a in enumerate(ORG_ALPHABET)
        for y, b in enumerate(ORG_ALPHABET)
    }
    for pair in range(4)
)

_ID_CHECK = "10X98765432"
_DIGITS = frozenset("0123456789")
#: ISO 7064 MOD 11,10: the next state by state and digit.
_MOD_11_10 = {(p, str(a)): 2 * ((p + a) % 10 or 10) % 11 for p in range(1, 11) for a in range(10)}


def uscc_check_character(body: str) -> str | None:
    """The 18th character of GB 32100-2015 for the first 17, or None when they are not of the alphabet."""
    try:
        value = int(body[::-1].encode("ascii").translate(_USCC_DIGITS), 34)
    except ValueError:  # also UnicodeEncodeError
        return None
    return _USCC_CHECK[value % 31]


def check_uscc(text: str) -> str | None:
    """A unified social credit code of GB 32100-2015.

    `uscc`: the check character is wrong.  `region_part`: characters 3-4 are no province.  `uscc_inner`: the
    organisation code in 9-17 fails its own check, which some old genuine codes do.
    """
    if len(text) != 18 or not text[2:8].isdigit():
        return "format"
    expected = uscc_check_character(text[:17])
    if expected is None or text[17] not in USCC_ALPHABET:
        return "format"
    if expected != text[17]:
        return "uscc"
    if text[2:4] not in _REGISTERING:
        return "region_part"
    return None if org_check_character(text[8:16]) == text[16] else "uscc_inner"


def org_check_character(body: str) -> str | None:
    """The ninth character of GB 11714-1997 for the first eight, or None when they are not of the alphabet."""
    one, two, three, four = _ORG_PAIRS
    try:
        total = one[body[:2]] + two[body[2:4]] + three[body[4:6]] + four[body[6:]]
    except KeyError:
        return None
    return _ORG_CHECK[total % 11]


def check_org_code(text: str) -> str | None:
    """An organisation code of GB 11714-1997: nine characters, without the hyphen."""
    if len(text) != 9:
        return "format"
    expected = org_check_character(text[:8])
    if expected is None or (text[8] not in _DIGITS and text[8] != "X"):
        return "format"
    return None if expected == text[8] else "org_code"


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def id_check_character(body: str) -> str | None:
    """The 18th character of GB 11643-1999 for the first 17 digits, or None when they are not digits."""
    return _ID_CHECK[2 * int(body, 13) % 11] if len(body) == 17 and _is_digits(body) else None


def check_id_number(text: str) -> str | None:
    """A citizen identity number of GB 11643-1999 with 18 characters, X in capitals.

    `id_number`: the check character is wrong.  `id_birth_date`: no such day.  `id_province`: no such province.
    The 15 characters of before 1999 are `format`; `upgrade_id_number` turns them into 18.
    """
    if len(text) != 18:
        return "format"
    expected = id_check_character(text[:17])
    if expected is None or (text[17] not in _DIGITS and text[17] != "X"):
        return "format"
    if expected != text[17]:
        return "id_number"
    if birth_date(text) is None:
        return "id_birth_date"
    return None if text[:2] in PROVINCES else "id_province"


def upgrade_id_number(text: str) -> str | None:
    """The 18 characters of a 15-digit identity number, or None when it is none."""
    if len(text) != 15 or not _is_digits(text):
        return None
    body = f"{text[:6]}19{text[6:]}"
    return body + str(id_check_character(body)) if birth_date(body) else None


def birth_date(text: str) -> date | None:
    """The birth date in an 18-character identity number, or None when there is no such day."""
    try:
        return date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return None


def is_male(text: str) -> bool:
    """Whether the 17th digit of an identity number says male."""
    return text[16] in "13579"


def reg_check_character(body: str) -> str | None:
    """The 15th digit of a business registration number for the first 14, or None when they are not digits."""
    if len(body) != 14 or not _is_digits(body):
        return None
    state = 10
    for digit in body:
        state = _MOD_11_10[state, digit]
    return str((11 - state) % 10)


def check_reg_no(text: str) -> str | None:
    """A business registration number with 15 digits (ISO 7064 MOD 11,10); those of before 2007 are `format`."""
    if len(text) != 15 or not _is_digits(text):
        return "format"
    return None if reg_check_character(text[:14]) == text[14] else "reg_no"


def make_uscc(random: Random, region: str = "330203", head: str = "91") -> str:
    """A credit code that passes every check, for samples."""
    body = "".join(random.choices(USCC_ALPHABET, k=8))
    inner = make_org_code_check(body)
    while inner is None:  # the check character of the inner code must be of the smaller alphabet; X is
        body = "".join(random.choices(USCC_ALPHABET, k=8))
        inner = make_org_code_check(body)
    whole = f"{head}{region}{body}{inner}"
    return whole + str(uscc_check_character(whole))


def make_org_code_check(body: str) -> str | None:
    """The check character of an organisation code if a credit code may hold it."""
    check = org_check_character(body)
    return check if check is not None and check in USCC_ALPHABET else None


def make_org_code(random: Random) -> str:
    """An organisation code that passes its check, for samples."""
    body = "".join(random.choices("0123456789", k=8))
    return body + str(org_check_character(body))


def make_id_number(random: Random, region: str = "330203", born: date = date(1980, 1, 1)) -> str:
    """An identity number that passes every check, for samples.  Nobody's: the serial is 000 to 009."""
    body = f"{region}{born:%Y%m%d}00{random.randrange(10)}"
    return body + str(id_check_character(body))


def make_reg_no(random: Random, region: str = "330203") -> str:
    """A registration number that passes its check, for samples."""
    body = region + "".join(random.choices("0123456789", k=8))
    return body + str(reg_check_character(body))
