"""What every reader takes and gives: a payload in, chunks of legacy records out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, BinaryIO, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt


class Payload(Protocol):
    """The raw bytes of one submission.  May be opened any number of times."""

    @property
    def name(self) -> str:
        """What the sender called it."""
        ...

    @property
    def content_type(self) -> str:
        """What the sender said it is; may be empty."""
        ...

    @property
    def size(self) -> int:
        """How many bytes."""
        ...

    def open(self, offset: int = 0) -> BinaryIO:
        """A forward stream of the raw bytes, from `offset` on."""
        ...

    def seekable(self) -> BinaryIO:
        """The raw bytes as a seekable file (spooled to disk when large); the caller closes it."""
        ...


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why one row could not be read; it counts as rejected."""

    code: str
    value: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class LegacyChunk:
    """Some consecutive legacy records as columns.  Values are text; '' where the record has none."""

    #: The sender's field names in the order of the file.
    fields: tuple[str, ...]
    #: field -> values; all lists have length `count`.
    columns: dict[str, list[str]]
    count: int
    #: Where each record stands in the sender's file; see `standards.places`.
    places: list[str]
    #: index -> why this row could not be read (its values are then '').
    broken: dict[int, RowFault] = field(default_factory=dict)
    #: True when no value can hold a private-use or invisible character, or a control character but tab and line breaks.
    clean: bool = False
    #: Where this chunk's records start in the raw bytes, if the reader can go there again.
    raw_offset: int | None = None
    #: What `resume` needs to go on behind this chunk (see `Reader.read`).
    bookmark: Mapping[str, int | str] = field(default_factory=dict)
    #: Which file of a zip the records came from; rows of different members have no order among them.
    member: str = ""
    #: field -> column letter in a workbook, so that a finding can name the cell.
    letters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader noticed about the whole hand-over: a finding of the submission, not of one record."""

    code: str
    place: str = ""
    value: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


class JoinSide(BaseModel):
    """Another file of the same zip whose fields are added to each record of the main file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    member: str = Field(description="Name of the other file in the zip; * and ? stand for anything.")
    on: tuple[str, ...] = Field(min_length=1, description="Fields that must be equal in both files.")
    prefix: str = Field("", description="Put before the names of the added fields.")
    many: bool = Field(False, description="Several rows may match: their values are joined with `separator`.")
    separator: str = Field("；", description="Between the values of several rows.")


class Join(BaseModel):
    """Files of one zip that together make one record."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    main: str = Field(description="Name of the file with one row for each record.")
    sides: tuple[JoinSide, ...] = Field(min_length=1, description="The files joined to it.")


class ReadOptions(BaseModel):
    """How to read what a connection hands over.  Everything has a default that suits most files."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal["auto", "csv", "json", "ndjson", "xml", "workbook", "html", "zip", "parcel"] = Field(
        "auto", description="What the bytes are; auto looks at the bytes first and the name second."
    )
    encoding: str = Field("auto", description="auto = BOM, then strict UTF-8, then strict GB18030; or a name.")
    delimiter: str = Field("auto", description="Between the fields of a CSV; auto tries comma, tab, semicolon, |.")
    quote: str = Field('"', max_length=1, description="Around a CSV field; empty for none.")
    title_rows: NonNegativeInt | Literal["auto"] = Field("auto", description="Lines above the header.")
    header: tuple[str, ...] = Field((), description="Field names when the file has no header line.")
    sheet: str = Field("first", description="Sheet of a workbook: its name, first, or all.")
    record: str = Field("auto", description="Where the records are: XPath of an XML element, JSON pointer of an array.")
    lists: tuple[str, ...] = Field(
        (), description="XML: inner elements that are lists, so that one of them is a JSON array as several are."
    )
    join: Join | None = Field(None, description="Files of a zip that together make one record.")
    name_encoding: str = Field("gbk", description="Encoding of zip file names without the UTF-8 flag.")
    chunk: PositiveInt = Field(2000, le=20000, description="Records read, judged and stored in one step.")
    max_columns: PositiveInt = Field(1000, description="More fields than this in a record are refused.")
    max_value: PositiveInt = Field(1_000_000, description="Characters in one value; longer makes the row unreadable.")
    max_unpacked_mb: PositiveInt = Field(512, description="What a zip may hold unpacked, all files together.")
    max_sheet_mb: PositiveInt = Field(96, description="What one sheet of a workbook may hold unpacked.")
    max_workbook_mb: PositiveInt = Field(300, description="Memory that reading one workbook may take.")
    max_ratio: PositiveInt = Field(200, description="How many times larger than packed a file of a zip may be.")
    max_members: PositiveInt = Field(1000, description="Files in a zip.")


@dataclass(slots=True)
class Reading:
    """What was found out about the payload while it was read; filled as reading goes on."""

    format: str = ""
    encoding: str = ""
    #: How the encoding was found: bom, utf-8, gb18030, declared, given.
    decoded_by: str = ""
    notes: list[Note] = field(default_factory=list)


class Reader(Protocol):
    """Reads one format."""

    def read(
        self, payload: Payload, options: ReadOptions, reading: Reading, resume: Mapping[str, int | str] | None = None
    ) -> Iterator[LegacyChunk]:
        """The records in order, `options.chunk` at a time.

        `resume` is the bookmark of the last chunk that was stored: reading goes on behind it.
        Raises UnreadablePayload or PayloadTooLarge when the hand-over as a whole cannot be read;
        a single bad row is a chunk's `broken` entry instead.
        """
        ...


Chunks = Annotated[Iterator[LegacyChunk], "in the order of the file"]
