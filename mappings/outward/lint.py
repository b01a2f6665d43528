"""Mistakes in an outward form: every one, with line and near name."""

from __future__ import annotations

from difflib import get_close_matches
from fnmatch import fnmatchcase

from mappings.outward.load import LoadedForm
from standards.model import DataSet, Element
from standards.yaml_text import Problem


def lint_form(loaded: LoadedForm, dataset: DataSet, common: tuple[Element, ...]) -> list[Problem]:
    """Everything that is wrong with a form, besides its grammar."""
    document, file = loaded.document, loaded.file
    if file is None:
        return document.problems
    known = {e.id for e in (*common, *dataset.elements)}
    used: set[str] = set()
    for column, spec in file.columns.items():
        for name in spec.elements:
            used.add(name)
            if name not in known:
                near = get_close_matches(name, known, 1)
                document.complain(
                    ("columns", column),
                    f"{dataset.id} has no element {name}",
                    f"did you mean {near[0]}?" if near else "",
                )
        if spec.codes is not None and spec.codes not in file.crosswalks:
            near = get_close_matches(spec.codes, list(file.crosswalks), 1)
            document.complain(
                ("columns", column), f"no crosswalk {spec.codes}", f"did you mean {near[0]}?" if near else ""
            )
    walks = {spec.codes for spec in file.columns.values()}
    for name in file.crosswalks:
        if name not in walks:
            document.complain(("crosswalks", name), f"the crosswalk {name} is not used")
    for name in file.key:
        if name not in file.columns:
            near = get_close_matches(name, list(file.columns), 1)
            document.complain(("key",), f"no column {name}", f"did you mean {near[0]}?" if near else "")
    for element in dataset.elements:
        if element.id not in used and not any(fnmatchcase(element.id, pattern) for pattern in file.omit):
            document.complain(("omit",), f"{element.id} is neither a column nor left out on purpose", element.title)
    if file.answer.lines and not (file.answer.key or file.answer.row):
        document.complain(("answer", "lines"), "a line must name its row: 'key' or 'row'")
    return document.problems
