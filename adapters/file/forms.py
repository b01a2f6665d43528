"""A parcel as a file: CSV, one JSON record a line, XML by the standard's schema, or the CloudEvent itself."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import msgspec

from adapters.base import StandardView
from adapters.file.settings import FileDestinationSettings
from standards.encodings import encode
from standards.exports.xsd import namespace
from standards.model import DataSet, Element
from standards.parcel import AnswerLine, Parcel, ParcelRecord, Result, to_event

#: What XML 1.0 cannot hold in any spelling.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")

ENDINGS = {"csv": ".csv", "ndjson": ".ndjson", "json": ".json", "xml": ".xml"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns of a data set in a file: common elements first, then its own."""

    dataset: DataSet
    elements: tuple[Element, ...]

    @classmethod
    def of(cls, parcel: Parcel, standard: StandardView) -> Sheet:
        """The columns for a parcel, in the version it was made by."""
        dataset = standard.dataset(parcel.dataset, parcel.version)
        return cls(dataset, (*(e for e in standard.common if e.id not in dataset.by_id), *dataset.elements))


def render(parcel: Parcel, settings: FileDestinationSettings, standard: StandardView) -> Iterator[bytes]:
    """The bytes of the file, in pieces."""
    if settings.form == "json":
        yield to_event(parcel)
        return
    if settings.form == "ndjson":
        for record in parcel.records:
            yield msgspec.json.encode(record.values()) + b"\n"
        return
    sheet = Sheet.of(parcel, standard)
    text = _csv(parcel, sheet, settings) if settings.form == "csv" else _xml(parcel, sheet, settings)
    encoding = settings.encoding
    for number, piece in enumerate(text):
        # The mark at the beginning stands once.
        yield encode(piece, "utf-8" if number and encoding == "utf-8-sig" else encoding)


def unfit(parcel: Parcel, form: str) -> list[AnswerLine]:
    """Records that this form cannot hold; they are left out and refused, their neighbours go."""
    if form != "xml":
        return []
    found = []
    for record in parcel.records:
        for element, value in record.values().items():
            if _NOT_XML.search(value):
                found.append(
                    AnswerLine(
                        cd_id=record.cd_id,
                        result=Result.REFUSED,
                        code="10004.control",
                        element=element,
                        message="含有 XML 不能表示的控制字符 (holds control characters that XML cannot carry)",
                    )
                )
    return found


def _csv(parcel: Parcel, sheet: Sheet, settings: FileDestinationSettings) -> Iterator[str]:
    names = [e.id for e in sheet.elements]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(names if settings.header == "ids" else [e.title for e in sheet.elements])
    for record in parcel.records:
        values = record.values()
        row: Sequence[str] = [values.get(name, "") for name in names]
        writer.writerow(map(harmless, row) if settings.escape_formulas else row)
    yield buffer.getvalue()


def harmless(value: str) -> str:
    """The cell so that no spreadsheet runs it; a plain number is harmless as it is."""
    if value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _xml(parcel: Parcel, sheet: Sheet, settings: FileDestinationSettings) -> Iterator[str]:
    declared = "UTF-8" if settings.encoding.startswith("utf-8") else settings.encoding.upper()
    yield f'<?xml version="1.0" encoding="{declared}"?>\n<records xmlns="{namespace(sheet.dataset)}">\n'
    names = [e.id for e in sheet.elements]
    for record in parcel.records:
        yield from _xml_record(record, names, sheet.dataset.natural_key)
    yield "</records>\n"


def _xml_record(record: ParcelRecord, names: Iterable[str], key: Sequence[str]) -> Iterator[str]:
    values = record.values()
    tag = "record"
    if record.operation == "d":
        tag, names = "removal", ("cd_operation", *key)
    inner = "".join(f"<{name}>{_text(values[name])}</{name}>" for name in names if values.get(name))
    yield f"<{tag}>{inner}</{tag}>\n"


def _text(value: str) -> str:
    # A bare carriage return would be read back as a line feed.
    return escape(value, {"\r": "&#13;"})
