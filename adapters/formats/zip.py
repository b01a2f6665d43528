"""Zip files: each file in them read by its own format, in the order of names; or several joined to one."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import BinaryIO

from adapters.formats import archive
from adapters.formats.archive import Entry
from adapters.formats.base import Join, LegacyChunk, Note, Payload, Reading, ReadOptions
from adapters.formats.detect import suffix_of
from adapters.formats.join import Joiner
from adapters.formats.refusal import in_member, unreadable
from standards.errors import PayloadTooLarge, UnreadablePayload

#: A member larger than this is spooled to disk when its reader needs to jump about in it.
_IN_MEMORY = 32 * 1024 * 1024
_ARCHIVES = {"zip", "rar", "7z", "gz", "tgz", "tar", "bz2", "xz", "jar"}
#: Files that go along with data and hold none.
_COMPANIONS = {
    *("pdf", "ofd", "doc", "docx", "wps", "ppt", "pptx", "rtf", "md", "xsd", "dtd", "ini", "log", "sql"),
    *("jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "mp3", "mp4", "avi", "exe", "dll"),
}
_JUNK = re.compile(r"(?:^|/)(?:__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\._|~\$)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

#: Reads a payload by its own format: `open_records`.
Opener = Callable[[Payload, ReadOptions, Mapping[str, int | str] | None], tuple[Reading, Iterator[LegacyChunk]]]
_IN_BOOKMARK = "m."


@dataclass(frozen=True, slots=True)
class _MemberPayload:
    """A file of a zip as a payload."""

    file: BinaryIO
    entry: Entry
    name: str
    content_type: str = ""

    @property
    def size(self) -> int:
        """Unpacked."""
        return self.entry.unpacked

    def open(self, offset: int = 0) -> BinaryIO:
        """From an offset on, which means unpacking what stands before it."""
        stream = archive.open_member(self.file, self.entry)
        while offset > 0 and (data := stream.read(min(offset, 1 << 18))):
            offset -= len(data)
        return stream

    def seekable(self) -> BinaryIO:
        """Unpacked, to disk when it is large."""
        spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - handed out
        with self.open() as stream:
            while data := stream.read(1 << 18):
                spool.write(data)
        spool.seek(0)
        return spool  # type: ignore[return-value]


class ZipReader:
    """Reads a zip."""

    def __init__(self, opener: Opener) -> None:
        self._open = opener

    def read(
        self, payload: Payload, options: ReadOptions, reading: Reading, resume: Mapping[str, int | str] | None = None
    ) -> Iterator[LegacyChunk]:
        """See `Reader.read`.  The bookmark holds the member and the bookmark within it."""
        reading.format = "zip"
        with closing(payload.seekable()) as file:
            entries = archive.read_directory(file, options.max_members, options.name_encoding)
            archive.check_sizes(entries, options)
            members = _members(file, entries, reading)
            archive.refuse_encrypted([member.entry for member in members])
            inner = options.model_copy(update={"format": "auto", "join": None})
            run = _Run(self._open, inner, reading)
            try:
                if options.join is not None:
                    yield from run.joined(members, options.join, resume)
                else:
                    yield from run.each(members, resume)
            finally:
                reading.encoding = ", ".join(run.encodings)
                reading.decoded_by = ", ".join(run.decoded_by)


def _members(file: BinaryIO, entries: list[Entry], reading: Reading) -> list[_MemberPayload]:
    """The files to read, in the order of their names.  Raises UnreadablePayload when there are none, or archives."""
    members: list[_MemberPayload] = []
    taken: set[str] = set()
    for entry in sorted(entries, key=lambda e: e.name):
        if entry.is_folder or _JUNK.search(entry.name):
            continue
        name = wanted = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", entry.name)[-200:]
        times = 1
        while name in taken:
            times += 1
            name = f"{wanted}#{times}"
        taken.add(name)
        suffix = suffix_of(name)
        if suffix in _ARCHIVES:
            raise _nested(name)
        if suffix in _COMPANIONS:
            reading.notes.append(Note("10004.member_skipped", value=name))
            continue
        members.append(_MemberPayload(file, entry, name))
    if not members:
        raise unreadable(
            "压缩包中没有数据文件",
            "there is no file of records in the zip",
            "请把 CSV、Excel、XML 或 JSON 文件放进压缩包",
            "put CSV, Excel, XML or JSON files into the zip",
        )
    return members


class _Run:
    """One zip being read."""

    def __init__(self, opener: Opener, options: ReadOptions, reading: Reading) -> None:
        self._open = opener
        self._options = options
        self._reading = reading
        #: In the order they were met.
        self.encodings: dict[str, None] = {}
        self.decoded_by: dict[str, None] = {}

    def each(self, members: list[_MemberPayload], resume: Mapping[str, int | str] | None) -> Iterator[LegacyChunk]:
        """The records of one file after the other."""
        behind = str(resume["member"]) if resume else ""
        passing = bool(behind)
        for member in members:
            if passing and member.name != behind:
                continue
            within = None
            if passing and resume:
                within = {k.removeprefix(_IN_BOOKMARK): v for k, v in resume.items() if k.startswith(_IN_BOOKMARK)}
            passing = False
            yield from self._member(member, within)

    def _member(self, member: _MemberPayload, resume: Mapping[str, int | str] | None) -> Iterator[LegacyChunk]:
        reading = Reading()
        try:
            with closing(member.open()) as stream:
                head = stream.read(4)
            reading, chunks = self._open(member, self._options, resume)
            if reading.format == "zip" and archive.is_zip(head):
                raise _nested(member.name)
            for chunk in chunks:
                chunk.member = member.name
                chunk.places = [f"{member.name}|{place}" for place in chunk.places]
                chunk.raw_offset = None
                chunk.bookmark = {
                    "member": member.name,
                    **{f"{_IN_BOOKMARK}{key}": value for key, value in chunk.bookmark.items()},
                }
                yield chunk
        except (UnreadablePayload, PayloadTooLarge) as error:
            raise in_member(error, member.name) from error
        finally:
            self._learn(member.name, reading)

    def _learn(self, name: str, reading: Reading) -> None:
        """What was found out about one file is true of the whole."""
        if reading.encoding:
            self.encodings[reading.encoding] = None
            self.decoded_by[reading.decoded_by] = None
        for note in reading.notes:
            place = f"{name}|{note.place}" if note.place else name
            self._reading.notes.append(Note(note.code, place, note.value, note.params))

    def joined(
        self, members: list[_MemberPayload], join: Join, resume: Mapping[str, int | str] | None
    ) -> Iterator[LegacyChunk]:
        """The records of the main file with the fields of the others."""
        joiner = Joiner(self._reading)
        used = _matching(members, join.main)
        for side in join.sides:
            files = _matching(members, side.member)
            used = [*used, *files]
            joiner.load(side, (chunk for file in files for chunk in self._member(file, None)))
        for member in members:
            if member not in used:
                self._reading.notes.append(Note("10004.member_skipped", value=member.name))
        for chunk in self.each(_matching(members, join.main), resume):
            joiner.add(chunk)
            yield chunk
        self._reading.notes.extend(joiner.notes())


def _matching(members: list[_MemberPayload], pattern: str) -> list[_MemberPayload]:
    """The files a pattern names, with or without their folder.  Raises UnreadablePayload when there are none."""
    wanted = pattern.lower()
    found = [
        member
        for member in members
        if fnmatchcase(member.name.lower(), wanted) or fnmatchcase(member.name.lower().rpartition("/")[2], wanted)
    ]
    if not found:
        names = [member.name for member in members[:20]]
        raise unreadable(
            f"压缩包中缺少文件“{pattern}”；现有：{'、'.join(names)}",
            f'there is no file "{pattern}" in the zip; there are: {", ".join(names)}',
            "请补齐文件后重新打包；文件名有变的，请运维人员修改该接入的 join 设置",
            "add the file and pack it again, or have the operator change 'join' for this connection",
        )
    return found


def _nested(name: str) -> UnreadablePayload:
    return unreadable(
        f"压缩包中又有压缩包“{name}”",
        f'there is an archive in the zip: "{name}"',
        "请先解压，把数据文件直接打成一个 zip",
        "unpack it, and put the files of records into one zip",
    )
