"""XML documents: the element that repeats is the record.

The document is read twice: first to see that all of it is well-formed (and, unless it was set, which element repeats),
then to give the records; so a document that was cut off in transfer is refused as a whole.  Memory is bounded by the
largest record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain

from adapters.formats.base import LegacyChunk, Note, Payload, Reading, ReadOptions
from adapters.formats.encoding import Decoding, find_decoding, text_blocks
from adapters.formats.records import CONTROL, ChunkBuilder, name_fault
from adapters.formats.refusal import unreadable
from adapters.formats.xml_records import Gatherer, Node, Path, Survey, path_of
from standards import xml
from standards.errors import UnreadablePayload

#: The repeating element is looked for in so many characters first, then in all.
_SAMPLE = 1 << 20
_BLOCK = 1 << 16
#: Elements in one record, as a multiple of the columns it may have.
_NODES = 20

#: What XML cannot hold, but programs write all the same: control characters, also as &#31;.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
    "|&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01]|65534|65535)|x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]|[fF]{3}[eEfF]));"
)
_CONTROL = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0D})
_NONCHARACTERS = ("\ufffe", "\uffff")


class XmlReader:
    """Reads an XML document."""

    def read(
        self, payload: Payload, options: ReadOptions, reading: Reading, resume: Mapping[str, int | str] | None = None
    ) -> Iterator[LegacyChunk]:
        """See `Reader.read`.  The bookmark holds which element is the record and how many were given."""
        reading.format = "xml"
        with payload.open() as stream:
            declared = xml.declared_encoding(stream.read(1024))
        decoding = find_decoding(payload, options, reading, declared)
        if resume:
            path, done = path_of(str(resume["record"])), int(resume["records"])
        else:
            xml.check(sound_blocks(payload, decoding))
            found = find_path(payload, decoding) if options.record == "auto" else path_of(options.record)
            if found is None:
                reading.notes.append(Note("10004.no_record"))
                return
            path, done = found, 0
        gatherer = Gatherer(path, options.max_value, _NODES * options.max_columns, frozenset(options.lists))
        builder = ChunkBuilder(options, decoding.codec)
        count = position = 0
        blocks = sound_blocks(payload, decoding)
        for _ in xml.events(blocks, gatherer):
            position += _BLOCK
            for place, record in gatherer.take():
                count += 1
                if count <= done:
                    continue
                if not builder.has_room(record, position):
                    yield _marked(builder.build(), path, count - 1)
                builder.add((name_fault(record) or record) if isinstance(record, dict) else record, place)
        if builder:
            yield _marked(builder.build(), path, count)
        if not count:
            reading.notes.append(Note("10004.no_record", value=str(path)))


def _marked(chunk: LegacyChunk, path: Path, count: int) -> LegacyChunk:
    chunk.bookmark = {"record": str(path), "records": count}
    return chunk


def sound_blocks(payload: Payload, decoding: Decoding) -> Iterator[str]:
    """The text without leading blanks; what XML cannot hold becomes `CONTROL`, to break its record and no more."""
    held = ""
    blocks = text_blocks(payload, decoding, _BLOCK)
    first = next((block for block in blocks if block.strip()), "").lstrip("\ufeff \t\r\n")
    for block in chain((first,), blocks):
        text = held + block
        held = ""
        ampersand = text.rfind("&", -16)
        if ampersand >= 0 and ";" not in text[ampersand:]:
            # A character reference may go on in the next block.
            text, held = text[:ampersand], text[ampersand:]
        yield _without_forbidden(text)
    if held:
        yield held


def _without_forbidden(text: str) -> str:
    raw = text.encode("utf-8", "surrogatepass")
    if (
        "&#" not in text
        and len(raw.translate(None, _CONTROL)) == len(raw)
        and not any(character in text for character in _NONCHARACTERS)
    ):
        return text
    return _FORBIDDEN.sub(CONTROL, text)


def find_path(payload: Payload, decoding: Decoding) -> Path | None:
    """The element that repeats, in the beginning of the document or else in all of it; None when there is none.

    Raises UnreadablePayload when several do and it cannot be told which holds the records.
    """
    for limit in (_SAMPLE, None) if payload.size > _SAMPLE else (None,):
        survey = Survey()
        for _ in xml.events(_some(sound_blocks(payload, decoding), limit), survey, whole=limit is None):
            pass
        if found := survey.repeating():
            break
    if len(found) > 1:
        raise _several(found)
    node = found[0] if found else survey.fullest()
    return Path(node.path(), False) if node is not None and (found or node.leaves) else None


def _some(blocks: Iterator[str], limit: int | None) -> Iterator[str]:
    size = 0
    for block in blocks:
        yield block
        size += len(block)
        if limit is not None and size >= limit:
            return


def _several(found: list[Node]) -> UnreadablePayload:
    names = [f"//{node.name}（{node.most}）" for node in found[:5]]
    return unreadable(
        f"有 {len(found)} 种重复出现的元素，无法确定哪个是记录：" + "、".join(names),
        f"{len(found)} elements repeat, it cannot be told which is the record: "
        + ", ".join(f"//{node.name}" for node in found[:5]),
        f"请运维人员在该接入上设置 record，如 //{found[0].name}",
        f"have the operator set 'record' for this connection, say //{found[0].name}",
    )
