"""Raw bytes in the ledger: stored once, in compressed pieces; read as a stream from any offset."""

from __future__ import annotations

import io
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import BinaryIO
from uuid import UUID

import zstandard

from hub.ledger import submissions
from hub.ledger.engine import Ledger
from hub.ledger.submissions import Submission
from hub.packing import packed
from hub.vault import Seal
from standards.errors import BadConfiguration

#: Raw bytes in one piece at most.
PIECE = 4 * 1024 * 1024
#: A payload larger than this is spooled to disk when a reader needs to jump about in it.
_IN_MEMORY = 32 * 1024 * 1024


def pieces_of(stream: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of exactly PIECE bytes, but for the last."""
    held = bytearray()
    for data in stream:
        held += data
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)


def pack(piece: bytes, seal: Seal) -> bytes:
    """A piece as it is stored."""
    return seal.close(packed(piece))


def unpack(stored: bytes, key_ref: str | None, seal: Seal) -> bytes:
    """A stored piece as it was."""
    return zstandard.ZstdDecompressor().decompress(seal.open(stored, key_ref), max_output_size=PIECE)


class LedgerPayload:
    """The raw bytes of a submission as readers take them (adapters.formats.base.Payload)."""

    def __init__(self, ledger: Ledger, submission: Submission, seal: Seal) -> None:
        self.name = submission.name
        self.content_type = submission.content_type
        self.size = submission.size
        self._ledger = ledger
        self._id = submission.id
        self._seal = seal
        self._receipt_no = submission.receipt_no
        #: Every reader looks at the beginning several times before it reads on.
        self._first: bytes | None = None
        sizes = [submission.size] if submission.size else []
        if submission.size > PIECE:
            with ledger.read() as connection:
                sizes = submissions.part_sizes(connection, submission.id)
            if sum(sizes) != submission.size:
                raise self._gone()
        self._starts = [0, *accumulate(sizes)]

    def _gone(self) -> BadConfiguration:
        return BadConfiguration(
            f"the raw bytes of {self._receipt_no} are no longer kept",
            what_zh=f"报送 {self._receipt_no} 的原始数据已超过保留期",
        )

    def open(self, offset: int = 0) -> BinaryIO:
        """A forward stream of the raw bytes, from `offset` on."""
        return io.BufferedReader(_Stream(self, offset), buffer_size=256 * 1024)

    def seekable(self) -> BinaryIO:
        """The raw bytes as a seekable file (spooled to disk when large); the caller closes it."""
        spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - handed out
        with self.open() as stream:
            while data := stream.read(PIECE):
                spool.write(data)
        spool.seek(0)
        return spool  # type: ignore[return-value]

    def piece(self, number: int) -> bytes:
        """One piece, unpacked."""
        if number == 0 and self._first is not None:
            return self._first
        with self._ledger.read() as connection:
            found = submissions.part(connection, self._id, number)
        if found is None:
            raise self._gone()
        piece = unpack(*found, self._seal)
        if number == 0:
            self._first = piece
        return piece

    def locate(self, offset: int) -> tuple[int, int]:
        """Piece and position in it of an offset."""
        number = bisect_right(self._starts, offset) - 1
        return number, offset - self._starts[number]

    @property
    def pieces(self) -> int:
        """How many pieces there are."""
        return len(self._starts) - 1


class _Stream(io.RawIOBase):
    """Reads one piece after the other; never more than one in memory."""

    def __init__(self, payload: LedgerPayload, offset: int) -> None:
        super().__init__()
        self._payload = payload
        self._number, self._position = payload.locate(min(offset, payload.size))
        self._piece: bytes | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while self._number < self._payload.pieces:
            if self._piece is None:
                self._piece = self._payload.piece(self._number)
            count = min(len(view), len(self._piece) - self._position)
            if count > 0:
                view[:count] = self._piece[self._position : self._position + count]
                self._position += count
                return count
            self._number, self._position, self._piece = self._number + 1, 0, None
        return 0


def payload_id(submission: Submission) -> UUID:
    """Whose pieces a submission reads: a replay reads those of what it replays."""
    return submission.origin_id or submission.id
