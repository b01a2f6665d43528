"""Which files may be taken: their sender has finished writing them.  Pure: no clock, no folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from adapters.file.folder import Entry

#: What office programs, browsers, transfer tools and people leave while a file is not finished.
_UNFINISHED_HEADS = (".", "~$", "~")
_UNFINISHED_TAILS = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", ".swx", ".lock", "~")


def unfinished(name: str) -> bool:
    """Whether a name says that the file is hidden, temporary or still on its way."""
    return name.startswith(_UNFINISHED_HEADS) or name.lower().endswith(_UNFINISHED_TAILS)


def wanted(name: str, patterns: Sequence[str], ignore: Sequence[str]) -> bool:
    """Whether a file of this name is to be taken; letter case does not matter."""
    low = name.lower()
    if unfinished(name) or any(fnmatchcase(low, p.lower()) for p in ignore):
        return False
    return any(fnmatchcase(low, p.lower()) for p in patterns)


def marker_of(name: str, markers: Sequence[str], names: Iterable[str]) -> str | None:
    """The marker file that says `name` is complete: `a.csv.ok` or `a.ok` for `a.csv`; None when there is none."""
    there = {n.lower(): n for n in names}
    stem = name.rpartition(".")[0] or name
    for marker in markers:
        for candidate in (f"{name}{marker}", f"{stem}{marker}"):
            if found := there.get(candidate.lower()):
                return found
    return None


@dataclass(slots=True)
class Looks:
    """Remembers what files looked like: size and time must stay the same over two looks this far apart."""

    quiet: timedelta
    _seen: dict[str, tuple[int, int, datetime]] = field(default_factory=dict)

    def quiet_ones(self, entries: Iterable[Entry], now: datetime) -> list[Entry]:
        """Those that have not changed for long enough; what is no longer there is forgotten."""
        seen: dict[str, tuple[int, int, datetime]] = {}
        ready = []
        for entry in entries:
            before = self._seen.get(entry.name)
            same = before is not None and before[:2] == (entry.size, entry.modified_ns)
            since = before[2] if before is not None and same else now
            seen[entry.name] = (entry.size, entry.modified_ns, since)
            if now - since >= self.quiet and (same or not self.quiet):
                ready.append(entry)
        self._seen = seen
        return ready
