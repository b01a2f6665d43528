"""Zip files, read from their directory only: what is in them, whether that is within bounds, and members as streams.

Nothing is ever unpacked to a path, so names are only names.  The directory is judged before a byte is unpacked: number
of files, sizes, ratio, files that lie in each other (as in zip bombs); and unpacking stops at the size it promised.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from adapters.formats.base import ReadOptions
from adapters.formats.refusal import too_large, unreadable
from standards.encodings import decode
from standards.errors import UnreadablePayload

_EOCD = struct.Struct("<4s4H2LH")
_EOCD64_LOCATOR = struct.Struct("<4sLQL")
_EOCD64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
#: Bytes of directory for one file at most: name, extra fields, comment.
_DIRECTORY_ENTRY = 4096
#: Files below this size may be packed as tightly as they like.
_HARMLESS = 10 * 1024 * 1024
_MB = 1024 * 1024
_STORED, _DEFLATED = 0, 8


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a zip."""

    name: str
    method: int
    packed: int
    unpacked: int
    crc: int
    #: Where its header stands.
    offset: int
    encrypted: bool

    @property
    def is_folder(self) -> bool:
        """True for an entry that only names a folder."""
        return self.name.endswith("/")


def is_zip(head: bytes) -> bool:
    """True when bytes begin like a zip."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def read_directory(file: BinaryIO, max_members: int, name_encoding: str) -> list[Entry]:
    """All files of a zip.  Raises UnreadablePayload, or PayloadTooLarge when there are too many."""
    size = file.seek(0, io.SEEK_END)
    count, length, start, end = _end_record(file, size)
    if count > max_members:
        raise too_large(
            f"压缩包中有 {count} 个文件，上限 {max_members} 个",
            f"{count} files in the zip, the limit is {max_members}",
            "请分成几个压缩包报送",
            "send it in several zips",
        )
    # Bytes before the zip (a self-extracting one) shift all offsets.
    shift = end - length - start
    if shift < 0 or length > count * _DIRECTORY_ENTRY + 1 or count * _CENTRAL.size > length:
        raise _damaged("目录与记录的大小不符", "the directory has not the size it should have")
    file.seek(start + shift)
    directory = file.read(length)
    entries: list[Entry] = []
    at = 0
    for _ in range(count):
        entry, at = _entry(directory, at, shift, name_encoding)
        entries.append(entry)
    _refuse_overlap(entries, start + shift)
    return entries


def _end_record(file: BinaryIO, size: int) -> tuple[int, int, int, int]:
    """Number of files, length and start of the directory, and where it ends."""
    tail_start = max(0, size - 65_557 - _EOCD64_LOCATOR.size)
    file.seek(tail_start)
    tail = file.read(size - tail_start)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _EOCD.size > len(tail):
        raise _damaged("没有目录，文件可能没有传完", "there is no directory; the file may be incomplete")
    _, disk, first_disk, here, count, length, start, _ = _EOCD.unpack_from(tail, at)
    end = tail_start + at
    locator = at - _EOCD64_LOCATOR.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        _, _, position, _ = _EOCD64_LOCATOR.unpack_from(tail, locator)
        # Bytes before the zip would shift this position too; such a zip64 is not taken.
        if position + _EOCD64.size > size:
            raise _damaged("目录位置不对", "the directory is not where it should be")
        file.seek(position)
        record = file.read(_EOCD64.size)
        if record[:4] != b"PK\x06\x06":
            raise _damaged("目录位置不对", "the directory is not where it should be")
        _, _, _, _, disk, first_disk, here, count, length, start = _EOCD64.unpack(record)
        end = position
    if disk or first_disk or here != count:
        raise unreadable(
            "这是分卷压缩包中的一卷",
            "this is one part of a zip in several parts",
            "请合并成一个压缩包后重报",
            "send it as one zip",
        )
    return count, length, start, end


def _entry(directory: bytes, at: int, shift: int, name_encoding: str) -> tuple[Entry, int]:
    if at + _CENTRAL.size > len(directory):
        raise _damaged("目录不完整", "the directory is incomplete")
    (mark, _, _, flags, method, _, _, crc, packed, unpacked, name_len, extra_len, comment_len, _, _, _, offset) = (
        _CENTRAL.unpack_from(directory, at)
    )
    at += _CENTRAL.size
    behind = at + name_len + extra_len + comment_len
    if mark != b"PK\x01\x02" or behind > len(directory):
        raise _damaged("目录不完整", "the directory is incomplete")
    raw = directory[at : at + name_len]
    extra = _extra_fields(directory[at + name_len : at + name_len + extra_len])
    wide = [value for value in (unpacked, packed, offset) if value == 0xFFFFFFFF]
    if wide:
        numbers = extra.get(1, b"")
        if len(numbers) < 8 * len(wide):
            raise _damaged("目录中的大小无法读取", "sizes in the directory cannot be read")
        given = iter(struct.unpack_from(f"<{len(wide)}Q", numbers))
        unpacked, packed, offset = (next(given) if v == 0xFFFFFFFF else v for v in (unpacked, packed, offset))
    name = _name(raw, bool(flags & 0x800), name_encoding)
    return Entry(name, method, packed, unpacked, crc, offset + shift, bool(flags & 1)), behind


def _extra_fields(data: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        fields[kind] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return fields


def _name(raw: bytes, is_utf8: bool, name_encoding: str) -> str:
    """Names without the flag are in the encoding of the sender's Windows, unless they are plainly UTF-8."""
    choices = ["utf-8", name_encoding, "cp437"]
    for choice in choices[:1] if is_utf8 else choices:
        try:
            return decode(raw, choice).replace("\\", "/")
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("utf-8", "replace").replace("\\", "/")


