"""Which encoding a text is in: BOM, then strict UTF-8, then strict GB18030; or what was declared or set.

    BOM            believed, whatever else is said
    set            `encoding` of the connection
    declared       XML declaration, charset of the content type: believed if the text bears it out
    the ladder     UTF-8 if it decodes; else GB18030 if it decodes; else refused, with byte and line

One deviation from a blind ladder: GB18030 accepts almost any bytes, so a UTF-8 file in which one character was cut
off would turn wholly into nonsense.  Where four characters of three bytes are sound UTF-8 for each fault, the text is
UTF-8 with damage: the damaged characters become `DAMAGED`, and the records that hold one are told as 10009.encoding.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from adapters.formats.base import Note, Payload, Reading, ReadOptions
from adapters.formats.refusal import unreadable
from standards.encodings import decode, decoder
from standards.errors import BadConfiguration, UnreadablePayload

#: Stands in decoded text for bytes that are no character.  A noncharacter of Unicode; XML allows it in text.
DAMAGED = "\ufdd0"
DAMAGED_HANDLER = "hub.damaged"

_BLOCK = 1 << 18
#: How much text from the first non-ASCII byte on is decoded strictly to find the encoding.
_SAMPLE = 1 << 22
#: How much of it is looked at byte by byte when it does not decode.
_CLOSE_LOOK = 1 << 16

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_WIDE = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}
_CODECS = {
    **dict.fromkeys(("utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii"), "utf-8"),
    **dict.fromkeys(("gb18030", "gbk", "gb2312", "gb-2312", "cp936", "ms936", "euc-cn", "x-gbk"), "gb18030"),
    **dict.fromkeys(("utf-16", "utf16", "utf-16le", "utf-16-le", "unicode", "ucs-2"), "utf-16-le"),
    **dict.fromkeys(("utf-16be", "utf-16-be"), "utf-16-be"),
    **dict.fromkeys(("utf-32", "utf-32le", "utf-32-le"), "utf-32-le"),
    **dict.fromkeys(("utf-32be", "utf-32-be"), "utf-32-be"),
    **dict.fromkeys(("latin-1", "latin1", "iso-8859-1", "iso8859-1"), "iso-8859-1"),
    **dict.fromkeys(("big5", "big-5", "cp950"), "cp950"),
    **dict.fromkeys(("big5-hkscs", "big5hkscs"), "big5hkscs"),
    **{f"iso-8859-{n}": f"iso-8859-{n}" for n in range(2, 17) if n != 12},
    **{f"{head}125{n}": f"cp125{n}" for n in range(9) for head in ("cp", "windows-")},
}
#: Every byte is a character in these, so that a text always "decodes".
_ANYTHING_GOES = ("iso-8859-", "cp125")


def _damaged(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return DAMAGED, error.end


codecs.register_error(DAMAGED_HANDLER, _damaged)


@dataclass(frozen=True, slots=True)
class Decoding:
    """How the bytes of one text become characters."""

    #: Name that Python's codecs know.
    codec: str
    #: bom, utf-8, gb18030, declared, given.
    found_by: str
    #: Bytes of the BOM, to be left out.
    bom: int = 0

    @property
    def unit(self) -> int:
        """Bytes of a line break."""
        return _WIDE.get(self.codec, 1)


def codec_of(name: str) -> str | None:
    """The codec of an encoding's name, or None; gb2312 and gbk are read as GB18030, which holds both."""
    return _CODECS.get(name.strip().lower().replace("_", "-"))


def shown(codec: str) -> str:
    """The name of a codec as people write it."""
    return codec.upper().replace("CP", "Windows-") if codec.startswith("cp125") else codec.upper()


def bom_of(head: bytes) -> tuple[str, int] | None:
    """Codec and length of the BOM a text begins with."""
    return next(((codec, len(bom)) for bom, codec in _BOMS if head.startswith(bom)), None)


def find_decoding(payload: Payload, options: ReadOptions, reading: Reading, declared: str = "") -> Decoding:
    """How to decode the payload; `reading` is told.

    `declared` is what the text says of itself.  Raises UnreadablePayload when nothing fits, BadConfiguration when
    the encoding that was set is not known.
    """
    decoding = _find(payload, options, reading, declared or _charset(payload.content_type))
    reading.encoding, reading.decoded_by = decoding.codec, decoding.found_by
    return decoding


def _charset(content_type: str) -> str:
    found = re.search(r"charset=[\"']?([\w.:-]+)", content_type, re.IGNORECASE)
    return found[1] if found else ""


