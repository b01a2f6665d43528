"""Reading what senders hand over: CSV, JSON, NDJSON, XML, workbooks, HTML tables, and zips of these."""

from adapters.formats.base import Join, JoinSide, LegacyChunk, Note, Payload, Reader, Reading, ReadOptions, RowFault
from adapters.formats.open import open_records
from adapters.formats.payload import bytes_payload, file_payload

__all__ = [
    "Join",
    "JoinSide",
    "LegacyChunk",
    "Note",
    "Payload",
    "ReadOptions",
    "Reader",
    "Reading",
    "RowFault",
    "bytes_payload",
    "file_payload",
    "open_records",
]
