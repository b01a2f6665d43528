"""Settings of the channel `file`."""

from __future__ import annotations

from string import Formatter
from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator, model_validator

from adapters.base import AdapterSettings
from adapters.file.sftp import SftpSettings

TextEncoding = Literal["utf-8-sig", "utf-8", "gb18030"]

#: What a file name may be made of.
NAME_WORDS = frozenset({"dataset", "table", "version", "batch", "parcel", "date", "provider", "origin"})


class FileSourceSettings(AdapterSettings):
    """Settings of a folder that a party puts files into."""

    folder: str = Field(
        min_length=1,
        description="Folder the files are put into; an absolute path is best.",
        examples=["/srv/exchange/ecology/in"],
    )
    sftp: SftpSettings | None = Field(None, description="The SFTP server the folder is on; empty: this machine.")
    patterns: tuple[str, ...] = Field(
        ("*",), min_length=1, description="File names to take, such as *.csv; letter case does not matter."
    )
    ignore: tuple[str, ...] = Field(
        (), description="File names to leave alone, besides hidden and temporary ones (.x, ~$x, *.tmp, *.part …)."
    )
    stable_seconds: NonNegativeFloat = Field(
        10,
        description="A file is taken when its size and time stayed the same over two looks this far apart; 0: at once.",
    )
    markers: tuple[str, ...] = Field(
        (),
        description="Endings of marker files, such as .ok: a file is taken only with <name>.ok or <stem>.ok beside it.",
    )
    pause_seconds: PositiveFloat = Field(5, description="Rest between two looks when there was nothing to do.")
    max_files: PositiveInt = Field(50, description="Files taken in one round at most; the rest comes in the next.")
    order: Literal["time", "name"] = Field("time", description="Which file is taken first: the oldest, or by name.")
    work: str = Field("work", min_length=1, description="Folder for files whose receipt is not there yet.")
    done: str = Field("done", min_length=1, description="Folder for files of which every record was accepted.")
    failed: str = Field("failed", min_length=1, description="Folder for all other files.")
    receipts: tuple[Literal["json", "txt", "xlsx"], ...] = Field(
        ("json", "txt", "xlsx"),
        description="Receipts written beside the file: json for programs, txt for people, xlsx: a workbook comes back"
        " with its faults marked at their cells.",
    )
    receipts_folder: str = Field("", description="Folder for receipts and refusals; empty: beside the file.")
    text_encoding: TextEncoding = Field(
        "utf-8-sig", description="Encoding of receipts for people; gb18030 for very old Windows."
    )
    watch_days: PositiveFloat = Field(
        60, description="How long after it is settled a receipt is rewritten when a higher level changes its mind."
    )

    @field_validator("markers")
    @classmethod
    def _markers_begin_with_a_dot(cls, markers: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [m for m in markers if not m.startswith(".") or len(m) < 2]:
            raise ValueError(f"a marker begins with a dot, such as .ok; not {wrong[0]!r}")
        return markers

    @model_validator(mode="after")
    def _folders_differ(self) -> Self:
        folders = [self.work, self.done, self.failed]
        if len(set(folders)) < len(folders) or {"", ".", self.folder} & {*folders, self.receipts_folder or "-"}:
            raise ValueError("folder, work, done, failed and receipts_folder must not be the same folder")
        return self


class FileDestinationSettings(AdapterSettings):
    """Settings of a folder that parcels are written into, one file each."""

    folder: str = Field(
        min_length=1,
        description="Folder the files are written into; an absolute path is best.",
        examples=["/srv/exchange/province/out"],
    )
    sftp: SftpSettings | None = Field(None, description="The SFTP server the folder is on; empty: this machine.")
    form: Literal["csv", "ndjson", "json", "xml"] = Field(
        "csv",
        description="csv, ndjson (a record a line), json (the parcel as a CloudEvent) or xml (by the standard's XSD).",
    )
    forms: dict[str, str] = Field(
        {}, description="Data set = outward form `<system>/<name>`: these are written in the receiver's own words."
    )
    encoding: TextEncoding = Field(
        "utf-8-sig", description="Encoding of csv and xml; json and ndjson are always UTF-8."
    )
    header: Literal["ids", "titles"] = Field("ids", description="First line of csv: element ids or Chinese titles.")
    name: str = Field(
        "{dataset}_{batch}_{parcel}",
        description="File name without ending, made of {dataset} {table} {version} {batch} {parcel} {date} {provider} "
        "{origin}; it holds {parcel}, or {provider}, {dataset} and {batch}, so that no two parcels share a name.",
    )
    escape_formulas: bool = Field(
        True, description="csv: put ' before cells that a spreadsheet would run as a formula (= + - @); numbers stay."
    )
    marker: str = Field(
        "", pattern=r"^$|^\.\w+$", description="Ending of an empty marker file written after each file, such as .ok."
    )
    receipts_folder: str = Field(
        "", description="Folder with the receiver's receipts; empty: a file that was written counts as accepted."
    )
    receipt_suffix: str = Field(
        ".receipt.jsonl",
        pattern=r"^\.\S+$",
        description="A receipt is called like the file with this ending; one line per record: "
        "{cd_id, result, code, element, message}; a record without a line is accepted.",
    )
    stable_seconds: NonNegativeFloat = Field(
        2, description="A receipt is read when its size and time stayed the same over two looks this far apart."
    )
    level: str = Field("", description="Level of the receiver: district, city, province, nation; empty: the hub's own.")

    @model_validator(mode="after")
    def _receipts_find_their_parcel(self) -> Self:
        if self.receipts_folder and "{parcel}" not in self.name:
            raise ValueError("with a receipts_folder the name must hold {parcel}")
        return self

    @field_validator("name")
    @classmethod
    def _name_is_unique(cls, name: str) -> str:
        words = {word for _, word, _, _ in Formatter().parse(name) if word is not None}
        if unknown := words - NAME_WORDS:
            raise ValueError(f"unknown words in the name: {sorted(unknown)}; there are {sorted(NAME_WORDS)}")
        if "parcel" not in words and not {"provider", "batch", "dataset"} <= words:
            raise ValueError("the name must hold {parcel}, or {provider}, {dataset} and {batch}")
        if "/" in name or "\\" in name or name.startswith("."):
            raise ValueError("the name must be a plain, visible file name")
        return name
