"""A mapping compiled into one function over the columns of a chunk.  The generated source can be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from mappings.convert import CodeWords, tidy, tidy_lines
from mappings.grammar import ElementSpec, MappingFile
from mappings.plan import ALWAYS_NULL, Column, crosswalk_of, steps_of
from standards.checker import UNREADABLE, Fault
from standards.expressions import FUNCTIONS, SUPPORT, parse, text
from standards.model import DataSet, Element, Kind

Columns = Mapping[str, list[str]]


@dataclass(slots=True)
class Translated:
    """The records of one chunk in the standard's words, as columns."""

    columns: dict[str, list[str]]
    faults: list[Fault]
    #: Fields of the sender that are neither mapped nor left out on purpose.
    unknown_fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Program:
    """A mapping ready to run.  Not shared between threads: it remembers values."""

    name: str
    file: MappingFile
    dataset: DataSet
    #: Generated Python, for the reader.
    source: str
    #: Element -> the sender's field(s) it comes from, for findings.
    labels: dict[str, str]
    #: The same, one by one: a `first of` has several, of which a hand-over may hold only one.
    sources: dict[str, tuple[str, ...]]
    #: Every field of the sender that the mapping reads.
    fields: frozenset[str]
    #: Groups of fields of which one must be there, with the element they feed.
    wanted: tuple[tuple[str, tuple[str, ...]], ...]
    _function: Callable[[Callable[..., list[str]], list[str], int], Iterator[tuple[str, list[str], list[str]]]]
    _converters: dict[str, Any] = field(default_factory=dict)

    def run(self, columns: Columns, count: int) -> Translated:
        """Translate `count` legacy records given as columns of text."""
        out: dict[str, list[str]] = {}
        faults: list[Fault] = []
        for element, raw, converted in self.steps(columns, count):
            out[element] = converted
            converter = self._converters[element]
            if isinstance(converter, Column) and converter.wrong:
                faults.extend(Fault(row, element, code, v, params) for row, v, code, params in converter.told(raw))
        return Translated(out, faults, self.unknown(columns))

    def fields_here(self, element: str, columns: Columns) -> tuple[str, ...]:
        """The sender's fields an element comes from, those that are there; all of them where none is."""
        used = self.sources.get(element, ())
        return tuple(name for name in used if name in columns) or used

    def steps(self, columns: Columns, count: int) -> Iterator[tuple[str, list[str], list[str]]]:
        """Element by element: its name, the sender's text, the element's text."""
        return self._function(columns.get, [""] * count, count)

    def unknown(self, fields: Iterator[str] | Columns | Sequence[str]) -> tuple[str, ...]:
        """Which of the sender's fields the mapping neither reads nor leaves out on purpose."""
        return tuple(
            name
            for name in fields
            if name not in self.fields and not any(fnmatchcase(name, pattern) for pattern in self.file.ignore)
        )


class _PlainText:
    """Free text without further steps: blanks cut off, null words emptied, at the speed of C."""

    def __init__(self, nulls: frozenset[str], lines: bool) -> None:
        self._nulls = nulls
        self._tidy = tidy_lines if lines else tidy
        self._breaks = ("\r",) if lines else ("\n", "\r", "\t")

    def __call__(self, column: list[str]) -> list[str]:
        result = [value.strip() for value in column]
        if not self._nulls.isdisjoint(result):
            result = ["" if value in self._nulls else value for value in result]
        joined = "".join(result)
        if any(sign in joined for sign in self._breaks):
            result = [self._tidy(value) for value in result]
        return result


class _Rows:
    """An expression over columns; a row it cannot be asked of gives UNREADABLE."""

    def __init__(self, source: str, names: tuple[str, ...], functions: Mapping[str, Callable[..., object]]) -> None:
        expression = parse(source, names, functions)
        self.names = expression.names
        self._one = expression.function(functions)

    def __call__(self, columns: list[list[str]], count: int) -> list[object]:
        if not columns:
            return [self._safe(())] * count
        try:
            return list(map(self._one, *columns))
        except (TypeError, ValueError):
            return [self._safe(values) for values in zip(*columns, strict=True)]

    def _safe(self, values: tuple[str, ...]) -> object:
        try:
            return self._one(*values)
        except (TypeError, ValueError):
            return UNREADABLE


#: Words of a spec that only say where the text comes from, not what is done to it.
_ONLY_SOURCE = {"from_", "first", "join", "with_", "const", "expr", "when", "nulls", "note"}


def _is_plain(element: Element, spec: ElementSpec) -> bool:
    """True when the element is free text and nothing but tidying is done to it."""
    free = element.type in (Kind.TEXT, Kind.LONGTEXT) and element.identified_by is None and element.list is None
    return free and spec.model_fields_set <= _ONLY_SOURCE


