"""A drafted mapping as text: each line with its confidence and reason, code pairs, what could not be placed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mappings.draft.cases import cases_text
from mappings.draft.pairs import Pairs, pairs
from mappings.draft.place import HIGH, Placement, place
from mappings.draft.sample import Sample, look_at
from mappings.draft.spec import certificate_type, day_or_month, quoted, spec
from standards.checker import Checker
from standards.model import DataSet, Element, FilledBy

_MIDDLE = 0.6


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal; everything in it is to be looked through by a person."""

    placements: tuple[Placement, ...]
    #: Fields of the sample that fit no element.
    unplaced: tuple[str, ...]
    #: Must-elements of the sender that no field feeds.
    missing: tuple[Element, ...]
    #: Crosswalk -> value of the sample -> proposed code and its name; '' where nothing is like it.
    pairs: Mapping[str, Pairs]
    mapping: str
    cases: str


def draft(
    title: str,
    columns: Mapping[str, Sequence[str]],
    dataset: DataSet,
    common: Sequence[Element],
    codes: Callable[[str], Mapping[str, str]],
    checker: Checker,
    read_options: Mapping[str, object] | None = None,
) -> Draft:
    """Propose a mapping of a sample, given as columns of text, to a data set."""
    sample = look_at(columns)
    placed = place(sample, dataset, codes, common)
    held = {p.element.id: found for p in placed if (found := pairs(p.element, sample.profiles[p.field], codes))}
    text = _Text(sample, dataset, codes, placed, held)
    lines = [*_head(title, dataset, read_options or {}), *text.lines()]
    mapping = "\n".join(lines) + "\n"
    cases = cases_text(mapping, columns, dataset, common, codes, checker)
    return Draft(tuple(placed), text.unplaced, text.missing, held, mapping, cases)


def _head(title: str, dataset: DataSet, read_options: Mapping[str, object]) -> Iterator[str]:
    yield "# 由样例自动起草，请逐行核对。Drafted from a sample; look through every line."
    yield "# 行尾为把握程度和依据：高（≥0.80）通常正确；中、低请人工确认。Behind each line: how sure, and by what."
    yield f"mapping: {quoted(title)}"
    yield f"dataset: {dataset.id}"
    if read_options:
        yield "read:"
        yield from (f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in read_options.items())


class _Text:
    """The body of the mapping."""

    def __init__(
        self,
        sample: Sample,
        dataset: DataSet,
        codes: Callable[[str], Mapping[str, str]],
        placed: Sequence[Placement],
        held: Mapping[str, Pairs],
    ) -> None:
        self.sample = sample
        self.dataset = dataset
        self.placed: dict[str, list[Placement]] = {}
        for p in placed:
            self.placed.setdefault(p.element.id, []).append(p)
        self.held = held
        fields = {p.field for p in placed}
        self.unplaced = tuple(name for name in sample.profiles if name not in fields)
        self.kinds = dict(self._certificate_types(codes))
        fed = {*self.placed, *self.kinds}
        self.missing = tuple(
            e for e in dataset.elements if e.need == "must" and e.filled_by is FilledBy.SENDER and e.id not in fed
        )

    def lines(self) -> Iterator[str]:
        """In the order of the grammar."""
        nothings = sorted({n for seen in self.sample.profiles.values() for n in seen.nothings})
        if nothings:
            yield f"nulls: [{', '.join(map(quoted, nothings))}]  # 表示“无”的写法 what only says that there is nothing"
        yield "elements:" if self.placed else "elements: {}"
        yield from self._elements()
        if self.held:
            yield "crosswalks:  # 左边是对方的写法，右边是建议的代码，请核对 their words and the proposed codes"
            yield from self._crosswalks()
        if self.missing:
            yield "lacks:"
            for e in self.missing:
                yield f"  {e.id}: 样例中没有与“{e.title}”对应的字段，请向对方确认或按实际填写"
        if self.unplaced:
            yield "ignore:  # 未能对应的字段，请逐个确认后再忽略 not placed: look at each before leaving it out"
            yield from (f"  - {quoted(_plain(name))}{self._example(name)}" for name in self.unplaced)

    def _elements(self) -> Iterator[str]:
        order = [e.id for e in self.dataset.elements]
        order += [name for name in self.placed if name not in order]
        for name in order:
            if name in self.placed:
                placed = self.placed[name]
                p = placed[0]
                said = f"{p.element.title} · {_degree(p.confidence)} {p.confidence:.2f} · {_one_line(p.reason)}"
                if day_or_month(self.sample.profiles[p.field]):
                    said += "；日月次序不明 day and month may be swapped"
                yield f"  {name}: {spec(placed, self.sample.profiles, bool(self.held.get(name)))}  # {said}"
            elif name in self.kinds:
                yield f"  {name}: {{expr: {quoted(self.kinds[name])}}}  # 按证件号码的字段 by the field of the number"

    def _certificate_types(self, codes: Callable[[str], Mapping[str, str]]) -> Iterator[tuple[str, str]]:
        """Elements that say the kind of a certificate, where the fields of the numbers tell it."""
        for name, placed in self.placed.items():
            kind = self.dataset.by_id.get(placed[0].element.identified_by or "")
            if kind is None or kind.id in self.placed or not kind.list or name not in self.dataset.by_id:
                continue
            text = certificate_type(placed, self.sample.profiles, codes(kind.list))
            if text:
                yield kind.id, text

    def _crosswalks(self) -> Iterator[str]:
        for name, held in self.held.items():
            known = any(code for code, _ in held.values())
            yield f"  {name}:" if known else f"  {name}: {{}}"
            for value, (code, meaning) in held.items():
                if code:
                    yield f"    {quoted(value)}: {quoted(code)}  # {meaning}？请核对 check"
                else:
                    yield f"    # {quoted(value)}: 待定 not known"

    def _example(self, field: str) -> str:
        """How many cells of a field that was not placed are filled, so that one sees what would be lost."""
        seen = self.sample.profiles[field]
        if not seen.count:
            return ""
        return f"  # {seen.filled:.0%} 有值，{seen.distinct} 种 filled, different values"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(name: str) -> str:
    """A field name in `ignore`, where * and ? mean more than themselves."""
    return name.replace("*", "?")


def _degree(confidence: float) -> str:
    return "高" if confidence >= HIGH else "中" if confidence >= _MIDDLE else "低"
