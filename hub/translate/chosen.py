"""The chosen records of a hand-over that is replayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from adapters.formats.base import LegacyChunk
from hub.repair import Repair


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


def numbers(chunk: LegacyChunk, first: int, wanted: frozenset[int]) -> list[int]:
    """Their numbers within the hand-over."""
    return [first + index for index in range(chunk.count) if first + index in wanted]


def chosen(chunks: Iterator[LegacyChunk], wanted: frozenset[int], stored: int, repair: Repair) -> Iterator[LegacyChunk]:
    """The chosen records, mended, chunk by chunk, without the first `stored` chunks that have any."""
    first = 1
    for chunk in chunks:
        part = only(chunk, first, wanted)
        its = numbers(chunk, first, wanted)
        first += chunk.count
        if not part.count:
            continue
        if stored:
            stored -= 1
        else:
            yield repair.mended(part, its)
