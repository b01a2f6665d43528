"""What the values of a field look like, together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mappings.draft.looks import DATE_FORMATS, LOOKS, date_format, is_nothing

_MANY = 300


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
    #: Values that only say that there is none, such as / or 无.
    nothings: tuple[str, ...] = ()
    #: How the dates are written where a mapping does not read them by itself.
    date_formats: tuple[str, ...] = ()
    #: True for 1, 2, 3 …: a number of the row and not of the thing.
    counts_rows: bool = False

    @property
    def repeated(self) -> bool:
        """True when the same values come again and again, as in no number of a thing."""
        return self.count * self.filled >= 20 and self.distinct < 0.5 * self.count * self.filled

    @property
    def known(self) -> bool:
        """True when there are values to judge by."""
        return bool(self.shares)

    def share(self, *looks: str) -> float:
        """Share of the values that look like this, or like the most frequent of these."""
        return max(self.shares.get(look, 0.0) for look in looks)


def profile(values: Sequence[str]) -> Profile:
    """The profile of a field's values; the first few hundred are looked at."""
    there = [v.strip() for v in values if v and not is_nothing(v)]
    looked = there[:_MANY]
    counts = Counter(there)
    some = Counter(looked)
    shares = {
        name: sum(n for value, n in some.items() if test(value)) / len(looked) for name, test in LOOKS.items() if looked
    }
    return Profile(
        count=len(values),
        filled=len(there) / len(values) if values else 0.0,
        distinct=len(counts),
        longest=max(map(len, there), default=0),
        shares=shares,
        common=tuple(v for v, _ in counts.most_common(60)),
        nothings=tuple(sorted({v.strip() for v in values if v and v.strip() and is_nothing(v)})),
        date_formats=_date_formats(some) if shares.get("date", 0) >= 0.5 else (),
        counts_rows=_counts_rows(looked),
    )


def _counts_rows(values: Sequence[str]) -> bool:
    if len(values) < 3 or not all(v.isascii() and v.isdigit() and len(v) < 8 for v in values):
        return False
    return int(values[0]) <= 1 and all(int(b) - int(a) == 1 for a, b in pairwise(values))


def _date_formats(values: Mapping[str, int]) -> tuple[str, ...]:
    """The fewest formats that read the dates; () when the ordinary reading does."""
    left = [v for v in values if date_format(v) is not None]
    if all(date_format(v, ("auto",)) for v in left):
        return ()
    chosen = ["auto"] if any(date_format(v, ("auto",)) for v in left) else []
    while left := [v for v in left if not (chosen and date_format(v, tuple(chosen)))]:
        chosen.append(max(DATE_FORMATS, key=lambda form: sum(date_format(v, (form,)) is not None for v in left)))
    return tuple(chosen)
