"""Lines of a byte stream, decoded, each with its length in raw bytes, so that every offset is exact.

Lines are cut in the bytes where that is safe: in UTF-8, GB18030, Big5 and single-byte encodings a newline byte is never
part of another character.  UTF-16 and UTF-32 are decoded first.  A line longer than the limit is not kept.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import AnyStr, BinaryIO, Generic

from adapters.formats.encoding import DAMAGED, DAMAGED_HANDLER, Decoding
from standards import private_use
from standards.encodings import decoder, encode, gb_lines, is_gb

#: Stands for a line that was longer than the limit.
TOO_LONG = "\ufdd4"

_BLOCK = 1 << 18


@dataclass(slots=True)
class Batch:
    """Some consecutive lines."""

    #: With their line breaks.
    texts: list[str]
    #: Raw bytes of each.
    lengths: list[int]
    #: The raw bytes, where lines are cut in the bytes.
    raw: bytes = b""
    #: True when a line holds `DAMAGED`.
    damaged: bool = False
    #: True when a line may hold a private-use character.
    private: bool = False


class _Cut(Generic[AnyStr]):
    """Cuts blocks into lines.  A line longer than the limit leaves only its length."""

    def __init__(self, newline: AnyStr, limit: int, codec: str, old_mac: bool) -> None:
        self._newline: AnyStr = newline
        self._nothing: AnyStr = newline[:0]
        self._limit = limit
        self._codec = codec
        self._old_mac = old_mac
        self._tail: AnyStr = self._nothing
        #: Raw length of the line that is being passed over.
        self._passing = 0

    def cut(self, data: AnyStr, last: bool) -> tuple[list[AnyStr], dict[int, int]]:
        """The lines that are complete now, and of those that were too long: index -> raw length."""
        lines: list[AnyStr] = []
        too_long: dict[int, int] = {}
        if self._passing:
            data = self._pass_over(data, last, too_long)
            lines += [self._nothing] * len(too_long)
        if self._tail:
            data = self._tail + data
            self._tail = self._nothing
        lines += self._split(data)
        # A carriage return that ends a block may be the first half of a CRLF, so it is not taken for a line's end.
        if lines and lines[-1] and not last and not lines[-1].endswith(self._newline):
            self._tail = lines.pop()
            if len(self._tail) > self._limit:
                self._passing, self._tail = self.measure(self._tail), self._nothing
        if max(map(len, lines), default=0) > self._limit:
            for index, line in enumerate(lines):
                if len(line) > self._limit:
                    too_long[index] = self.measure(line)
                    lines[index] = self._nothing
        return lines, too_long

    def _pass_over(self, data: AnyStr, last: bool, too_long: dict[int, int]) -> AnyStr:
        """Drop what belongs to the line that is too long; what is left behind it."""
        first = next(iter(self._split(data)), self._nothing)
        self._passing += self.measure(first)
        ended = first.endswith(self._newline) or len(first) < len(data)
        if ended or last:
            too_long[0] = self._passing
            self._passing = 0
        return data[len(first) :]

    def _split(self, data: AnyStr) -> list[AnyStr]:
        if isinstance(data, str):
            return io.StringIO(data, newline="" if self._old_mac else "\n").readlines()
        return data.splitlines(keepends=True) if self._old_mac else io.BytesIO(data).readlines()

    def measure(self, line: AnyStr) -> int:
        """Raw bytes of a line."""
        return len(encode(line, self._codec, "surrogatepass")) if isinstance(line, str) else len(line)


class Lines:
    """Reads a stream line by line, a batch at a time."""

    def __init__(self, stream: BinaryIO, decoding: Decoding, limit: int, *, old_mac: bool = False) -> None:
        """`limit`: characters or bytes of a line; `old_mac`: lines end with a lone carriage return."""
        self._stream = stream
        self._codec = decoding.codec
        wide = decoding.unit > 1
        self._decoder = decoder(decoding.codec, DAMAGED_HANDLER) if wide else None
        self._texts = _Cut("\n", limit, decoding.codec, old_mac)
        self._bytes = _Cut(b"\n", limit, decoding.codec, old_mac)
        self._ready: list[str] | list[bytes] = []
        self._next = 0
        self._too_long: dict[int, int] = {}
        self._ended = False

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()

    def read(self, want: int) -> Batch | None:
        """Up to `want` lines, or None at the end."""
        while self._next >= len(self._ready):
            if self._ended:
                return None
            self._fill()
        end = min(len(self._ready), self._next + want)
        batch = self._batch(self._ready[self._next : end])
        if self._too_long:
            for index, length in self._too_long.items():
                if self._next <= index < end:
                    batch.texts[index - self._next] = TOO_LONG + "\n"
                    batch.lengths[index - self._next] = length
        self._next = end
        return batch

    def _batch(self, lines: list[str] | list[bytes]) -> Batch:
        if self._decoder is not None:
            texts = [line for line in lines if isinstance(line, str)]
            damaged, private = any(DAMAGED in t for t in texts), any(map(private_use.among, texts))
            return Batch(texts, list(map(self._texts.measure, texts)), b"", damaged, private)
        raw = [line for line in lines if isinstance(line, bytes)]
        whole = b"".join(raw)
        try:
            (texts, private), damaged = self._texts_of(raw, whole, "strict"), False
        except UnicodeDecodeError:
            (texts, private), damaged = self._texts_of(raw, whole, DAMAGED_HANDLER), True
        return Batch(texts, list(map(len, raw)), whole, damaged, private)

    def _texts_of(self, raw: list[bytes], whole: bytes, errors: str) -> tuple[list[str], bool]:
        """Lines as text, and whether they may hold a private-use character."""
        codec = self._codec
        if is_gb(codec):
            texts, beyond = gb_lines(raw, errors)
            return texts, any(map(private_use.among, beyond))
        texts = [line.decode(codec, errors) for line in raw]
        if codec == "utf-8":
            return texts, private_use.perhaps_among(whole)
        return texts, any(map(private_use.among, texts))

    def _fill(self) -> None:
        """Read on until some lines are complete; about as much as a batch may hold."""
        data = self._stream.read(_BLOCK)
        self._ended = not data
        if self._decoder is not None:
            self._ready, self._too_long = self._texts.cut(self._decoder.decode(data, not data), not data)
        else:
            self._ready, self._too_long = self._bytes.cut(data, not data)
        self._next = 0
