"""Finding and reading mapping files: site folder, then the adapters' packages, then built in."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from mappings.grammar import CrosswalkFile, MappingFile
from standards import yaml_text
from standards.errors import BadConfiguration, UnknownName
from standards.yaml_text import Document, Problem

BUILT_IN = Path(__file__).parent


@dataclass(slots=True)
class Loaded:
    """One mapping file as it was read, right or wrong."""

    name: str
    path: Path
    document: Document
    file: MappingFile | None
    crosswalks: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with it so far."""
        return self.document.problems


def read_mapping(name: str, path: Path) -> Loaded:
    """Read one mapping file with its crosswalk files; mistakes are in `problems`."""
    document = yaml_text.read(path.read_text("utf-8"), path.name)
    file = yaml_text.validate(document, MappingFile)
    loaded = Loaded(name, path, document, file)
    for walk, content in (file.crosswalks if file else {}).items():
        if isinstance(content, CrosswalkFile):
            loaded.crosswalks[walk] = _read_crosswalk(path.parent / content.file, document, walk)
        else:
            loaded.crosswalks[walk] = dict(content)
    return loaded


def _read_crosswalk(path: Path, document: Document, walk: str) -> dict[str, str]:
    if not path.is_file():
        document.complain(("crosswalks", walk), f"no file {path.name} beside the mapping")
        return {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if rows and not {"source", "code"} <= set(rows[0]):
        document.complain(("crosswalks", walk), f"{path.name} needs the columns source and code")
        return {}
    return {row["source"]: row["code"] for row in rows}


class MappingFolders:
    """The search path of mappings.  A name is `<system>/<file>` without the ending."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self.folders = (*folders, BUILT_IN)

    def names(self) -> list[str]:
        """Every mapping that can be found."""
        found: dict[str, None] = {}
        for folder in self.folders:
            for path in sorted(folder.glob("*/*.yaml")):
                if not path.name.endswith((".cases.yaml", ".out.yaml")):
                    found.setdefault(f"{path.parent.name}/{path.stem}")
        return sorted(found)

    def path(self, name: str) -> Path:
        """Where a mapping stands; raises UnknownName with the near name."""
        for folder in self.folders:
            path = folder / f"{name}.yaml"
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                return path
        near = get_close_matches(name, self.names(), 1, 0.5)
        raise UnknownName(
            f"no mapping {name}",
            what_zh=f"没有名为 {name} 的映射",
            hint=f"did you mean {near[0]}?" if near else "see: hub mapping show",
            hint_zh=f"是不是 {near[0]}？" if near else None,
        )

    def load(self, name: str) -> Loaded:
        """Read a mapping by name."""
        return read_mapping(name, self.path(name))


def refuse(problems: Iterable[Problem], what: str) -> None:
    """Raise BadConfiguration with every problem, if there is one."""
    told = list(problems)
    if told:
        raise BadConfiguration(
            f"{what}: {len(told)} mistake(s)\n" + "\n".join(str(p) for p in told), what_zh=f"{what}：{len(told)} 处错误"
        )
