"""The content of stored chunks, unpacked."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, NamedTuple
from uuid import UUID

import zstandard
from sqlalchemy import Connection, Row, select

from hub.ledger.tables import chunk
from hub.ledger.types import month_of
from hub.vault import Seal
from standards.errors import BadConfiguration


class Content(NamedTuple):
    """The records of one chunk as lines of canonical JSON."""

    lines: list[bytes]
    #: Common elements the sender gave, line by line; None when it gave none.
    common: list[bytes] | None


class Contents:
    """Fetches chunks and remembers the last few: several parcels come from one chunk.  For all threads of a process."""

    def __init__(self, seal: Seal, remembered: int = 4) -> None:
        self._seal = seal
        self._remembered = remembered
        self._held: OrderedDict[tuple[UUID, int], Content] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, connection: Connection, submission_id: UUID, seq: int) -> Content:
        """One chunk's content.  Raises BadConfiguration when it is no longer kept."""
        key = (submission_id, seq)
        with self._lock:
            found = self._held.get(key)
        if found is None:
            found = self._fetch(connection, submission_id, seq)
            with self._lock:
                self._held[key] = found
                while len(self._held) > self._remembered:
                    self._held.popitem(last=False)
        return found

    def _fetch(self, connection: Connection, submission_id: UUID, seq: int) -> Content:
        row: Row[Any] | None = connection.execute(
            select(chunk.c.content, chunk.c.common, chunk.c.key_ref).where(
                chunk.c.month == month_of(submission_id), chunk.c.submission_id == submission_id, chunk.c.seq == seq
            )
        ).one_or_none()
        if row is None or row[0] is None:
            raise BadConfiguration("the content is no longer kept", what_zh="内容已超过保留期")
        unpack = zstandard.ZstdDecompressor().decompress
        content = unpack(self._seal.open(row[0], row[2])).split(b"\n")
        common = unpack(self._seal.open(row[1], row[2])).split(b"\n") if row[1] is not None else None
        return Content(content, common)