def _given(options: ReadOptions) -> str | None:
    if options.encoding == "auto":
        return None
    codec = codec_of(options.encoding)
    if codec is None:
        near = get_close_matches(options.encoding.lower(), _CODECS, 1)
        raise BadConfiguration(
            f"encoding {options.encoding} is not known",
            what_zh=f"不认识编码“{options.encoding}”",
            hint=f"did you mean {near[0]}?" if near else "auto, utf-8, gb18030, utf-16, iso-8859-1, big5 …",
            hint_zh=f"是否应为 {near[0]}？" if near else "可填 auto、utf-8、gb18030、utf-16、iso-8859-1、big5 等",
        )
    return codec


def _find(payload: Payload, options: ReadOptions, reading: Reading, declared: str) -> Decoding:
    given = _given(options)
    with payload.open() as stream:
        head = stream.read(4)
    bom = bom_of(head)
    if bom is not None:
        for said in (given, codec_of(declared) if declared else None):
            if said is not None and _family(said) != _family(bom[0]):
                _note(reading, said, bom[0])
        return Decoding(bom[0], "bom", bom[1])
    if given is not None:
        if given not in _WIDE:
            sample = _sample(payload, to_the_end=False)
            damage = sample.damage(given)
            if damage.bad * 4 > damage.wide:
                raise _not_as_set(given, damage, sample)
        return Decoding(given, "given")
    codec = codec_of(declared) if declared else None
    wide = _wide_guess(payload)
    if wide is not None:
        if wide == codec:
            return Decoding(wide, "declared")
        raise _no_bom(wide)
    # Programs that write XML into a string declare utf-16 and send UTF-8.
    return _judge(_sample(payload, to_the_end=True), codec if codec not in _WIDE else None, declared, reading)


def _family(codec: str) -> str:
    return codec.removesuffix("-le").removesuffix("-be")


def _note(reading: Reading, said: str, found: str) -> None:
    note = Note("10009.declared", params={"expected": shown(said), "found": shown(found)})
    if note not in reading.notes:
        reading.notes.append(note)


@dataclass(frozen=True, slots=True)
class _Damage:
    """What an encoding does not explain of a sample."""

    #: Offset in the sample of the first byte that does not decode; -1 if all does.
    first: int = -1
    #: In a close look at its beginning: stretches that do not decode, characters from U+0800 on (Chinese ones, which
    #: take three bytes in UTF-8 and hardly come about by chance), lines that hold such and decode, lines that do not.
    bad: int = 0
    wide: int = 0
    good_lines: int = 0
    bad_lines: int = 0


@dataclass(frozen=True, slots=True)
class _Sample:
    """A stretch of the payload from its first non-ASCII byte on."""

    data: bytes
    #: Where it starts in the raw bytes, and on which line.
    offset: int
    line: int
    #: True when nothing follows it.
    last: bool

    def damage(self, codec: str) -> _Damage:
        """How well an encoding fits."""
        first = self._first_fault(codec)
        if first < 0:
            return _Damage()
        text = decode(self.data[:_CLOSE_LOOK], codec, DAMAGED_HANDLER)
        lines = text.split("\n")
        bad_lines = sum(1 for line in lines if DAMAGED in line)
        good_lines = sum(1 for line in lines if DAMAGED not in line and _WIDE_CHARACTER.search(line))
        bad = text.count(DAMAGED)
        return _Damage(first, bad, len(_WIDE_CHARACTER.findall(text)) - bad, good_lines, bad_lines)

    def _first_fault(self, codec: str) -> int:
        try:
            decoder(codec).decode(self.data, self.last)
        except UnicodeDecodeError as error:
            return error.start
        return -1

    def where(self, position: int) -> tuple[int, int]:
        """Byte (counted from 0) and line of a position in the sample."""
        return self.offset + position, self.line + self.data.count(b"\n", 0, position)


_WIDE_CHARACTER = re.compile("[\u0800-\U0010ffff]")
_HIGH = bytes(range(0x80, 0x100))


def _sample(payload: Payload, *, to_the_end: bool) -> _Sample:
    """The stretch that tells the encoding; `to_the_end`: look for it in the whole payload, else at its start only."""
    offset, line = 0, 1
    with payload.open() as stream:
        while data := stream.read(_BLOCK):
            if not data.isascii():
                break
            offset += len(data)
            line += data.count(b"\n")
            if not to_the_end and offset >= _SAMPLE:
                return _Sample(b"", offset, line, False)
        else:
            return _Sample(b"", offset, line, True)
        start = len(data) - len(data.lstrip(_ASCII))
        pieces, length = [data[start:]], len(data) - start
        line += data.count(b"\n", 0, start)
        while length < _SAMPLE and (data := stream.read(_BLOCK)):
            pieces.append(data)
            length += len(data)
        return _Sample(b"".join(pieces), offset + start, line, not data)


_ASCII = bytes(range(0x80))


