"""Builds the reference tables of `standards/codelists/` from openly stated facts: divisions, industries, types.

    python -m tools.import_codes <folder with the downloaded code tables> [<target folder>]

The folder is `../shared/data/codes` of the development machine; what each file is, and under which licence, is in
`standards/codelists/SOURCES.md`.  Running it again writes the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from openpyxl import load_workbook

HEADER = ("code", "name", "level", "parent", "valid_from", "valid_to", "source")
_PERIOD = re.compile(r"^(?:\[(?P<since>\d*)-(?P<until>\d*)\])?(?P<name>[^\[\]]+)$")
#: A heading that groups units directly under the province (or the districts of a municipality); no unit itself.
_GROUPING = re.compile(r"直辖县级|^市辖区$|^县$|^林区$")
#: loc.dat has these in traditional characters.
_SIMPLIFIED = str.maketrans("達區嶺呼中松", "达区岭呼中松")
#: In loc.dat without years, and in no list since 2007: withdrawn before, the year is not in the sources.
_GONE_BEFORE_2007 = {"422900", "422921", "429001"}
#: Given out a second time; loc.dat has the first time only.
_REUSED = {"139001"}
#: Two cities of Hebei that the list of 2016 has under new codes; today they have their old ones again.
_ONLY_2016 = {"139001", "139002"}


@dataclass(frozen=True, order=True)
class Period:
    """One name of one code over years; both ends belong to it, '' is open or not known."""

    code: str
    since: str
    until: str
    name: str
    source: str


def periods_with_years(path: Path) -> list[Period]:
    """python-stdnum's loc.dat: `  0103 county="[-2010]崇文区"`, several periods joined with a comma."""
    found = []
    head = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if province := re.match(r'^(\d\d) province="', line):
            head = province[1]
        elif county := re.match(r'^ +(\d{4}) county="(.*)"$', line):
            for part in county[2].split(","):
                period = _PERIOD.match(part)
                if period is None:
                    raise ValueError(f"{path.name}: {line!r} is not understood")
                code = head + county[1]
                until = "2006" if code in _GONE_BEFORE_2007 else period["until"] or ""
                name = period["name"].translate(_SIMPLIFIED)
                found.append(Period(code, period["since"] or "", until, name, "stdnum"))
        elif line and not line.startswith("#"):
            raise ValueError(f"{path.name}: {line!r} is not understood")
    return found


def from_lists(lists: dict[str, dict[str, str]], known: Iterable[Period]) -> list[Period]:
    """What the three dated lists hold and the periods do not: valid from the first list to the last that has it."""
    have = {p.code for p in known} - _REUSED
    found = []
    years = sorted(lists)
    for code in sorted({c for held in lists.values() for c in held} - have):
        last = max(y for y in years if code in lists[y])
        first = min(y for y in years if code in lists[y])
        open_end = last == years[-1] and code not in _ONLY_2016
        since = "" if first == years[0] else first[:4]
        found.append(Period(code, since, "" if open_end else last[:4], lists[last][code], "gb2260"))
    return found


def zones(path: Path, known: Iterable[Period]) -> list[Period]:
    """Development zones with a statistical code: not in GB/T 2260, but in daily use as one."""
    have = {p.code for p in known}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [Period(r["code"], "", "", r["name"], "china-division") for r in rows if r["code"] not in have]


def division_rows(source: Path) -> list[tuple[str, ...]]:
    """Every period of every code with level and parent; the parent is looked up, never cut."""
    lists = {
        p.stem.split("_")[1]: json.loads(p.read_text(encoding="utf-8")) for p in sorted(source.glob("gb2260_*.json"))
    }
    periods = [Period("100000", "", "", "中华人民共和国", "own")]
    periods += periods_with_years(source / "county_codes_with_validity_years.dat")
    periods += from_lists(lists, periods)
    periods += zones(source / "divisions_areas.csv", periods)
    groupings = {p.code for p in periods if p.code.endswith("00") and _GROUPING.search(p.name)}
    have = {p.code for p in periods}
    rows = []
    for p in sorted(periods):
        level, parent = _place(p, groupings, have)
        rows.append((p.code, p.name, level, parent, p.since, p.until, p.source))
    return rows


def _place(period: Period, groupings: set[str], have: set[str]) -> tuple[str, str]:
    """Level and parent of a unit.

    A county-level unit whose "city" is only a heading (4290xx, the districts of a municipality) belongs to the
    province.
    """
    code = period.code
    province, city = code[:2] + "0000", code[:4] + "00"
    if code == "100000":
        return "nation", ""
    if code == province:
        return "province", "100000"
    if code == city:
        return ("grouping" if code in groupings else "city"), province
    parent = city if city in have and city not in groupings else province
    if period.source == "china-division":
        return "zone", parent
    return ("grouping" if period.name == "市辖区" else "county"), parent


def industry_rows(source: Path) -> list[tuple[str, ...]]:
    """GB/T 4754-2017: sections by letter, divisions, groups and classes by 2, 3 and 4 digits."""
    book = load_workbook(source / "market_entity_code_tables.xlsx", read_only=True)
    rows_held = book["industryphy"].iter_rows(min_row=2, max_col=4, values_only=True)
    table = [tuple(str(v) for v in row) for row in rows_held]
    letters = {letter: name for _, _, letter, name in table if letter != "Z"}
    four = {code: (name, letter) for code, name, letter, _ in table if letter != "Z"}
    rows: list[tuple[str, ...]] = [(letter, name, "section", "") for letter, name in sorted(letters.items())]
    for code, (name, letter) in sorted(four.items()):
        division, group = code[:2], code[:3]
        if code.endswith("00"):
            rows.append((division, name, "division", letter))
            if not any(c != code and c.startswith(division) for c in four):  # a division of one group of one class
                rows += [(division + "0", name, "group", division), (code, name, "class", division + "0")]
        elif code.endswith("0"):
            rows.append((group, name, "group", division))
            if not any(c != code and c.startswith(group) for c in four):
                rows.append((code, name, "class", group))
        else:
            rows.append((code, name, "class", group))
    return sorted(rows, key=lambda row: (len(row[0]) if row[0].isdigit() else 0, row[0]))


def plain_rows(source: Path, sheet: str) -> list[tuple[str, ...]]:
    """A sheet of codes and names."""
    book = load_workbook(source / "market_entity_code_tables.xlsx", read_only=True)
    rows = book[sheet].iter_rows(min_row=2, max_col=2, values_only=True)
    return [(str(code).strip(), str(name).strip()) for code, name in rows if code is not None]


def as_csv(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """The rows as CSV with plain line ends."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def build(source: Path) -> dict[str, str]:
    """File name to content of everything this tool makes."""
    return {
        "regions.csv": as_csv(HEADER, division_rows(source)),
        "industries.csv": as_csv(("code", "name", "level", "parent"), industry_rows(source)),
        "REF_ENTERPRISE_TYPE.csv": as_csv(("code", "name"), plain_rows(source, "enttype")),
        "REF_CURRENCY.csv": as_csv(("code", "name"), plain_rows(source, "currency")),
    }


def main(arguments: list[str]) -> int:
    """Write the files; 2 when the source folder is not there."""
    if not arguments or not (source := Path(arguments[0])).is_dir():
        print(__doc__)
        return 2
    home = Path(__file__).resolve().parent.parent / "standards" / "codelists"
    target = Path(arguments[1]) if len(arguments) > 1 else home
    for name, content in build(source).items():
        (target / name).write_text(content, encoding="utf-8")
        print(f"{name}: {content.count(chr(10)) - 1} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
