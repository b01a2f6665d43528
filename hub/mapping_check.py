"""A mapping looked through without a running hub: found, linted, compiled, its cases run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.generations import functions_of, mapping_folders, mild_codes
from mappings import cases as case_runner
from mappings import compile as compiler
from mappings.lint import lint
from mappings.load import Loaded, read_mapping
from standards.checker import Checker
from standards.errors import BadConfiguration, UnknownName
from standards.model import DataSet
from standards.registry import Standard


@dataclass(slots=True)
class Linted:
    """A mapping as it was read, with every mistake; `dataset` is None where there is none of that name."""

    loaded: Loaded
    dataset: DataSet | None


@dataclass(frozen=True, slots=True)
class Tried:
    """How one case went, or why there is none; right when `wrong` is empty."""

    case: str
    wrong: tuple[str, ...] = ()


def find(name: str, standard: Standard, site: Path | None = None) -> Linted:
    """A mapping by its name on the search path, or by its file.  Raises UnknownName with the near name."""
    path = Path(name)
    if path.suffix == ".yaml" and path.is_file():
        return linted(read_mapping(f"{path.resolve().parent.name}/{path.stem}", path), standard)
    return linted(mapping_folders(site).load(name), standard)


def linted(loaded: Loaded, standard: Standard) -> Linted:
    """With every mistake among its problems."""
    if loaded.file is None:
        return Linted(loaded, None)
    try:
        dataset = standard.dataset(loaded.file.dataset, loaded.file.dataset_version)
    except UnknownName as error:
        loaded.document.complain(("dataset",), error.what, error.hint or "")
        return Linted(loaded, None)
    lint(loaded, dataset, standard.common_for(dataset), standard.codes, functions_of(standard))
    return Linted(loaded, dataset)


def program_of(found: Linted, standard: Standard) -> compiler.Program:
    """Compiled without any operator's answers.  Raises BadConfiguration when it has mistakes."""
    loaded, dataset = found.loaded, found.dataset
    if loaded.file is None or dataset is None or loaded.problems:
        told = "\n".join(map(str, loaded.problems))
        raise BadConfiguration(
            f"the mapping {loaded.name} is wrong\n{told}",
            what_zh=f"映射 {loaded.name} 有误\n{told}",
            hint="hub mapping lint",
        )
    return compiler.build(
        loaded.name,
        loaded.file,
        dataset,
        standard.common_for(dataset),
        standard.codes,
        crosswalks=loaded.crosswalks,
        functions=functions_of(standard),
    )


def checker_of(dataset: DataSet, standard: Standard) -> Checker:
    """What judges a sender's records of a data set."""
    return Checker(dataset, standard, common=standard.common_for(dataset), mild=mild_codes())


def cases_of(found: Linted, standard: Standard) -> Iterator[Tried]:
    """Run the cases beside a mapping; mistakes in the mapping or in the file of cases come as one that is wrong."""
    if found.loaded.problems or found.dataset is None:
        yield Tried("", tuple(map(str, found.loaded.problems)))
        return
    path = case_runner.cases_path(found.loaded.path)
    if not path.is_file():
        yield Tried("", (f"no cases: {path.name} is not there",))
        return
    program = program_of(found, standard)
    outcomes, problems = case_runner.run_cases(path, program, checker_of(found.dataset, standard))
    for problem in problems:
        yield Tried("", (str(problem),))
    for one in outcomes:
        yield Tried(one.case, tuple(f"{path.name}:{one.line}: {wrong}" for wrong in one.wrong))
