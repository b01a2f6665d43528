"""Administrative divisions (GB/T 2260) by year, and industries (GB/T 4754-2017)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path


class RegionLevel(StrEnum):
    """What a division code stands for."""

    NATION = "nation"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    ZONE = "zone"  # a development zone with a statistical code, not in GB/T 2260
    GROUPING = "grouping"  # a heading such as 市辖区 or 省直辖县级行政区划, no unit itself


@dataclass(frozen=True, slots=True)
class Region:
    """One division under one name."""

    code: str
    name: str
    level: RegionLevel
    #: The unit it belongs to; for a county directly under its province that is the province.
    parent: str
    #: First and last year of this code and name; None is open, or not known.
    valid_from: int | None
    valid_to: int | None

    def holds(self, year: int) -> bool:
        """Whether it existed under this code and name in that year."""
        return (self.valid_from or 0) <= year <= (self.valid_to or 9999)


class Regions:
    """All division codes, also the withdrawn ones; parents are looked up, never cut out of the code."""

    def __init__(self, regions: Iterable[Region]) -> None:
        self._by_code: dict[str, list[Region]] = {}
        for region in regions:
            self._by_code.setdefault(region.code, []).append(region)
        self._present = {code: held[-1] for code, held in self._by_code.items() if held[-1].valid_to is None}
        self._children: dict[str, list[str]] = {}
        for code, region in self._present.items():
            self._children.setdefault(region.parent, []).append(code)

    def __len__(self) -> int:
        return len(self._by_code)

    def merged(self, others: Regions) -> Regions:
        """These, with the codes of `others` in place of the same codes here."""
        held = {**self._by_code, **others._by_code}
        return Regions(region for code in sorted(held) for region in held[code])

    def get(self, code: str, on: int | date | None = None) -> Region | None:
        """The division in a year; without a year the present one, and of a withdrawn code the last."""
        held = self._by_code.get(code)
        if held is None:
            return None
        if on is None:
            return self._present.get(code, held[-1])
        year = on.year if isinstance(on, date) else on
        return next((region for region in reversed(held) if region.holds(year)), None)

    def known(self, code: str) -> bool:
        """Whether the code is or was ever given out."""
        return code in self._by_code

    def withdrawn(self, code: str) -> bool:
        """Whether the code was given out, but is not valid any more."""
        return code in self._by_code and code not in self._present

    def state(self, code: str) -> str | None:
        """None when the code is valid today, else `withdrawn` or `unknown`."""
        if code in self._present:
            return None
        return "withdrawn" if code in self._by_code else "unknown"

    def path(self, code: str, on: int | date | None = None) -> tuple[Region, ...]:
        """From the province down to the division itself; empty for a code that is not known."""
        found: list[Region] = []
        region = self.get(code, on) or self.get(code)
        while region is not None and region.level is not RegionLevel.NATION:
            found.append(region)
            region = self.get(region.parent, on) or self.get(region.parent)
        return tuple(reversed(found))

    def province(self, code: str) -> Region | None:
        """The province a division lies in."""
        path = self.path(code)
        return path[0] if path else None

    def full_name(self, code: str, on: int | date | None = None) -> str:
        """浙江省宁波市海曙区: the names of the path, without headings and without a name said twice."""
        path = self.path(code, on)
        if not path:
            found = self.get(code, on)
            return found.name if found is not None else ""
        names: list[str] = []
        for region in path:
            if region.level is RegionLevel.GROUPING and region is not path[-1]:
                continue
            if names and region.name.startswith(names[-1]):
                names.pop()
            names.append(region.name)
        return "".join(names)

    def children(self, code: str) -> list[str]:
        """The present codes directly below a division."""
        return list(self._children.get(code, ()))

    def present(self, level: RegionLevel) -> list[str]:
        """The present codes of one level."""
        return [code for code, region in self._present.items() if region.level is level]

    def within(self, code: str, area: str) -> bool:
        """Whether a division is `area` or lies in it."""
        return any(region.code == area for region in self.path(code))


def read_regions(path: Path) -> Regions:
    """The table `regions.csv`; raises ValueError with the line that is wrong."""
    found = []
    for line, row in _rows(path, ("code", "name", "level", "parent", "valid_from", "valid_to")):
        try:
            since, until = (int(row[c]) if row[c] else None for c in ("valid_from", "valid_to"))
            found.append(Region(row["code"], row["name"], RegionLevel(row["level"]), row["parent"], since, until))
        except ValueError as error:
            raise ValueError(f"{path.name}:{line}: {error}") from error
    return Regions(found)


@dataclass(frozen=True, slots=True)
class Industry:
    """One entry of GB/T 4754."""

    code: str
    name: str
    level: str
    parent: str


class Industries:
    """GB/T 4754-2017: a letter for the section, then 2, 3 or 4 digits.

    A code is accepted with its letter (C3912), without (3912) and filled up to four digits (3900), as all of
    these are in use; `canonical` gives the form with letter.
    """

    def __init__(self, industries: Iterable[Industry]) -> None:
        self._by_code = {i.code: i for i in industries}
        self._section: dict[str, str] = {}
        for code in self._by_code:
            top = code
            while self._by_code[top].parent:
                top = self._by_code[top].parent
            self._section[code] = top
        self._forms = dict(self._all_forms())

    def _all_forms(self) -> Iterable[tuple[str, str]]:
        for code in sorted(self._by_code, key=len):  # a class of its own wins over a group filled up to the same digits
            if code.isalpha():
                yield code, code
                continue
            full = code.ljust(4, "0")
            if full not in self._by_code:
                yield full, code
                yield self._section[code] + full, code
            yield code, code
            yield self._section[code] + code, code

    def known(self, code: str) -> bool:
        """Whether it is a code of the standard in any of the three forms."""
        return code in self._forms

    def get(self, code: str) -> Industry | None:
        """The entry, by any of the three forms."""
        return self._by_code.get(self._forms.get(code, ""))

    def canonical(self, code: str) -> str | None:
        """The form with the letter of the section, such as C391."""
        plain = self._forms.get(code)
        if plain is None:
            return None
        return plain if plain.isalpha() else self._section[plain] + plain

    def all(self) -> Mapping[str, Industry]:
        """Every entry by its plain code."""
        return self._by_code


def read_industries(path: Path) -> Industries:
    """The table `industries.csv`."""
    rows = _rows(path, ("code", "name", "level", "parent"))
    return Industries(Industry(r["code"], r["name"], r["level"], r["parent"]) for _, r in rows)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterable[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := set(columns) - set(reader.fieldnames or ()):
            raise ValueError(f"{path.name}:1: columns missing: {', '.join(sorted(missing))}")
        for row in reader:
            yield reader.line_num, row
