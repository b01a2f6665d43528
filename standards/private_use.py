"""Private-use characters (自造字): what they are is known only to the computer, font or system that made them."""

from __future__ import annotations

import re

from standards.encodings import decode

#: The three areas of Unicode, as part of a character class of a regular expression.
AREAS = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
_PRIVATE = re.compile(f"[{AREAS}]")
#: U+F000-U+F8FF in UTF-8; the other areas begin with bytes that little else begins with.
_UPPER = re.compile(rb"\xef[\x80-\xa3]")
#: So many are told of one value.
_TOLD = 5
#: What Windows gave its own private-use characters to, in their order, before Unicode had the characters of these
#: codes: code page 936 reads them so to this day, and fonts such as SimSun show them.
_ON_WINDOWS = {
    0xE76C: range(0xA2E3, 0xA2E4),
    0xE78D: range(0xA6D9, 0xA6E0),
    0xE794: range(0xA6EC, 0xA6EE),
    0xE796: range(0xA6F3, 0xA6F4),
    0xE7C7: range(0xA8BC, 0xA8BD),
    0xE7C8: range(0xA8BF, 0xA8C0),
    0xE7E7: range(0xA989, 0xA996),
    0xE815: range(0xFE50, 0xFE7F),
    0xE844: range(0xFE80, 0xFEA1),
}
_MEANT = {
    chr(first + i): decode(code.to_bytes(2, "big"), "gb18030")
    for first, codes in _ON_WINDOWS.items()
    for i, code in enumerate(codes)
}


def among(text: str) -> bool:
    """True when a text holds a private-use character."""
    return _PRIVATE.search(text) is not None


def perhaps_among(raw: bytes) -> bool:
    """False when a text in UTF-8 holds none for certain; much quicker than looking at its characters."""
    return b"\xee" in raw or b"\xf3" in raw or b"\xf4" in raw or (b"\xef" in raw and _UPPER.search(raw) is not None)


def places(value: str) -> str:
    """Where in a value they stand, counted from 1, as a person reads it; '' if there are none."""
    at = [str(found.start() + 1) for found in _PRIVATE.finditer(value)]
    return ", ".join(at[:_TOLD]) + (" …" if len(at) > _TOLD else "")


def meant(value: str) -> str:
    """The characters that they most likely stand for, as far as that can be told: Windows made some for all of us.

    A guess to be shown to a person.  Others have given the same private-use characters to other things.
    """
    known = [_MEANT[found[0]] for found in _PRIVATE.finditer(value) if found[0] in _MEANT]
    return ", ".join(dict.fromkeys(known[:_TOLD]))