class _Writer:
    """Writes the generated function and collects what it needs."""

    def __init__(self, nulls: frozenset[str], functions: Mapping[str, Callable[..., object]]) -> None:
        self.nothing = ALWAYS_NULL | nulls
        self.functions = functions
        self.lines: list[str] = ["def translate(get, absent, count):"]
        self.namespace: dict[str, Any] = {"first_of": self._first_of, "joined": self._joined, "text_of": _text_of}
        self._cleaned: dict[str, str] = {}

    def _first_of(self, columns: list[list[str]]) -> list[str]:
        nothing = self.nothing
        return [
            next((v for v in values if v.strip() and v.strip() not in nothing), "")
            for values in zip(*columns, strict=True)
        ]

    def _joined(self, between: str, columns: list[list[str]]) -> list[str]:
        nothing = self.nothing
        return [
            between.join(s for v in values if (s := v.strip()) and s not in nothing)
            for values in zip(*columns, strict=True)
        ]

    def clean(self, name: str) -> str:
        """The variable that holds a field without blanks and null words, for expressions."""
        if name not in self._cleaned:
            variable = f"f{len(self._cleaned)}"
            self._cleaned[name] = variable
            self.namespace["clean"] = _PlainText(self.nothing, lines=True)
            self.lines.append(f"    {variable} = clean(get({name!r}, absent))")
        return self._cleaned[name]

    def expression(self, source: str) -> tuple[str, tuple[str, ...]]:
        """Python that gives the values of an expression, and the fields it reads."""
        rows = _Rows(source, parse(source, None, self.functions).names, self.functions)
        key = f"x{len(self.namespace)}"
        self.namespace[key] = rows
        variables = [self.clean(name) for name in rows.names]
        return f"{key}([{', '.join(variables)}], count)", rows.names

    def element(self, element: Element, spec: ElementSpec) -> tuple[str, ...]:
        """Write the lines of one element; returns the fields it reads."""
        used: tuple[str, ...] = spec.fields
        if spec.from_ is not None:
            source = f"get({spec.from_!r}, absent)"
        elif spec.first is not None:
            source = f"first_of([{', '.join(f'get({n!r}, absent)' for n in spec.first)}])"
        elif spec.join is not None:
            source = f"joined({spec.with_!r}, [{', '.join(f'get({n!r}, absent)' for n in spec.join)}])"
        elif spec.const is not None:
            source = f"[{spec.const!r}] * count"
        else:
            inner, used = self.expression(spec.expr or "")
            source = f"text_of({inner})"
        if spec.when is not None:
            condition, names = self.expression(spec.when)
            source = f"[v if w else '' for v, w in zip({source}, {condition})]"
            used = (*used, *names)
        origin = "、".join(dict.fromkeys(used)) or "constant"
        self.lines.append(f"    s = {source}  # {element.title} ← {origin}")
        self.lines.append(f"    yield {element.id!r}, s, k[{element.id!r}](s)")
        return used


def _text_of(values: list[object]) -> list[str]:
    return [v if isinstance(v, str) else text(v) for v in values]


def build(
    name: str,
    file: MappingFile,
    dataset: DataSet,
    common: Sequence[Element],
    codes: Callable[[str], Mapping[str, str]],
    *,
    crosswalks: Mapping[str, Mapping[str, str]],
    answers: Mapping[str, Mapping[str, str]] | None = None,
    functions: Mapping[str, Callable[..., object]] | None = None,
) -> Program:
    """Compile a checked mapping (lint it first; a wrong one raises KeyError or BadExpression here).

    `codes` gives a code list by id; `answers` are the operator's, by crosswalk name, and win over `crosswalks`.
    """
    functions = functions or {}
    known = {e.id: e for e in (*common, *dataset.elements)}
    nulls = frozenset(file.nulls)
    writer = _Writer(nulls, functions)
    converters: dict[str, Any] = {}
    labels: dict[str, str] = {}
    sources: dict[str, tuple[str, ...]] = {}
    fields: dict[str, None] = {}
    wanted: list[tuple[str, tuple[str, ...]]] = []
    for element_id, spec in file.elements.items():
        element = known[element_id]
        used = writer.element(element, spec)
        fields.update(dict.fromkeys(used))
        sources[element_id] = tuple(dict.fromkeys(used))
        labels[element_id] = "、".join(sources[element_id])
        if spec.fields and spec.default is None:
            wanted.append((element_id, tuple(spec.fields)))
        if _is_plain(element, spec):
            converters[element_id] = _PlainText(
                ALWAYS_NULL | nulls | frozenset(spec.nulls), element.type is Kind.LONGTEXT
            )
        else:
            words = _words(element, spec, crosswalks, answers or {}, codes)
            converters[element_id] = Column(steps_of(element, spec, nulls, words))
    if not file.elements:
        writer.lines.append("    pass")
    source = "\n".join(writer.lines) + "\n"
    namespace: dict[str, Any] = {
        "__builtins__": {"zip": zip},
        **SUPPORT,
        **FUNCTIONS,
        **writer.namespace,
        "k": converters,
    }
    exec(compile(source, f"<mapping {name}>", "exec"), namespace)  # noqa: S102 - written above from checked parts
    return Program(
        name,
        file,
        dataset,
        source,
        labels,
        sources,
        frozenset(fields),
        tuple(wanted),
        namespace["translate"],
        converters,
    )


def _words(
    element: Element,
    spec: ElementSpec,
    crosswalks: Mapping[str, Mapping[str, str]],
    answers: Mapping[str, Mapping[str, str]],
    codes: Callable[[str], Mapping[str, str]],
) -> CodeWords | None:
    listed = codes(element.list) if element.list else None
    if element.list is None and spec.codes is None:
        return None
    return crosswalk_of(element, spec, crosswalks, answers, listed)
