"""The whole standard: data sets by version, code lists, divisions, industries; the site's own files win.

A folder on the search path may hold `datasets/*.yaml` (a data set, or another version of one), `codelists/<ID>.csv`
with an `index.yaml` (a code list, or one in place of ours) and `codelists/regions.csv` (further divisions).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from standards import yaml_text
from standards.divisions import Industries, Regions, read_industries, read_regions
from standards.errors import BadConfiguration, UnknownName
from standards.model import Code, CodeList, DataSet, Element
from standards.soundness import faults_of
from standards.yaml_text import Problem

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_TABLES = frozenset({"regions", "industries"})


class _Common(BaseModel):
    """The file `common.yaml`."""

    elements: tuple[Element, ...]


@dataclass(frozen=True)
class Standard:
    """Everything a data set refers to.  Immutable; shared by all threads of a generation."""

    #: id -> versions, the oldest first.
    versions: Mapping[str, tuple[DataSet, ...]]
    codelists: Mapping[str, CodeList]
    common: tuple[Element, ...]
    regions: Regions
    industries: Industries
    #: (data set id, version) or code list id -> the file it was read from.
    origins: Mapping[tuple[str, str] | str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[DataSet]:
        """Every data set in its newest version."""
        return iter(held[-1] for held in self.versions.values())

    def ids(self) -> list[str]:
        """The ids of all data sets."""
        return list(self.versions)

    def dataset(self, name: str, version: str | None = None, on: date | None = None) -> DataSet:
        """A data set: in that version, or as it was valid on that day, or the newest.

        Raises UnknownName with the near name.
        """
        held = self.versions.get(name)
        if held is None:
            raise _unknown("data set", "数据集", name, self.versions)
        if version is not None:
            for one in held:
                if one.version == version:
                    return one
            raise _unknown(f"version of {name}", f"数据集 {name} 的版本", version, [d.version for d in held])
        if on is None:
            return held[-1]
        valid = [d for d in held if d.valid_from <= on and (d.valid_to is None or on <= d.valid_to)]
        if not valid:
            raise UnknownName(f"{name} has no version valid on {on}", what_zh=f"数据集 {name} 在 {on} 没有有效版本")
        return valid[-1]

    def common_for(self, dataset: DataSet) -> tuple[Element, ...]:
        """The common elements that the data set does not define itself."""
        return tuple(e for e in self.common if e.id not in dataset.by_id)

    def elements(self, dataset: DataSet) -> tuple[Element, ...]:
        """Common and own elements, each id once; the data set's own definition wins."""
        return (*self.common_for(dataset), *dataset.elements)

    def codelist(self, name: str) -> CodeList:
        """A code list; raises UnknownName with the near name."""
        found = self.codelists.get(name)
        if found is None:
            raise _unknown("code list", "码表", name, self.codelists)
        return found

    def codes(self, list_id: str) -> Mapping[str, str]:
        """Code to name of a code list."""
        return self.codelist(list_id).names

    def region(self, code: str) -> str | None:
        """None when the division code is valid, else `unknown` or `withdrawn`."""
        return self.regions.state(code)

    def industry(self, code: str) -> bool:
        """True when the code is in GB/T 4754, with or without its letter."""
        return self.industries.known(code)

    def title(self, dataset: str, language: str = "zh") -> str:
        """The title of a data set; its id when there is none of that name."""
        held = self.versions.get(dataset)
        if held is None:
            return dataset
        return held[-1].title if language == "zh" else held[-1].title_en or held[-1].title


def _unknown(what: str, what_zh: str, name: str, known: Iterable[str]) -> UnknownName:
    near = get_close_matches(name, list(known), 1)
    return UnknownName(
        f"no {what} {name}",
        what_zh=f"没有{what_zh} {name}",
        hint=f"did you mean {near[0]}?" if near else None,
        hint_zh=f"是否为 {near[0]}？" if near else None,
    )


@cache
def built_in() -> Standard:
    """The standard as it comes with the hub."""
    return load(())


def load(site: Sequence[Path] = ()) -> Standard:
    """The standard with the site's folders, the first of which wins.

    Raises BadConfiguration that tells every mistake of every file, with its line and the near name.
    """
    folders = [Path(str(files("standards"))), *reversed(site)]
    reading = _Reading()
    for number, folder in enumerate(folders):
        reading.folder(folder, own=number == 0)
    standard = reading.standard()
    for name, held in standard.versions.items():
        for dataset in held:
            origin = standard.origins[name, dataset.version]
            reading.complain(origin, faults_of(dataset, standard))
    if reading.problems:
        raise _bad(reading.problems)
    return standard


def _bad(problems: list[Problem]) -> BadConfiguration:
    told = "\n".join(str(problem) for problem in sorted(problems, key=lambda p: (p.file, p.line)))
    return BadConfiguration(told, what_zh=f"标准定义有 {len(problems)} 处错误：\n{told}")


