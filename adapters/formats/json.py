"""JSON documents: an array of records, an object around one, or a single record.

The document is read twice: first to see that all of it is JSON and where the records are, then to give the records.  So
a document that was cut off in transfer is refused as a whole; memory is bounded by the largest record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.formats.base import LegacyChunk, Payload, Reading, ReadOptions
from adapters.formats.encoding import Decoding, find_decoding, text_blocks
from adapters.formats.flatten import flatten
from adapters.formats.json_shape import elements, go_to, nothing_at, records_at, survey, tokens
from adapters.formats.json_text import Cursor, Scan, scan, scan_roughly
from adapters.formats.records import ChunkBuilder, Record, name_fault


def value_limit(options: ReadOptions) -> int:
    """Characters of one record."""
    return 2 * options.max_value


class JsonReader:
    """Reads a JSON document."""

    def read(
        self, payload: Payload, options: ReadOptions, reading: Reading, resume: Mapping[str, int | str] | None = None
    ) -> Iterator[LegacyChunk]:
        """See `Reader.read`.  The bookmark holds where the records are and how many were given."""
        reading.format = "json"
        decoding = find_decoding(payload, options, reading)
        if resume:
            where, done = str(resume["record"]), int(resume["records"])
        else:
            shape = survey(_cursor(payload, decoding, options, scan_roughly))
            where, done = records_at(shape, options.record), 0
            if not go_to(_cursor(payload, decoding, options), tokens(where)):
                raise nothing_at(where, shape)
        cursor = _cursor(payload, decoding, options)
        go_to(cursor, tokens(where))
        builder = ChunkBuilder(options, decoding.codec)
        count = 0
        for place, value in _values(cursor, where):
            count += 1
            if count <= done:
                continue
            record = record_of(value, options)
            if not builder.has_room(record, cursor.position):
                yield _marked(builder.build(), where, count - 1)
            builder.add(record, place)
        if builder:
            yield _marked(builder.build(), where, count)


def record_of(value: Any, options: ReadOptions) -> Record:
    """A JSON value as a record."""
    record = flatten(value, options.max_value)
    return (name_fault(record) or record) if isinstance(record, dict) else record


def _marked(chunk: LegacyChunk, where: str, count: int) -> LegacyChunk:
    chunk.bookmark = {"record": where, "records": count}
    return chunk


def _cursor(payload: Payload, decoding: Decoding, options: ReadOptions, how: Scan = scan) -> Cursor:
    return Cursor(text_blocks(payload, decoding), value_limit(options), how)


def _values(cursor: Cursor, where: str) -> Iterator[tuple[str, Any]]:
    """The records and their places: the elements of an array, or a single value."""
    head = "#" + where.removeprefix("#")
    if cursor.take("["):
        for index, value in enumerate(elements(cursor)):
            yield f"{head}/{index}", value
        return
    value = cursor.value()
    if value is not None:
        yield head, value
