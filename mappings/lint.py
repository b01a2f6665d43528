"""Everything that can be wrong with a mapping, found before it runs: every mistake, with line and near name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches

from mappings.grammar import ElementSpec, MappingFile
from mappings.load import Loaded
from standards.errors import HubError
from standards.expressions import parse
from standards.model import DataSet, Element, FilledBy, Kind
from standards.yaml_text import Path

#: Common elements a sender may give; the others belong to the hub or the receiver.
_SENDER_COMMON = {"record_unique_identity", "cd_operation", "owner_org_code", "remark", "signature", "event_date"}
_NUMERIC = (Kind.DECIMAL, Kind.INT)
_DATES = (Kind.DATE, Kind.DATETIME)


def lint(
    loaded: Loaded,
    dataset: DataSet | None,
    common: Sequence[Element],
    codes: Callable[[str], Mapping[str, str]],
    functions: Iterable[str] = (),
) -> None:
    """Add what is wrong with a mapping to its problems.  `dataset` is None when there is none of that name."""
    file = loaded.file
    if file is None:
        return
    if dataset is None:
        loaded.document.complain(("dataset",), f"no data set {file.dataset}", "see: hub standard list")
        return
    _Lint(loaded, file, dataset, common, codes, tuple(functions)).run()


class _Lint:
    def __init__(
        self,
        loaded: Loaded,
        file: MappingFile,
        dataset: DataSet,
        common: Sequence[Element],
        codes: Callable[[str], Mapping[str, str]],
        functions: tuple[str, ...],
    ) -> None:
        self.loaded = loaded
        self.file = file
        self.dataset = dataset
        self.codes = codes
        self.functions = functions
        self.known = {e.id: e for e in (*(c for c in common if c.id in _SENDER_COMMON), *dataset.elements)}

    def complain(self, path: Path, what: str, hint: str = "") -> None:
        self.loaded.document.complain(path, what, hint)

    def run(self) -> None:
        for name, spec in self.file.elements.items():
            element = self.known.get(name)
            if element is None:
                self._unknown_element(name)
            else:
                self._element(("elements", name), element, spec)
        self._missing()
        self._crosswalks()
        self._ignored()

    def _unknown_element(self, name: str) -> None:
        by_title = {e.title: e.id for e in self.known.values()}
        near = by_title.get(name) or next(iter(get_close_matches(name, [*self.known, *by_title], 1, 0.5)), None)
        near = by_title.get(str(near), near)
        self.complain(
            ("elements", name), f"{self.dataset.id} has no element {name}", f"did you mean {near}?" if near else ""
        )

    def _element(self, path: Path, element: Element, spec: ElementSpec) -> None:
        if element.filled_by is FilledBy.RECEIVER:
            self.complain(path, f"{element.id} is filled by the receiver, not by the sender")
        for word, source in (("expr", spec.expr), ("when", spec.when)):
            if source is not None:
                self._expression((*path, word), source)
        if spec.pattern is not None:
            self._pattern((*path, "pattern"), spec.pattern)
        if spec.date and element.type not in _DATES:
            self.complain((*path, "date"), f"{element.id} is {element.type}, not a date")
        for form in spec.date:
            self._date_format((*path, "date"), form)
        if spec.unit and element.type not in _NUMERIC:
            self.complain((*path, "unit"), f"{element.id} is {element.type}, not an amount")
        if spec.split and element.type is not Kind.LIST:
            self.complain((*path, "split"), f"{element.id} holds one value, not a list")
        self._constants(path, element, spec)
        if spec.codes is not None:
            self._codes((*path, "codes"), element, spec.codes)

    def _expression(self, path: Path, source: str) -> None:
        try:
            parse(source, None, self.functions)
        except HubError as error:
            self.complain(path, error.what, error.hint or "")

    def _pattern(self, path: Path, pattern: str) -> None:
        try:
            re.compile(pattern)
        except re.error as error:
            self.complain(path, f"not a regular expression: {error}")
            return
        if re.search(r"[+*}]\)?[+*{]", pattern):
            self.complain(path, "a repetition of a repetition can take for ever", "make the inner part match one thing")

    def _date_format(self, path: Path, form: str) -> None:
        if form in ("auto", "excel"):
            return
        sample = datetime(2026, 3, 31, 14, 5, 6)  # noqa: DTZ001 - only to try the pattern
        try:
            back = datetime.strptime(sample.strftime(form), form)  # noqa: DTZ007
        except ValueError as error:
            self.complain(path, f"not a date format: {form}", str(error))
            return
        if back.date() != sample.date():
            self.complain(path, f"the format {form} does not hold year, month and day")

    def _constants(self, path: Path, element: Element, spec: ElementSpec) -> None:
        if element.list is None or element.type is Kind.TEXT:  # the list of a text holds only for some records
            return
        allowed = self.codes(element.list)
        for word, value in (("const", spec.const), ("default", spec.default)):
            if value and any(v not in allowed and v not in allowed.values() for v in value.split(";")):
                self.complain((*path, word), f"{value} is not in {element.list}", _few(allowed))

    def _codes(self, path: Path, element: Element, name: str) -> None:
        if name == "strict":
            if element.list is None:
                self.complain(path, f"{element.id} has no code list to be strict about")
            return
        if name not in self.file.crosswalks:
            near = get_close_matches(name, self.file.crosswalks, 1, 0.5)
            self.complain(path, f"no crosswalk {name} in this file", f"did you mean {near[0]}?" if near else "")
            return
        allowed = self.codes(element.list) if element.list else None
        for word, code in self.loaded.crosswalks.get(name, {}).items():
            if allowed is not None and code and code not in allowed:
                self.complain(
                    ("crosswalks", name, word), f"{word} → {code}, but {element.list} has no {code}", _few(allowed)
                )

    def _missing(self) -> None:
        for element in self.dataset.elements:
            demanded = element.need == "must" and element.filled_by is FilledBy.SENDER
            mapped = element.id in self.file.elements
            if demanded and not mapped and element.id not in self.file.lacks:
                self.complain(
                    ("elements",),
                    f"must-element {element.id} {element.title} is not mapped",
                    "map it, or say under 'lacks' why the system cannot give it",
                )
        for name in self.file.lacks:
            if name not in self.known:
                self._unknown_element(name)
            elif name in self.file.elements:
                self.complain(("lacks", name), f"{name} is mapped and said to be lacking")

    def _crosswalks(self) -> None:
        used = {spec.codes for spec in self.file.elements.values()}
        for name in self.file.crosswalks:
            if name not in used:
                self.complain(("crosswalks", name), f"no element uses the crosswalk {name}")

    def _ignored(self) -> None:
        read = {f for spec in self.file.elements.values() for f in spec.fields}
        for i, name in enumerate(self.file.ignore):
            if name in read:
                self.complain(("ignore", i), f"{name} is read and ignored")


def _few(allowed: Mapping[str, str]) -> str:
    return "codes: " + ", ".join(list(allowed)[:12]) + (" …" if len(allowed) > 12 else "")
