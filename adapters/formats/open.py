"""From a payload to its records, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapters.formats.base import LegacyChunk, Payload, Reader, Reading, ReadOptions
from adapters.formats.csv import CsvReader
from adapters.formats.detect import detect
from adapters.formats.json import JsonReader
from adapters.formats.markup import HtmlReader, SpreadsheetMlReader
from adapters.formats.ndjson import NdjsonReader
from adapters.formats.parcel import ParcelReader
from adapters.formats.refusal import unreadable
from adapters.formats.workbook import WorkbookReader
from adapters.formats.xml import XmlReader
from adapters.formats.zip import ZipReader


def open_records(
    payload: Payload, options: ReadOptions, resume: Mapping[str, int | str] | None = None
) -> tuple[Reading, Iterator[LegacyChunk]]:
    """The payload's records in chunks, and what is found out about it on the way.

    `resume` is the bookmark of the last chunk that was stored; options and payload must be the same as then.
    Raises UnreadablePayload or PayloadTooLarge, here or while the chunks are taken.
    """
    reading = Reading(format=detect(payload, options))
    if options.join is not None and reading.format != "zip":
        raise unreadable(
            f"该接入约定报送压缩包（含 {options.join.main} 等文件），现为单个文件",
            f"a zip with {options.join.main} and other files was agreed for this connection, this is a single file",
            "请把各文件打成一个 zip 后报送",
            "put the files into one zip",
        )
    return reading, _READERS[reading.format].read(payload, options, reading, resume)


_READERS: Mapping[str, Reader] = {
    "csv": CsvReader(),
    "json": JsonReader(),
    "ndjson": NdjsonReader(),
    "xml": XmlReader(),
    "html": HtmlReader(),
    "spreadsheetml": SpreadsheetMlReader(),
    "workbook": WorkbookReader(),
    "zip": ZipReader(open_records),
    "parcel": ParcelReader(),
}
