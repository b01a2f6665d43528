"""The flows that stand in `data/`: read once; every mistake is told with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from standards import yaml_text
from standards.errors import BadConfiguration, HubError, UnknownName
from standards.expressions import parse
from standards.flows.grammar import Flow, Opening
from standards.flows.moves import PARTY, REASON
from standards.model import DataSet
from standards.registry import built_in

_FOLDER = Path(str(files("standards.flows"))) / "data"


@cache
def flows() -> Mapping[str, Flow]:
    """Every flow by its name.  Raises BadConfiguration."""
    return MappingProxyType(read(_FOLDER))


def flow(name: str) -> Flow:
    """One flow.  Raises UnknownName with the near name."""
    found = flows().get(name)
    if found is None:
        near = get_close_matches(name, flows(), 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(flows())}"
        raise UnknownName(f"no flow {name}", what_zh=f"没有流程 {name}", hint=hint)
    return found


def read(folder: Path) -> dict[str, Flow]:
    """The flows of a folder.  Raises BadConfiguration with every mistake."""
    found: dict[str, Flow] = {}
    problems: list[yaml_text.Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        document = yaml_text.read(path.read_text("utf-8"), path.name)
        one = yaml_text.validate(document, Flow)
        if one is not None:
            if one.flow != path.stem:
                document.complain(("flow",), f"the file is called {path.stem}")
            for where, what in _faults(one):
                document.complain(where, what)
            found[one.flow] = one
        problems += document.problems
    if problems:
        told = "; ".join(map(str, problems))
        raise BadConfiguration(told, what_zh=f"流程定义有误：{told}")
    return found


def _faults(one: Flow) -> Iterator[tuple[yaml_text.Path, str]]:
    """Names of data sets and elements that are not there."""
    for dataset, opening in one.opened_by.items():
        where = ("opened_by", dataset)
        found = _dataset(dataset)
        if found is None:
            yield where, f"no data set {dataset}"
            continue
        for element in _elements(opening):
            if element not in found.by_id:
                yield where, f"{dataset} has no element {element}"
        if opening.when:
            try:
                parse(opening.when)
            except ValueError as error:
                yield where, f"when: {error}"
    answer = _dataset(one.answered_by) if one.answered_by else None
    if one.answered_by and answer is None:
        yield ("answered_by",), f"no data set {one.answered_by}"
    known = [answer] if answer else [d for name in one.opened_by if (d := _dataset(name))]
    for name, step in one.steps.items():
        opened = [element for opening in one.opened_by.values() for element in opening.fills]
        for element in (*step.needs, *(step.answers or ()), *one.fills, *opened):
            if element not in (PARTY, REASON) and not any(element in d.by_id for d in known):
                yield ("steps", name), f"the answer has no element {element}"
    yield from _codes(one, known)


def _codes(one: Flow, known: Sequence[DataSet]) -> Iterator[tuple[yaml_text.Path, str]]:
    """Codes that the flow itself gives and that are in no list."""
    for element, word in one.said_words():
        lists = {d.by_id[element].list for d in known if element in d.by_id} - {None}
        if not word.startswith("$") and lists and not any(word in built_in().codelist(n or "").names for n in lists):
            yield ("steps",), f"{element}: {word} is not in {', '.join(sorted(n or '' for n in lists))}"


def _dataset(name: str) -> DataSet | None:
    try:
        return built_in().dataset(name)
    except HubError:
        return None


def _elements(opening: Opening) -> Iterator[str]:
    words = (
        opening.number,
        opening.sender,
        opening.due,
        opening.item,
        opening.region,
        opening.industry,
        opening.assignees,
    )
    yield from (word for word in (*words, *opening.pair) if word)
