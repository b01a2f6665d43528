"""A SOAP request read while it comes: small parts become a tree, records and long texts flow through as bytes.

The first part of a message (mostly all of it) is read before anybody is asked who calls; what comes behind it is only
read for a caller whose key counts.  Memory is bounded by the first part and one record, whatever is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import RawIOBase
from typing import TYPE_CHECKING, BinaryIO, cast

from adapters.formats.base import Reading, ReadOptions
from adapters.formats.encoding import Decoding, codec_of, find_decoding
from adapters.formats.payload import bytes_payload
from adapters.formats.xml import sound_blocks
from adapters.soap.message import Message
from adapters.soap.refusal import BadRequest
from standards import xml
from standards.errors import PayloadTooLarge, UnreadablePayload

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_DECLARATION = re.compile(r"(\s*<\?xml\s[^>]*?encoding\s*=\s*[\"'])([A-Za-z0-9._:-]+)(?=[\"'])")
#: Characters at the start of a text in which its XML declaration is looked for.
_START = 1024
#: So many bytes of the first part may stay unread until the rest comes; never half a character alone.
_LEFT = 64
#: How the parser says that something does not fit its buffers.
_LARGE = ("too big", "too long", "Resource limit")


class Incoming:
    """One request.  Raises BadRequest and PayloadTooLarge, here and while the payload is taken."""

    def __init__(self, first: bytes, *, whole: bool, content_type: str = "") -> None:
        """`first` is the beginning of the message; `whole`: there is nothing behind it."""
        self.message = Message()
        self._arriving = _Arriving(first, whole)
        self._ready: list[bytes] = []
        self._beginning = _Beginning()
        decoding = _decoding(first if whole else first[: first.rfind(b">") + 1], content_type, whole)
        self._steps = xml.events(sound_blocks(self._arriving, decoding), self.message)
        while (whole or self._arriving.left > _LEFT) and self._step():
            pass
        if whole:
            self.message.finish()
        elif not self.message.operation:
            raise _no_beginning()

    def payload(self, rest: Iterable[bytes] = ()) -> Iterator[bytes]:
        """The records as NDJSON, or the long text in UTF-8; `rest` is what still comes of the message."""
        self._arriving.go_on(rest)
        while self._step():
            yield from self._ready
            self._ready.clear()
        yield from self._ready
        self.message.finish()

    def _step(self) -> bool:
        """Read a little further; False at the end."""
        try:
            going = next(self._steps, self) is not self
        except UnreadablePayload as error:
            raise _refused(error) from error
        text = "".join(self.message.pieces)
        self.message.pieces.clear()
        if self.message.operation == "submitXml":
            text = self._beginning.seen(text, last=not going)
        if text:
            self._ready.append(text.encode("utf-8", "surrogatepass"))
        return going


def _decoding(known: bytes, content_type: str, whole: bool) -> Decoding:
    """How the message becomes text; `known` ends between two characters."""
    declared = xml.declared_encoding(known)
    codec = codec_of(declared)
    if not whole and known.isascii() and codec and not codec.startswith("utf-"):
        return Decoding(codec, "declared")  # nothing speaks against it yet
    try:
        return find_decoding(bytes_payload("", known, content_type), ReadOptions(), Reading(), declared)
    except UnreadablePayload as error:
        raise _refused(error) from error


class _Arriving(RawIOBase):
    """A message as readers of XML take it, but once: what is there, and behind it what still comes."""

    name = content_type = ""
    size = 0

    def __init__(self, first: bytes, whole: bool) -> None:
        self._held = memoryview(first)
        self._rest: Iterator[bytes] | None = iter(()) if whole else None

    @property
    def left(self) -> int:
        """Bytes that are there and not read yet."""
        return len(self._held)

    def go_on(self, rest: Iterable[bytes]) -> None:
        """What comes behind the first part."""
        self._rest = iter(rest)

    def open(self, offset: int = 0) -> BinaryIO:
        self.read(offset)
        return cast(BinaryIO, self)

    def seekable(self) -> BinaryIO:  # type: ignore[override]
        raise NotImplementedError

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        while not self._held:
            if self._rest is None:
                raise _no_beginning()
            piece = next(self._rest, None)
            if piece is None:
                return 0
            self._held = memoryview(piece)
        length = min(len(view), len(self._held))
        view[:length] = self._held[:length]
        self._held = self._held[length:]
        return length


class _Beginning:
    """The start of a long text.  It is handed on in UTF-8, so an XML declaration in it has to say so."""

    def __init__(self) -> None:
        self._held: str | None = ""

    def seen(self, text: str, *, last: bool) -> str:
        """What can be handed on, now that this came."""
        if self._held is None:
            return text
        self._held += text
        if len(self._held) < _START and not last:
            return ""
        text, self._held = self._held, None
        found = _DECLARATION.match(text, 0, _START)
        if found is None or found[2].lower() in ("utf-8", "utf8"):
            return text
        return f"{found[1]}UTF-8{text[found.end() :]}"


def _refused(error: UnreadablePayload) -> BadRequest | PayloadTooLarge:
    if any(word in error.what for word in _LARGE):
        return PayloadTooLarge(
            "one CDATA section, comment or tag of the envelope has more than 10 MB",
            what_zh="SOAP 报文中单个 CDATA、注释或标签超过 10 MB",
            hint="escape the text in place of CDATA, split it, or use POST /v1/submissions",
            hint_zh="请用转义文本代替 CDATA，或分批报送，或改用 POST /v1/submissions",
        )
    return BadRequest(error.what, what_zh=error.what_zh, hint=error.hint, hint_zh=error.hint_zh)


def _no_beginning() -> BadRequest:
    return BadRequest(
        "no operation in the first megabyte of the message",
        what_zh="报文开头 1 MB 内没有任何操作",
        hint="write the elements in the order of the WSDL",
        hint_zh="请按 WSDL 中的顺序书写各元素",
    )
