"""Helpers: read bytes with any options, and look at what came of it as a whole."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import pytest

from adapters.formats import LegacyChunk, Note, Payload, Reading, ReadOptions, RowFault, bytes_payload, open_records
from standards.errors import BadRecord, PayloadTooLarge, UnreadablePayload

Record = dict[str, str]


@dataclass
class Read:
    """Everything a payload gave."""

    reading: Reading
    chunks: list[LegacyChunk]

    @property
    def records(self) -> list[Record]:
        """The records as dicts; of broken ones too."""
        return [record for chunk in self.chunks for record in records_of(chunk)]

    @property
    def good(self) -> list[Record]:
        """The records that are not broken."""
        return [r for c in self.chunks for i, r in enumerate(records_of(c)) if i not in c.broken]

    @property
    def places(self) -> list[str]:
        """Where each record stands."""
        return [place for chunk in self.chunks for place in chunk.places]

    @property
    def broken(self) -> dict[str, RowFault]:
        """Place -> why it could not be read."""
        return {chunk.places[row]: fault for chunk in self.chunks for row, fault in chunk.broken.items()}

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the first chunk."""
        return self.chunks[0].fields

    @property
    def notes(self) -> list[tuple[str, str]]:
        """Codes and values of the notes."""
        return [(note.code, note.value) for note in self.reading.notes]

    def note(self, code: str) -> Note:
        """The one note with a code."""
        (note,) = [note for note in self.reading.notes if note.code == code]
        return note


def records_of(chunk: LegacyChunk) -> list[Record]:
    """The records of a chunk; checks that it is sound on the way."""
    assert set(chunk.fields) == set(chunk.columns)
    assert len(chunk.places) == chunk.count
    for column in chunk.columns.values():
        assert len(column) == chunk.count
        assert all(type(value) is str for value in column)
        assert all(column[row] == "" for row in chunk.broken)
        "".join(column).encode()
    assert all(0 <= row < chunk.count for row in chunk.broken)
    return [{name: chunk.columns[name][row] for name in chunk.fields} for row in range(chunk.count)]


def read_payload(payload: Payload, resume: Mapping[str, int | str] | None = None, **options: Any) -> Read:
    """Read a payload to its end."""
    reading, chunks = open_records(payload, ReadOptions(**options), resume)
    return Read(reading, list(chunks))


def read(data: bytes | str, name: str = "", **options: Any) -> Read:
    """Read bytes to their end."""
    return read_payload(bytes_payload(name, data.encode() if isinstance(data, str) else data), **options)


def refused(data: bytes | str | Payload, name: str = "", **options: Any) -> BadRecord:
    """The error with which a payload as a whole is refused; it says in both languages what and how to mend it."""
    if isinstance(data, bytes | str):
        data = bytes_payload(name, data.encode() if isinstance(data, str) else data)
    with pytest.raises((UnreadablePayload, PayloadTooLarge)) as caught:
        read_payload(data, **options)
    assert_helpful(caught.value)
    return caught.value


def assert_helpful(error: BadRecord) -> None:
    """What is wrong and what helps, in Chinese and in English."""
    assert error.what.isascii() or '"' in error.what or ":" in error.what
    assert _has_chinese(error.what_zh)
    assert error.hint
    assert error.hint_zh is not None
    assert _has_chinese(error.hint_zh)


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def assert_resumes(payload: Payload, **options: Any) -> None:
    """Reading on behind any chunk gives the very chunks that reading straight through gave."""
    straight = read_payload(payload, **options)
    for number, chunk in enumerate(straight.chunks):
        rest = read_payload(payload, chunk.bookmark, **options)

        assert rest.records == [r for c in straight.chunks[number + 1 :] for r in records_of(c)]
        assert rest.places == [p for c in straight.chunks[number + 1 :] for p in c.places]
        assert rest.broken == {c.places[i]: f for c in straight.chunks[number + 1 :] for i, f in c.broken.items()}


class StreamPayload:
    """Bytes that are made while they are read, so that a payload of any size costs no memory."""

    def __init__(self, name: str, pieces: Callable[[], Iterable[bytes]], size: int, content_type: str = "") -> None:
        self.name = name
        self.content_type = content_type
        self.size = size
        self._pieces = pieces

    def open(self, offset: int = 0) -> BinaryIO:
        """See Payload."""
        return io.BufferedReader(_Stream(iter(self._pieces()), offset), 1 << 18)

    def seekable(self) -> BinaryIO:
        """See Payload; only for small ones."""
        return io.BytesIO(b"".join(self._pieces()))


class _Stream(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes], offset: int) -> None:
        super().__init__()
        self._pieces = pieces
        self._held = b""
        while offset > 0:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._held = piece[offset:]
            offset -= len(piece)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._held = piece
        count = min(len(view), len(self._held))
        view[:count] = self._held[:count]
        self._held = self._held[count:]
        return count