def _refuse_overlap(entries: Sequence[Entry], directory: int) -> None:
    """Files that lie in each other unpack to far more than the zip holds."""
    end = 0
    for entry in sorted(entries, key=lambda e: e.offset):
        if entry.offset < end or entry.offset + _LOCAL.size + entry.packed > directory:
            raise unreadable(
                "压缩包中的文件相互重叠，疑似压缩炸弹，不予解压",
                "files in the zip overlap, which is what zip bombs do; it is not unpacked",
                "请用常见压缩软件重新打包后报送",
                "pack the files again with an ordinary program",
            )
        end = entry.offset + _LOCAL.size + entry.packed


def check_sizes(entries: Sequence[Entry], options: ReadOptions) -> None:
    """Raises PayloadTooLarge when unpacking would give more than the options allow."""
    total = sum(entry.unpacked for entry in entries)
    if total > options.max_unpacked_mb * _MB:
        raise too_large(
            f"压缩包解压后共 {total / _MB:.0f} MB，上限 {options.max_unpacked_mb} MB",
            f"the zip holds {total / _MB:.0f} MB unpacked, the limit is {options.max_unpacked_mb} MB",
            "请分几次报送，或请运维人员调高该接入的 max_unpacked_mb",
            "send it in several parts, or have the operator raise max_unpacked_mb",
        )
    for entry in entries:
        if entry.unpacked > _HARMLESS and entry.unpacked > options.max_ratio * max(entry.packed, 1):
            times = entry.unpacked // max(entry.packed, 1)
            raise too_large(
                f"“{entry.name}”压缩比异常（解压后是压缩前的 {times} 倍），疑似压缩炸弹",
                f'"{entry.name}" is {times} times larger unpacked, as zip bombs are',
                "请不经压缩直接报送该文件，或请运维人员调高 max_ratio",
                "send this file as it is, or have the operator raise max_ratio",
            )


def refuse_encrypted(entries: Sequence[Entry]) -> None:
    """Raises UnreadablePayload when a file has a password or is packed in a way we do not unpack."""
    for entry in entries:
        if entry.encrypted or entry.method == 99:
            raise unreadable(
                f"压缩包有密码（“{entry.name}”）",
                f'the zip has a password ("{entry.name}")',
                "请去掉密码后重新打包报送；传输通道本身已加密",
                "pack it without a password; the channel itself is encrypted",
            )
        if entry.method not in (_STORED, _DEFLATED):
            raise unreadable(
                f"“{entry.name}”的压缩方法（{entry.method}）不支持",
                f'"{entry.name}" is packed by a method that is not supported ({entry.method})',
                "请用标准 zip（Deflate）格式重新打包",
                "pack it again as an ordinary zip (deflate)",
            )


def open_member(file: BinaryIO, entry: Entry) -> BinaryIO:
    """A file of the zip as a forward stream; several may be open at once.  Raises UnreadablePayload."""
    file.seek(entry.offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or header[:4] != b"PK\x03\x04":
        raise _damaged(f"“{entry.name}”的文件头不对", f'"{entry.name}" has no proper header')
    *_, name_len, extra_len = _LOCAL.unpack(header)
    start = entry.offset + _LOCAL.size + name_len + extra_len
    return io.BufferedReader(_Member(file, entry, start), 1 << 17)


class _Member(io.RawIOBase):
    """Unpacks as it is read; keeps its own position in the zip."""

    def __init__(self, file: BinaryIO, entry: Entry, start: int) -> None:
        super().__init__()
        self._file = file
        self._entry = entry
        self._at = start
        self._end = start + entry.packed
        self._inflate = zlib.decompressobj(-15) if entry.method == _DEFLATED else None
        self._crc = 0
        self._given = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """See io.RawIOBase."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._stored(len(view)) if self._inflate is None else self._inflated(len(view))
        self._crc = zlib.crc32(data, self._crc)
        self._given += len(data)
        if self._given > self._entry.unpacked or (not data and self._given != self._entry.unpacked):
            raise self._broken()
        if not data and self._crc != self._entry.crc:
            raise self._broken()
        view[: len(data)] = data
        return len(data)

    def _packed(self, limit: int) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(min(limit, self._end - self._at))
        self._at += len(data)
        return data

    def _stored(self, limit: int) -> bytes:
        return self._packed(limit)

    def _inflated(self, limit: int) -> bytes:
        inflate = self._inflate
        assert inflate is not None
        try:
            while not inflate.eof:
                packed = inflate.unconsumed_tail or self._packed(1 << 16)
                if not packed:
                    raise self._broken()
                if data := inflate.decompress(packed, limit):
                    return data
        except zlib.error as error:
            raise self._broken() from error
        return b""

    def _broken(self) -> UnreadablePayload:
        return _damaged(f"“{self._entry.name}”的内容已损坏", f'"{self._entry.name}" is damaged')


def _damaged(what_zh: str, what: str) -> UnreadablePayload:
    return unreadable(
        f"压缩包已损坏：{what_zh}",
        f"the zip is damaged: {what}",
        "请重新打包后报送，并确认文件传输完整",
        "pack it again, and make sure that the transfer is complete",
    )
