"""Files of one zip that together make one record: the main file streams, the others are held as tables by key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.formats.base import JoinSide, LegacyChunk, Note, Reading
from adapters.formats.refusal import too_large, unreadable
from standards.errors import UnreadablePayload

#: What the side files of one hand-over may take in memory, estimated; and what one value takes beside its characters.
_LIMIT = 256 * 1024 * 1024
_VALUE = 60

Key = tuple[str, ...]


@dataclass(slots=True)
class Side:
    """One side file, held by key."""

    settings: JoinSide
    #: The side's own names of the fields it adds.
    fields: tuple[str, ...] = ()
    rows: dict[Key, list[tuple[str, ...]]] = field(default_factory=dict)
    clean: bool = True
    #: Keys that stand in it more than once although only one row may match; records without a row.
    doubled: int = 0
    unmatched: int = 0

    def values(self, keys: Sequence[Key]) -> list[list[str]]:
        """For each added field the values for these keys."""
        nothing = ("",) * len(self.fields)
        if not self.settings.many:
            found = [self.rows.get(key) for key in keys]
            self.unmatched += found.count(None)
            matched = [rows[0] if rows else nothing for rows in found]
        else:
            remembered: dict[Key, tuple[str, ...]] = {}
            matched = []
            for key in keys:
                if key not in remembered:
                    remembered[key] = self._joined(self.rows.get(key, []), nothing)
                matched.append(remembered[key])
        return [list(column) for column in zip(*matched, strict=True)]

    def _joined(self, rows: list[tuple[str, ...]], nothing: tuple[str, ...]) -> tuple[str, ...]:
        """The values of several rows in one; they stay aligned between fields, so blanks count too."""
        if not rows:
            return nothing
        between = self.settings.separator
        return tuple(between.join(column) if any(column) else "" for column in zip(*rows, strict=True))


class Joiner:
    """Adds the fields of the side files to chunks of the main file."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._sides: list[Side] = []
        self._size = 0

    def load(self, settings: JoinSide, chunks: Iterable[LegacyChunk]) -> None:
        """Hold a side file.  Raises UnreadablePayload when a field is missing, PayloadTooLarge when it is too large."""
        side = Side(settings)
        for chunk in chunks:
            missing = [name for name in settings.on if name not in chunk.columns]
            if missing:
                raise _no_field(chunk.member, missing[0], chunk.fields)
            fields = tuple(name for name in chunk.fields if name not in settings.on)
            side.fields = side.fields or fields
            side.clean &= chunk.clean
            for row, fault in chunk.broken.items():
                self._reading.notes.append(Note(fault.code, chunk.places[row], params=fault.params))
            keys = _keys(chunk, settings.on)
            nothing = [""] * chunk.count
            columns = [chunk.columns.get(name, nothing) for name in side.fields]
            rows = list(zip(*columns, strict=True)) if columns else [()] * chunk.count
            for index, key in enumerate(keys):
                if index in chunk.broken:
                    continue
                held = side.rows.setdefault(key, [])
                if held and not settings.many:
                    side.doubled += 1
                    continue
                held.append(rows[index])
            self._grow(sum(len(value) for column in chunk.columns.values() for value in column), chunk)
        self._sides.append(side)

    def _grow(self, characters: int, chunk: LegacyChunk) -> None:
        self._size += 2 * characters + _VALUE * chunk.count * (len(chunk.fields) + 3)
        if self._size > _LIMIT:
            raise too_large(
                f"合并用的附表“{chunk.member}”过大，超过 {_LIMIT >> 20} MB 内存",
                f'the joined file "{chunk.member}" would take more than {_LIMIT >> 20} MB of memory',
                "请按时间或地区分批报送，附表只带本批用到的行",
                "send it in batches, each with only the rows that the batch needs",
            )

    def add(self, chunk: LegacyChunk) -> None:
        """Add the fields.  Raises UnreadablePayload when the main file lacks a field that is joined on."""
        for side in self._sides:
            missing = [name for name in side.settings.on if name not in chunk.columns]
            if missing:
                raise _no_field(chunk.member, missing[0], chunk.fields)
            values = side.values(_keys(chunk, side.settings.on))
            names = list(chunk.fields)
            for name, column in zip(side.fields, values, strict=bool(chunk.count)):
                for row in chunk.broken:
                    column[row] = ""
                wanted = new = side.settings.prefix + name
                times = 1
                while new in chunk.columns:
                    times += 1
                    new = f"{wanted}#{times}"
                chunk.columns[new] = column
                names.append(new)
            chunk.fields = tuple(names)
            chunk.clean = chunk.clean and side.clean

    def notes(self) -> list[Note]:
        """What was noticed of the files as a whole."""
        notes = []
        for side in self._sides:
            name = side.settings.member
            if side.doubled:
                notes.append(Note("10004.join_doubled", value=name, params={"found": str(side.doubled)}))
            if side.unmatched:
                notes.append(Note("10004.join_unmatched", value=name, params={"found": str(side.unmatched)}))
        return notes


def _keys(chunk: LegacyChunk, on: Sequence[str]) -> list[Key]:
    return list(zip(*([value.strip() for value in chunk.columns[name]] for name in on), strict=True))


def _no_field(member: str, name: str, fields: Sequence[str]) -> UnreadablePayload:
    return unreadable(
        f"“{member}”缺少用来合并的列“{name}”；现有：{'、'.join(fields[:20])}",
        f'"{member}" has no column "{name}" to join on; there are: {", ".join(fields[:20])}',
        "请补上该列；列名有变的，请运维人员修改该接入的 join 设置",
        "add the column, or have the operator change 'join' for this connection",
    )
