"""Bytes as text and text as bytes, by the name of an encoding; GB 18030 as its edition of 2022 has it.

Python's `gb18030` follows the edition of 2000, in which 25 codes of two bytes are private-use characters that nobody
else can show.  Unicode has them all by now, and some stand in people's names.  Read, each becomes its character;
written, 19 take their two bytes again.  Six (U+20087 …) have a code of four bytes in every edition, and keep it.

Nobody pays for it: GBK has none of these codes and agrees with GB 18030 in all that it has, so bytes and text are
taken as GBK, which is quicker, and only what GBK cannot hold is gone through.

The table is the difference between Python's codec and `iconv -f GB18030` of glibc 2.36.  ICU's `gb18030-2022.ucm` and
the encoding standard of the WHATWG have the same 18 pairs, as the Unicode Technical Committee recommends them in
L2/23-003R: the old codes of four bytes are still read as these characters.  A8BC changed in 2005.  The six are shown
as duplicates by GB/T 22321.1-2018.  See docs/decisions/0050-gb18030.md.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from typing import Protocol

#: GBK and GB 2312 are read as GB 18030, which holds both.
_GB = frozenset({"gb18030", "gbk", "gb2312", "cp936"})
_MOVED = {
    **{0xA6D9: "\ufe10", 0xA6DA: "\ufe12", 0xA6DB: "\ufe11", 0xA6DC: "\ufe13", 0xA6DD: "\ufe14", 0xA6DE: "\ufe15"},
    **{0xA6DF: "\ufe16", 0xA6EC: "\ufe17", 0xA6ED: "\ufe18", 0xA6F3: "\ufe19", 0xA8BC: "\u1e3f"},
    **{0xFE59: "\u9fb4", 0xFE61: "\u9fb5", 0xFE66: "\u9fb6", 0xFE67: "\u9fb7"},
    **{0xFE6D: "\u9fb8", 0xFE7E: "\u9fb9", 0xFE90: "\u9fba", 0xFEA0: "\u9fbb"},
}
_DOUBLED = {
    **{0xFE51: "\U00020087", 0xFE52: "\U00020089", 0xFE53: "\U000200cc"},
    **{0xFE6C: "\U000215d7", 0xFE76: "\U0002298f", 0xFE91: "\U000241fe"},
}


def _in_python(code: int) -> str:
    """Which character Python takes a code for.  Once Python follows the edition of 2022, nothing is left to change."""
    return code.to_bytes(2, "big").decode("gb18030")


_READ = {_in_python(code): character for code, character in (_MOVED | _DOUBLED).items()}
_WRITTEN = {character: _in_python(code) for code, character in _MOVED.items()}
_TO_READ = re.compile(f"[{''.join(_READ)}]")
_TO_WRITE = re.compile(f"[{''.join(_WRITTEN)}]")


class Decoder(Protocol):
    """Decodes what comes piece by piece."""

    def decode(self, data: bytes, final: bool = False, /) -> str:
        """The text of this piece; half a character waits for its other half."""
        ...


def is_gb(name: str) -> bool:
    """True for GB 18030 and the older encodings that it holds."""
    return name.lower() in _GB


def decode(data: bytes, encoding: str, errors: str = "strict") -> str:
    """Bytes as text.  Raises UnicodeDecodeError, and LookupError for an encoding that Python does not know."""
    if not is_gb(encoding):
        return data.decode(encoding, errors)
    try:
        return data.decode("gbk")
    except UnicodeDecodeError:
        return _read(data.decode("gb18030", errors))


def encode(text: str, encoding: str, errors: str = "strict") -> bytes:
    """Text as bytes.  Raises UnicodeEncodeError, and LookupError for an encoding that Python does not know."""
    if not is_gb(encoding):
        return text.encode(encoding, errors)
    try:
        return text.encode("gbk")
    except UnicodeEncodeError:
        return _TO_WRITE.sub(lambda found: _WRITTEN[found[0]], text).encode("gb18030", errors)


def decoder(encoding: str, errors: str = "strict") -> Decoder:
    """A decoder for what comes piece by piece."""
    return _GbDecoder(errors) if is_gb(encoding) else codecs.getincrementaldecoder(encoding)(errors)


def gb_lines(lines: Sequence[bytes], errors: str = "strict") -> tuple[list[str], list[str]]:
    """Lines of GB 18030 as text, and those among them that GBK cannot hold: it has no private-use characters."""
    try:
        return [line.decode("gbk") for line in lines], []
    except UnicodeDecodeError:
        texts, beyond = [], []
        for line in lines:
            try:
                text = line.decode("gbk")
            except UnicodeDecodeError:
                text = _read(line.decode("gb18030", errors))
                beyond.append(text)
            texts.append(text)
        return texts, beyond


def _read(text: str) -> str:
    return _TO_READ.sub(lambda found: _READ[found[0]], text)


class _GbDecoder:
    """GB 18030 piece by piece."""

    def __init__(self, errors: str) -> None:
        self._gbk = codecs.getincrementaldecoder("gbk")()
        self._gb18030 = codecs.getincrementaldecoder("gb18030")(errors)
        #: The beginning of a character whose end has not come yet.
        self._held = b""

    def decode(self, data: bytes, final: bool = False, /) -> str:
        """See Decoder."""
        data = self._held + data
        used = self._gbk
        used.reset()
        try:
            text = used.decode(data, final)
        except UnicodeDecodeError:
            used = self._gb18030
            used.reset()
            text = _read(used.decode(data, final))
        self._held = used.getstate()[0]
        return text
