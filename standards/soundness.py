"""Whether a data set's definition holds together: every list, element, data set and code that it names exists."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Protocol

from standards.errors import BadConfiguration
from standards.expressions import parse
from standards.findings import catalogue
from standards.model import CodeList, DataSet, Element, Kind

#: Path in the file, what is wrong, what helps.
Fault = tuple[tuple[str | int, ...], str, str]

_UNFIT_FOR_KEYS = frozenset({Kind.LONGTEXT, Kind.JSON, Kind.LIST})


class Surroundings(Protocol):
    """What a data set may refer to."""

    @property
    def versions(self) -> Mapping[str, tuple[DataSet, ...]]:
        """Every data set."""
        ...

    @property
    def codelists(self) -> Mapping[str, CodeList]:
        """Every code list."""
        ...

    @property
    def common(self) -> tuple[Element, ...]:
        """The common elements."""
        ...


def faults_of(dataset: DataSet, standard: Surroundings) -> Iterator[Fault]:
    """Every mistake in one definition."""
    known = {e.id: e for e in (*standard.common, *dataset.elements)}
    for number, element in enumerate(dataset.elements):
        for path, what, hint in _element(element, known, standard):
            yield ("elements", number, *path), f"{element.id}: {what}", hint
    ids: set[str] = set()
    for number, rule in enumerate(dataset.rules):
        here = ("rules", number)
        if rule.id in ids:
            yield (*here, "id"), f"rule {rule.id} is defined twice", ""
        ids.add(rule.id)
        if rule.code not in catalogue():
            yield (*here, "code"), f"rule {rule.id}: no finding code {rule.code}", _near(rule.code, catalogue().codes())
        for what, hint in _condition(rule.when, known, standard):
            yield (*here, "when"), f"rule {rule.id}: {what}", hint
    for number, name in enumerate(dataset.natural_key):
        if known[name].type in _UNFIT_FOR_KEYS:
            yield ("natural_key", number), f"{name} is {known[name].type} and cannot be part of the key", ""
    if dataset.event_date and known[dataset.event_date].type not in (Kind.DATE, Kind.DATETIME):
        yield ("event_date",), f"{dataset.event_date} is no date", ""
    if dataset.valid_to is not None and dataset.valid_to < dataset.valid_from:
        yield ("valid_to",), "it ends before it begins", ""
    yield from _titles(dataset)


def _titles(dataset: DataSet) -> Iterator[Fault]:
    """Two elements of one title could not be told apart in a sheet."""
    seen: dict[str, str] = {}
    for number, element in enumerate(dataset.elements):
        if element.title in seen:
            what = f"{element.id}: the title {element.title} is also that of {seen[element.title]}"
            yield ("elements", number, "title"), what, ""
        seen.setdefault(element.title, element.id)


def _element(element: Element, known: Mapping[str, Element], standard: Surroundings) -> Iterator[Fault]:
    if element.list is not None and element.list not in standard.codelists:
        yield ("list",), f"no code list {element.list}", _near(element.list, standard.codelists)
    elif element.list is not None and element.max is not None:
        held = standard.codelists[element.list]
        if longer := [c.code for c in held.codes if len(c.code) > element.max]:
            yield ("max",), f"the code {longer[0]} of {element.list} is longer than {element.max}", ""
        if held.adapter_only:
            yield ("list",), f"{element.list} is for adapters only", ""
    if element.when is not None:
        for what, hint in _condition(element.when, known, standard):
            yield ("need",), what, hint
    if element.refers is not None:
        yield from _reference(element, known, standard)


def _reference(element: Element, known: Mapping[str, Element], standard: Surroundings) -> Iterator[Fault]:
    refers = element.refers
    assert refers is not None
    held = standard.versions.get(refers.dataset)
    if held is None:
        yield ("refers", "dataset"), f"no data set {refers.dataset}", _near(refers.dataset, standard.versions)
        return
    there = held[-1].by_id
    for name in (refers.element, *refers.along):
        if name not in there:
            yield ("refers", "element"), f"{refers.dataset} has no element {name}", _near(name, there)
    for name in refers.along.values():
        if name not in known:
            yield ("refers", "along"), f"no element {name}", _near(name, known)
    if refers.code not in catalogue():
        yield ("refers", "code"), f"no finding code {refers.code}", _near(refers.code, catalogue().codes())
    if refers.where:
        for what, hint in _condition(refers.where, there, standard):
            yield ("refers", "where"), what, hint


def _condition(text: str, known: Mapping[str, Element], standard: Surroundings) -> Iterator[tuple[str, str]]:
    """An expression that cannot be parsed, names what is not there, or compares with a code that is not in the list."""
    try:
        parse(text, known)
    except BadConfiguration as error:
        yield error.what, error.hint or ""
        return
    for node in ast.walk(ast.parse(text.strip(), mode="eval")):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name):
            if all(isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in node.ops):
                yield from _codes(known[node.left.id], node.comparators, standard)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "contains":
            first = node.args[0]
            if isinstance(first, ast.Name):
                yield from _codes(known[first.id], node.args[1:], standard)


def _codes(element: Element, values: list[ast.expr], standard: Surroundings) -> Iterator[tuple[str, str]]:
    held = standard.codelists.get(element.list or "")
    if held is None or Kind.CODE not in (element.type, element.of):
        return
    for constant in (n for value in values for n in ast.walk(value) if isinstance(n, ast.Constant)):
        for code in str(constant.value).split(";") if element.of else [str(constant.value)]:
            if code and code not in held.names:
                yield f"{code!r} is not a code of {element.list}, which {element.id} has", _near(code, held.names)


def _near(name: str, known: Mapping[str, object] | list[str]) -> str:
    found = get_close_matches(name, list(known), 1)
    return f"did you mean {found[0]}?" if found else ""
