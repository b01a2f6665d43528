"""How a personal value is shown to someone without the right to see it (DOMAIN 6.3)."""

from __future__ import annotations

import re

from standards.masks_in_text import mask_text

_PHONE = re.compile(r"(?<!\d)(1\d{2})\d{4}(\d{4})(?!\d)")
_ID_NUMBER = re.compile(r"^([0-9]{6})[0-9]{8}([0-9]{3}[0-9Xx])$")
_OLD_ID_NUMBER = re.compile(r"^([0-9]{6})[0-9]{6}([0-9]{3})$")
_NAME = re.compile(r"^[\u3400-\u9fff·]{2,10}$")
_MASKED = re.compile(r"\*{3,}|^[^*]\*+$")
_MAIL = re.compile(r"^([^@\s])[^@\s]*(@[^@\s]+)$")


def phone(value: str) -> str:
    """First three and last four digits of a mobile number stay."""
    return _PHONE.sub(r"\1****\2", value)


def id_number(value: str) -> str:
    """First six and last four characters of an identity number stay, eight are hidden."""
    if found := _ID_NUMBER.match(value):
        return f"{found[1]}{'*' * 8}{found[2]}"
    if found := _OLD_ID_NUMBER.match(value):
        return f"{found[1]}{'*' * 6}{found[2]}"
    return generic(value)


def name(value: str) -> str:
    """The first character stays."""
    return value[:1] + "*" * max(len(value) - 1, 0)


def generic(value: str) -> str:
    """Not more than the first and the last quarter stay; of short values nothing."""
    keep = min(len(value) // 4, 4)
    if keep == 0:
        return "*" * len(value)
    return value[:keep] + "*" * (len(value) - 2 * keep) + value[-keep:]


def mask(value: str) -> str:
    """Any personal value, by what it looks like; several joined with ; one by one.  What is masked stays as it is."""
    return ";".join(_one(part) for part in value.split(";"))


def _one(value: str) -> str:
    if _MASKED.search(value):
        return mask_text(value)
    if _ID_NUMBER.match(value) or _OLD_ID_NUMBER.match(value):
        return id_number(value)
    hidden = phone(value)
    if hidden != value:
        return hidden if len(value) <= 14 else generic(value)
    if _NAME.match(value):
        return name(value)
    if found := _MAIL.match(value):
        return f"{found[1]}***{found[2]}"
    return generic(value)
