"""The chosen records of a hand-over that is replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from adapters.formats.base import LegacyChunk
from hub.plan import Plan
from hub.repair import Repair
from hub.repair_names import named
from hub.translate.consult import Ask


class Chosen(NamedTuple):
    """Chosen records of one chunk, and their numbers within the hand-over."""

    chunk: LegacyChunk
    numbers: Sequence[int]


def only(chunk: LegacyChunk, first: int, wanted: frozenset[int]) -> LegacyChunk:
    """The chosen records of a chunk whose first is number `first`."""
    kept = [index for index in range(chunk.count) if first + index in wanted]
    if len(kept) == chunk.count:
        return chunk
    return replace(
        chunk,
        columns={name: [column[i] for i in kept] for name, column in chunk.columns.items()},
        count=len(kept),
        places=[chunk.places[i] for i in kept],
        broken={new: chunk.broken[old] for new, old in enumerate(kept) if old in chunk.broken},
    )


def chosen(chunks: Iterator[LegacyChunk], wanted: frozenset[int]) -> Iterator[Chosen]:
    """The chosen records, chunk by chunk; chunks without any are left out."""
    first = 1
    for chunk in chunks:
        numbers = [first + index for index in range(chunk.count) if first + index in wanted]
        if numbers:
            yield Chosen(only(chunk, first, wanted), numbers)
        first += chunk.count


def mended(found: Iterator[Chosen], repair: Repair, plan: Plan, ask: Ask, stored: int = 0) -> Iterator[LegacyChunk]:
    """These records with their values mended, without the first `stored` chunks."""
    for one in found:
        if stored:
            stored -= 1
            continue
        known = named(repair, plan, one.chunk.columns, strict=False)
        yield known.mended(one.chunk, one.numbers, ask)
