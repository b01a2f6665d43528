"""Who is responsible for what: the directory that hands tasks on (articles 11 and 28).  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.settings import Duty


@dataclass(frozen=True, slots=True)
class Matter:
    """What a task is about, as far as its record says."""

    flow: str
    item: str = ""
    region: str = ""
    industry: str = ""


def responsible(duties: Iterable[Duty], matter: Matter) -> Duty | None:
    """The duty that says most exactly what the matter is about; the first of equals; None: nobody."""
    best: tuple[tuple[int, int, int, int], Duty] | None = None
    for duty in duties:
        weight = _weight(duty, matter)
        if weight is not None and (best is None or weight > best[0]):
            best = weight, duty
    return best[1] if best is not None else None


def _weight(duty: Duty, matter: Matter) -> tuple[int, int, int, int] | None:
    """How exactly a duty fits: by item, region, industry, flow; None: not at all."""
    regions = [region.rstrip("0") if len(region) == 6 else region for region in duty.regions]
    parts = (
        _fit(duty.items, matter.item),
        _fit([r + "0" if len(r) % 2 else r for r in regions], matter.region),
        _fit(duty.industries, matter.industry),
        0 if not duty.flows else 1 if matter.flow in duty.flows else None,
    )
    if None in parts:
        return None
    item, region, industry, flow = (part or 0 for part in parts)
    return item, region, industry, flow


def _fit(beginnings: Iterable[str], value: str) -> int | None:
    """Length of the longest beginning that fits; 0 where none is asked for."""
    wanted = list(beginnings)
    if not wanted:
        return 0
    fitting = [len(one) for one in wanted if value and value.startswith(one)]
    return max(fitting) + 1 if fitting else None
