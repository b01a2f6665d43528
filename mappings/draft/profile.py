"""What the values of a field look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mappings.convert import Wrong, as_date
from standards.identifiers import check_uscc

_NUMBER = re.compile(r"^-?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?\s*(百万|千万|[千万亿])?(元|人民币|美元|RMB)?(人民币)?$")
_WHOLE = re.compile(r"^-?\d+$")
_PHONE = re.compile(r"^(1\d{10}|0\d{2,3}-?\d{7,8}|\d{7,8})$")
_REGION = re.compile(r"^\d{6}(\d{6})?$")
_ITEM = re.compile(r"^\d{14}$")
_ID_NUMBER = re.compile(r"^\d{17}[\dXx*]$|^\d{6}\*+")
_TIME = re.compile(r"\d{1,2}[:：时]\d{1,2}")
_MANY = 500


@dataclass(frozen=True, slots=True)
class Profile:
    """Shares from 0 to 1 of the values that are there; empty when there are none."""

    count: int
    filled: float
    distinct: int
    longest: int
    shares: Mapping[str, float]
    #: The commonest values, for code pairs.
    common: tuple[str, ...]

    @property
    def known(self) -> bool:
        """True when there are values to judge by."""
        return bool(self.shares)

    def share(self, what: str) -> float:
        """Share of the values that look like this."""
        return self.shares.get(what, 0.0)


def _is_date(value: str) -> bool:
    try:
        return bool(as_date(value))
    except Wrong:
        return False


_LOOKS: dict[str, Callable[[str], bool]] = {
    "uscc": lambda v: check_uscc(v.upper()) in (None, "uscc_inner"),
    "date": _is_date,
    "time": lambda v: bool(_TIME.search(v)),
    "number": lambda v: bool(_NUMBER.match(v)),
    "whole": lambda v: bool(_WHOLE.match(v)),
    "phone": lambda v: bool(_PHONE.match(v)),
    "region": lambda v: bool(_REGION.match(v)) and "11" <= v[:2] <= "82",
    "item": lambda v: bool(_ITEM.match(v)),
    "id_number": lambda v: bool(_ID_NUMBER.match(v)),
    "flag": lambda v: v in ("0", "1", "是", "否", "Y", "N", "true", "false", "Yes", "No"),
}


def profile(values: Sequence[str]) -> Profile:
    """The profile of a field's values; the first few hundred are looked at."""
    there = [v.strip() for v in values if v and v.strip()]
    looked = there[:_MANY]
    shares = {name: sum(map(test, looked)) / len(looked) for name, test in _LOOKS.items()} if looked else {}
    counts = Counter(there)
    return Profile(
        count=len(values),
        filled=len(there) / len(values) if values else 0.0,
        distinct=len(counts),
        longest=max(map(len, there), default=0),
        shares=shares,
        common=tuple(v for v, _ in counts.most_common(60)),
    )