def _judge(sample: _Sample, declared: str | None, said: str, reading: Reading) -> Decoding:
    if not sample.data:
        return Decoding("utf-8", "declared" if declared == "utf-8" else "utf-8")
    as_utf8 = sample.damage("utf-8")
    if declared is not None:
        plainly_utf8 = as_utf8.first < 0 and len(sample.data) - len(sample.data.translate(None, _HIGH)) >= 30
        if not (plainly_utf8 and declared != "utf-8") and sample.damage(declared).first < 0:
            return Decoding(declared, "declared")
    decoding = _ladder(sample, as_utf8)
    if said and decoding.codec != declared:
        reading.notes.append(Note("10009.declared", params={"expected": said[:40], "found": shown(decoding.codec)}))
    return decoding


def _ladder(sample: _Sample, as_utf8: _Damage) -> Decoding:
    if as_utf8.first < 0 or as_utf8.bad * 4 <= as_utf8.wide:
        return Decoding("utf-8", "utf-8")
    if as_utf8.good_lines >= 5 and as_utf8.good_lines * 10 >= as_utf8.bad_lines:
        raise _two_encodings(sample, as_utf8)
    as_gb = sample.damage("gb18030")
    if as_gb.first < 0 or as_gb.bad * 20 <= as_gb.wide:
        return Decoding("gb18030", "gb18030")
    raise _nothing_fits(sample, as_utf8, as_gb)


_SAVE_ZH = "请用 Excel 或记事本另存为 UTF-8 编码后重报；来源系统编码固定的，请运维人员在该接入上设置 encoding"
_SAVE = "save it as UTF-8 and send it again, or have the operator set 'encoding' for this connection"


def _nothing_fits(sample: _Sample, as_utf8: _Damage, as_gb: _Damage) -> UnreadablePayload:
    byte, line = sample.where(as_gb.first)
    other_byte, other_line = sample.where(as_utf8.first)
    return unreadable(
        f"文字编码无法识别：不是 UTF-8（第 {other_line} 行，第 {other_byte} 字节处起），"
        f"也不是 GB18030（第 {line} 行，第 {byte} 字节处起）",
        f"the text is neither UTF-8 (line {other_line}, byte {other_byte}) nor GB18030 (line {line}, byte {byte})",
        _SAVE_ZH,
        _SAVE,
    )


def _two_encodings(sample: _Sample, as_utf8: _Damage) -> UnreadablePayload:
    byte, line = sample.where(as_utf8.first)
    return unreadable(
        f"文件中混用了两种编码：一部分是 UTF-8，从第 {line} 行（第 {byte} 字节处）起有的内容不是",
        f"two encodings in one file: part of it is UTF-8, but from line {line} (byte {byte}) on some is not",
        "请检查是否把两个来源的文件拼接在了一起；请分开报送，或统一另存为 UTF-8",
        "check whether files of two sources were put together; send them apart, or save all as UTF-8",
    )


def _not_as_set(codec: str, damage: _Damage, sample: _Sample) -> UnreadablePayload:
    byte, line = sample.where(damage.first)
    return unreadable(
        f"内容不是该接入所设的 {shown(codec)} 编码（第 {line} 行，第 {byte} 字节处起）",
        f"the text is not {shown(codec)} as set for this connection (line {line}, byte {byte})",
        "请按约定的编码另存后重报；约定有变的，请运维人员修改该接入的 encoding 设置",
        "save it in the agreed encoding, or have the operator change 'encoding' for this connection",
    )


def _wide_guess(payload: Payload) -> str | None:
    """UTF-16 without a BOM shows by its NUL bytes, which stand at every other place."""
    with payload.open() as stream:
        head = stream.read(4096)
    half = len(head) // 2
    even, odd = head[0 : 2 * half : 2].count(0), head[1 : 2 * half : 2].count(0)
    if half >= 2 and max(even, odd) * 4 >= half and min(even, odd) * 8 <= max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def _no_bom(codec: str) -> UnreadablePayload:
    return unreadable(
        f"内容像是没有字节序标记（BOM）的 {shown(codec)}",
        f"this looks like {shown(codec)} without a byte order mark",
        f"请另存为 UTF-8 后重报，或请运维人员把该接入的 encoding 设为 {codec}",
        f"save it as UTF-8, or have the operator set encoding = {codec} for this connection",
    )


def text_blocks(payload: Payload, decoding: Decoding, block: int = _BLOCK) -> Iterator[str]:
    """The text, piece by piece, without its BOM; undecodable bytes become `DAMAGED`."""
    pieces = decoder(decoding.codec, DAMAGED_HANDLER)
    with payload.open(decoding.bom) as stream:
        while data := stream.read(block):
            if text := pieces.decode(data):
                yield text
    if text := pieces.decode(b"", True):
        yield text
