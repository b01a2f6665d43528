"""NDJSON: one JSON object a line; each line stands for itself, with exact lines and byte offsets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from adapters.formats.base import LegacyChunk, Payload, Reading, ReadOptions, RowFault
from adapters.formats.csv_layout import line_limit
from adapters.formats.encoding import DAMAGED, Decoding, find_decoding, shown
from adapters.formats.json import record_of
from adapters.formats.json_text import scan
from adapters.formats.lines import TOO_LONG, Lines
from adapters.formats.records import ChunkBuilder, Record

#: Field in which a source of ours says where a record came from.
PLACE = "@place"
_LINES = 1000
_BLANKS = " \t\r\n"


class NdjsonReader:
    """Reads NDJSON."""

    def read(
        self, payload: Payload, options: ReadOptions, reading: Reading, resume: Mapping[str, int | str] | None = None
    ) -> Iterator[LegacyChunk]:
        """See `Reader.read`.  A line that is no JSON object is a broken record, not the end."""
        reading.format = "ndjson"
        if resume:
            decoding = Decoding(str(resume["codec"]), str(resume["decoded_by"]), int(resume["bom"]))
            reading.encoding, reading.decoded_by = decoding.codec, decoding.found_by
        else:
            decoding = find_decoding(payload, options, reading)
        offset = int(resume["offset"]) if resume else decoding.bom
        line = int(resume["line"]) if resume else 1
        lines = Lines(payload.open(offset), decoding, line_limit(options))
        builder = ChunkBuilder(options, decoding.codec)
        start = offset

        def chunk() -> LegacyChunk:
            built = builder.build()
            built.raw_offset = start
            built.bookmark = {
                "offset": offset,
                "line": line,
                "codec": decoding.codec,
                "decoded_by": decoding.found_by,
                "bom": decoding.bom,
            }
            return built

        try:
            while batch := lines.read(_LINES):
                for text, length in zip(batch.texts, batch.lengths, strict=True):
                    record = _record(text, decoding, options)
                    if record is not None:
                        if not builder.has_room(record, offset):
                            yield chunk()
                        if not builder:
                            start = offset
                        builder.add(record, _place(record, line))
                    offset += length
                    line += 1
            if builder:
                yield chunk()
        finally:
            lines.close()


def _place(record: Record, line: int) -> str:
    """Where the record stands: what our own sources say (`@place`), else its line."""
    if isinstance(record, dict):
        said = record.pop(PLACE, "")
        if said:
            return str(said)[:200]
    return f"L{line}"


def _record(text: str, decoding: Decoding, options: ReadOptions) -> Record | None:
    """The record of a line; None for a blank one."""
    text = text.strip(_BLANKS)
    if not text:
        return None
    if text == TOO_LONG:
        return RowFault("10004.long_row", params={"max": str(line_limit(options))})
    try:
        value, end = scan(text, 0)
        wrong = "" if end == len(text) else f"character {end + 1}"
    except StopIteration as stop:
        wrong = f"character {stop.value + 1}"
    except json.JSONDecodeError as error:
        wrong = f"character {error.pos + 1}: {error.msg}"
    except ValueError as error:
        wrong = str(error)
    except RecursionError:
        return RowFault("10004.nested")
    if wrong and DAMAGED in text:
        return RowFault("10009.encoding", params={"encoding": shown(decoding.codec)})
    if wrong:
        return RowFault("10004.json_line", params={"reason": wrong})
    return record_of(value, options)