class _Reading:
    """Collects definitions and mistakes over the folders of the search path."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._datasets: dict[tuple[str, str], DataSet] = {}
        self._lists: dict[str, CodeList] = {}
        self._origins: dict[tuple[str, str] | str, str] = {}
        self._paths: dict[str, Path] = {}
        self._common: tuple[Element, ...] = ()
        self._regions = Regions(())
        self._industries = Industries(())

    def folder(self, folder: Path, own: bool) -> None:
        """Read one folder of the search path; `own` is the one that comes with the hub."""
        if own:
            read = self._model(folder / "common.yaml", _Common)
            self._common = read.elements if read is not None else ()
        for path in sorted((folder / "datasets").glob("*.yaml")):
            dataset = self._model(path, DataSet)
            if dataset is None:
                continue
            identity = (dataset.id, dataset.version)
            if identity in self._datasets and Path(self._origins[identity]).parent == path.parent:
                what = f"{dataset.id} version {dataset.version} is defined twice"
                self.problems.append(Problem(str(path), 1, what, f"the other is {Path(self._origins[identity]).name}"))
            self._datasets[identity] = dataset
            self._origins[identity] = str(path)
        self._codelists(folder / "codelists")

    def _model(self, path: Path, model: type[Any]) -> Any:
        """The file as a model; only when it is wrong is it read again, slowly, for the lines."""
        self._paths[str(path)] = path
        try:
            text = path.read_text(encoding="utf-8")
            return model.model_validate(yaml.load(text, Loader=_LOADER))  # noqa: S506 - a base loader makes text only
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(Problem(str(path), 1, str(error)))
            return None
        except (yaml.YAMLError, ValidationError):
            document = yaml_text.read(text, str(path))
            yaml_text.validate(document, model)
            self.problems += document.problems
            return None

    def _codelists(self, folder: Path) -> None:
        index_path = folder / "index.yaml"
        index: dict[str, dict[str, Any]] = {}
        if index_path.exists():
            document = yaml_text.read(index_path.read_text(encoding="utf-8"), str(index_path))
            self.problems += document.problems
            index = document.value or {}
        for path in sorted(folder.glob("*.csv")):
            if path.stem in _TABLES:
                self._table(path)
            else:
                self._codelist(path, index.pop(path.stem, None))
        for name in index:
            self.problems.append(Problem(str(index_path), 1, f"{name} has no file {name}.csv"))

    def _codelist(self, path: Path, words: dict[str, Any] | None) -> None:
        known = self._lists.get(path.stem)
        if words is None:
            # A site that only replaces the codes keeps title and mark of the list it replaces.
            words = known.model_dump(exclude={"codes"}) if known is not None else {}
        try:
            codes = _read_codes(path)
            self._lists[path.stem] = CodeList.model_validate({**words, "id": path.stem, "codes": codes})
            self._origins[path.stem] = str(path)
        except (OSError, ValueError) as error:  # also ValidationError
            told = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            hint = "say title, mark and source in index.yaml" if not words else ""
            self.problems.append(Problem(str(path), 1, told, hint))

    def _table(self, path: Path) -> None:
        try:
            if path.stem == "regions":
                self._regions = self._regions.merged(read_regions(path))
            else:
                self._industries = read_industries(path)
        except (OSError, ValueError) as error:
            self.problems.append(Problem(str(path), 1, str(error)))

    def standard(self) -> Standard:
        """What was read, with versions in the order of their validity."""
        versions: dict[str, list[DataSet]] = {}
        for (name, _), dataset in sorted(self._datasets.items(), key=lambda item: item[1].valid_from):
            versions.setdefault(name, []).append(dataset)
        for name, held in versions.items():
            for before, after in pairwise(held):
                if before.valid_from == after.valid_from:
                    origin = self._origins[name, after.version]
                    what = f"{name} has two versions from {after.valid_from}: {before.version} and {after.version}"
                    self.problems.append(Problem(origin, self._line(origin, "valid_from"), what))
        ordered = {name: tuple(versions[name]) for name in sorted(versions)}
        return Standard(ordered, self._lists, self._common, self._regions, self._industries, self._origins)

    def complain(self, origin: str, faults: Iterable[tuple[tuple[str | int, ...], str, str]]) -> None:
        """Note mistakes at paths of one file; the file is read for its lines only now."""
        document = None
        for path, what, hint in faults:
            document = document or yaml_text.read(self._paths[origin].read_text(encoding="utf-8"), origin)
            self.problems.append(Problem(origin, document.line(path), what, hint))

    def _line(self, origin: str, word: str) -> int:
        return yaml_text.read(self._paths[origin].read_text(encoding="utf-8"), origin).line((word,))


def _read_codes(path: Path) -> list[Code]:
    """The codes of a list; raises ValueError with the line that is wrong."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := {"code", "name"} - set(reader.fieldnames or ()):
            raise ValueError(f"columns missing: {', '.join(sorted(missing))}")
        if strange := set(reader.fieldnames or ()) - set(Code.model_fields):
            raise ValueError(f"unknown columns: {', '.join(sorted(strange))}")
        codes: dict[str, Code] = {}
        for row in reader:
            code = row["code"]
            if not code or not row["name"]:
                raise ValueError(f"line {reader.line_num}: code and name must both be given")
            if code in codes:
                raise ValueError(f"line {reader.line_num}: {code} stands twice")
            codes[code] = Code(**row)
    if not codes:
        raise ValueError("the list is empty")
    return list(codes.values())
