"""The score of a party out of shares between 0 and 1, and the ranking: pure, with the weights of the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: What is weighed.
PARTS = ("correct", "in_time", "covered", "disposed")


def score(shares: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    """0 to 100; a part nobody can tell does not count, and the others weigh as before; None when none can be told."""
    told = [(value, weights.get(name, 0.0)) for name in PARTS if (value := shares.get(name)) is not None]
    whole = sum(weight for _, weight in told)
    if whole <= 0:
        return None
    return round(100 * sum(value * weight for value, weight in told) / whole, 2)


def ranks(scores: Sequence[float | None]) -> list[int | None]:
    """1 is the best; equal scores share a place and the next is left out; no score, no place."""
    told = sorted((one for one in scores if one is not None), reverse=True)
    return [None if one is None else told.index(one) + 1 for one in scores]


def share(part: int, whole: int) -> float | None:
    """None of nothing."""
    return part / whole if whole else None
