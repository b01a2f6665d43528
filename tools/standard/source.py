"""Reads DATASETS.md into plain tables, without judging them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_DATASET = re.compile(r"^### (?:\d+\. )?(?P<id>[a-z][a-z0-9_]*) (?P<title>.+)$")
_CODE_LIST = re.compile(r"^### (?P<id>CL_[A-Z0-9_]+) (?P<title>.+)$")
_FACT = re.compile(r"^- (?P<word>National table or source|Purpose|Direction|Update deadline|Key|Note): (?P<text>.+)$")
_MARK = re.compile(r"^Mark (?P<mark>[abc](?:/[abc])*); source (?P<source>.+)\.$")
_ELEMENT_HEAD = ("Element id", "中文名称", "Type", "Max", "Obl.", "Code list", "Source")


@dataclass(frozen=True)
class Row:
    """One line of an element table, as it stands."""

    id: str
    title: str
    type: str
    max: str
    obligation: str
    list: str
    source: str


@dataclass
class Table:
    """One data set, or the common elements."""

    id: str
    title: str
    control: bool
    facts: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)


@dataclass
class Codes:
    """One code list."""

    id: str
    title: str
    mark: str = ""
    source: str = ""
    codes: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Source:
    """Everything the file holds."""

    common: Table
    tables: list[Table] = field(default_factory=list)
    lists: list[Codes] = field(default_factory=list)
    #: Finding codes: code, meaning, kind.
    findings: list[tuple[str, str, str]] = field(default_factory=list)
    #: data sets, control sets, elements, code lists, codes as the file itself counts them.
    counts: tuple[int, ...] = ()


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def read(path: Path) -> Source:
    """The tables of the file; a line that looks like a table row and fits none is an error."""
    source = Source(common=Table("common", "公共数据项", control=False))
    table: Table | None = None
    codes: Codes | None = None
    section = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("## "):
            section = line[3:]
            table, codes = (source.common, None) if section == "Common elements" else (None, None)
        elif found := _CODE_LIST.match(line):
            table, codes = None, Codes(found["id"], found["title"])
            source.lists.append(codes)
        elif found := _DATASET.match(line):
            table, codes = Table(found["id"], found["title"], control=section.startswith("Control")), None
            source.tables.append(table)
        elif line.startswith("|"):
            if not _row(source, table, codes, _cells(line), section):
                raise ValueError(f"{path.name}:{number}: {line} fits no table")
        elif table is not None and (found := _FACT.match(line)):
            table.facts[found["word"]] = found["text"]
        elif codes is not None and (found := _MARK.match(line)):
            codes.mark, codes.source = found["mark"], found["source"]
        elif section == "Counts" and (numbers := re.findall(r"\d+", line)) and not source.counts:
            source.counts = tuple(int(n) for n in numbers)
        elif line.startswith("Own error codes"):
            table = None
            section = "error codes"
    return source


def _row(source: Source, table: Table | None, codes: Codes | None, cells: tuple[str, ...], section: str) -> bool:
    """Put a row where it belongs; False when it belongs nowhere."""
    if cells[0].startswith("---") or cells in (_ELEMENT_HEAD, ("Code", "Name"), ("Code", "Meaning", "Kind")):
        return True
    if codes is not None and len(cells) == 2:
        codes.codes.append((cells[0], cells[1]))
    elif section == "error codes" and len(cells) == 3:
        source.findings.append((cells[0], cells[1], cells[2]))
    elif table is not None and len(cells) == 7:
        table.rows.append(Row(*cells))
    else:
        return section == "Core data sets" and (cells[0] == "#" or cells[0].isdigit())
    return True
