"""Records that come as fields by name (JSON, XML) gathered into chunks of columns, within bounds."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapters.formats.base import LegacyChunk, ReadOptions, RowFault
from adapters.formats.encoding import DAMAGED, shown
from adapters.formats.refusal import unreadable
from standards.private_use import perhaps_among

#: Characters read for one chunk at most, roughly, and cells in it: a chunk ends earlier when records are large.
_CHUNK_CHARACTERS = 1 << 23
_CHUNK_CELLS = 2_000_000
#: Different field names in one hand-over, as a multiple of what one record may have.
_NAMES = 5

_CONTROL = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0D}) + b"\x7f"
_INVISIBLE = ("\u200b", "\ufeff", "\u2028", "\u2029")
#: Stands for a control character that XML cannot hold.
CONTROL = "\ufdd1"

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNFIT = re.compile(f"[\0{CONTROL}]")
_DAMAGED = re.compile(DAMAGED)

Record = dict[str, str] | RowFault


class ChunkBuilder:
    """Gathers records until a chunk is full."""

    def __init__(self, options: ReadOptions, codec: str) -> None:
        self._options = options
        self._codec = codec
        self._records: list[Mapping[str, str]] = []
        self._places: list[str] = []
        self._broken: dict[int, RowFault] = {}
        self._fields: dict[str, None] = {}
        self._all_names: set[str] = set()
        self._started_at: int | None = None
        self._want = options.chunk

    def __len__(self) -> int:
        return len(self._places)

    def has_room(self, record: Record, position: int) -> bool:
        """False when the chunk must be built before this record is added.

        `position` is how far the text has been read; it stands for the size of what was gathered.
        """
        if self._started_at is None:
            self._started_at = position
        if not self._places:
            return True
        if len(self._places) >= self._want or position - self._started_at > _CHUNK_CHARACTERS:
            return False
        if isinstance(record, RowFault) or record.keys() <= self._fields.keys():
            return True
        fields = len(self._fields.keys() | record.keys())
        return fields <= self._options.max_columns and fields * (len(self._places) + 1) <= _CHUNK_CELLS

    def add(self, record: Record, place: str) -> None:
        """Add a record.  Raises UnreadablePayload when there are too many different field names in all."""
        if isinstance(record, RowFault):
            self._break(record)
        elif len(record) > self._options.max_columns:
            params = {"found": str(len(record)), "max": str(self._options.max_columns)}
            self._break(RowFault("10004.too_many_columns", params=params))
        else:
            if not record.keys() <= self._fields.keys():
                self._fields.update(dict.fromkeys(record))
                self._all_names.update(record)
                if len(self._all_names) > _NAMES * self._options.max_columns:
                    raise unreadable(
                        f"字段名过多：已有 {len(self._all_names)} 个不同的字段名",
                        f"too many different field names: {len(self._all_names)} so far",
                        "请检查是否把编号之类的值写成了字段名；每条记录应使用相同的字段名",
                        "check whether values such as numbers are used as field names; all records should share names",
                    )
                self._want = min(self._options.chunk, max(1, _CHUNK_CELLS // len(self._fields)))
            self._records.append(record)
        self._places.append(place)

    def _break(self, fault: RowFault) -> None:
        self._broken[len(self._places)] = fault
        self._records.append({})

    def build(self) -> LegacyChunk:
        """What was gathered; the builder is empty afterwards."""
        fields = tuple(self._fields)
        columns = self._columns(fields)
        clean = self._inspect(columns)
        if self._broken:
            for column in columns.values():
                for row in self._broken:
                    column[row] = ""
        chunk = LegacyChunk(fields, columns, len(self._places), self._places, self._broken, clean=clean)
        self._records, self._places, self._broken, self._fields = [], [], {}, {}
        self._want, self._started_at = self._options.chunk, None
        return chunk

    def _columns(self, fields: tuple[str, ...]) -> dict[str, list[str]]:
        if not fields:
            return {}
        names = list(fields)
        if all(list(record) == names for record in self._records):
            values = zip(*(record.values() for record in self._records), strict=True)
            return dict(zip(fields, map(list, values), strict=True))
        return {name: [record.get(name, "") for record in self._records] for name in fields}

    def _inspect(self, columns: Mapping[str, list[str]]) -> bool:
        """Break the rows whose values cannot be kept; True when the checker need not look at characters."""
        clean = True
        for name, column in columns.items():
            joined = "".join(column)
            try:
                raw = joined.encode()
            except UnicodeEncodeError:
                fault = RowFault("10009.encoding", params={"encoding": "Unicode", "field": name})
                self._break_where(column, _SURROGATE, fault)
                raw = joined.encode("utf-8", "replace")
            if (
                perhaps_among(raw)
                or len(raw.translate(None, _CONTROL)) != len(raw)
                or any(m in joined for m in _INVISIBLE)
            ):
                clean = False
            if "\0" in joined or CONTROL in joined:
                self._break_where(column, _UNFIT, RowFault("10004.character", params={"field": name}))
            if DAMAGED in joined:
                fault = RowFault("10009.encoding", params={"encoding": shown(self._codec), "field": name})
                self._break_where(column, _DAMAGED, fault)
        return clean

    def _break_where(self, column: list[str], wrong: re.Pattern[str], fault: RowFault) -> None:
        for row, value in enumerate(column):
            if row not in self._broken and wrong.search(value):
                self._broken[row] = fault


def name_fault(names: Mapping[str, str]) -> RowFault | None:
    """Why a record's field names cannot be used, if they cannot."""
    joined = "".join(names)
    if joined.isascii() and "\0" not in joined:
        return None
    if _UNFIT.search(joined) or _DAMAGED.search(joined) or _SURROGATE.search(joined):
        return RowFault("10009.encoding", params={"encoding": "Unicode"})
    return None
