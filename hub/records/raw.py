"""One row of a hand-over as it was sent, read again from the raw bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.formats import open_records
from adapters.formats.base import LegacyChunk, ReadOptions
from hub.ledger.engine import Ledger
from hub.ledger.submissions import Submission
from hub.payload import LedgerPayload
from hub.translate.chosen import only
from hub.vault import Seal

#: Rows that are read to come to one, where the file cannot be entered in the middle.
MOST = 50_000
_LINE = re.compile(r"^L(\d+)$")


def row_of(
    ledger: Ledger,
    seal: Seal,
    stored: Submission,
    options: ReadOptions,
    row: int,
    *,
    first_row: int = 1,
    first_place: str = "",
    raw_offset: int | None = None,
) -> LegacyChunk | None:
    """The row as a chunk of one; None when it is too far into a file that is read from its beginning only.

    `first_row`, `first_place`, `raw_offset`: of the stored chunk it belongs to.  Raises what reading raises, and
    BadConfiguration when the bytes are no longer kept.
    """
    payload = LedgerPayload(ledger, stored, seal)
    _, chunks = open_records(payload, options)
    line = _LINE.match(first_place)
    if raw_offset is not None and line is not None and first_row > 1:
        first = next(chunks, None)
        if first is not None and {"offset", "line", "codec"} <= set(first.bookmark):
            entered: Mapping[str, Any] = {**first.bookmark, "offset": raw_offset, "line": int(line[1])}
            if "short" in entered:
                entered = {**entered, "short": 0}
            _, chunks = open_records(payload, options, entered)
            return _taken(chunks, row, first_row)
        _, chunks = open_records(payload, options)
    return _taken(chunks, row, 1) if row <= MOST else None


def _taken(chunks: Iterator[LegacyChunk], row: int, first: int) -> LegacyChunk | None:
    for chunk in chunks:
        if first <= row < first + chunk.count:
            return only(chunk, first, frozenset({row}))
        first += chunk.count
    return None
