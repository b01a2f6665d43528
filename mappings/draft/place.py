"""Which field is which element: names, values and the sample as a whole weighed together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mappings.draft.evidence import Evidence, weigh
from mappings.draft.fit import SPEAKS, role
from mappings.draft.names import twins
from mappings.draft.sample import Sample
from standards.model import DataSet, Element

#: From here on a line is proposed as certain; below `LOW` it is not proposed at all.
HIGH, LOW = 0.8, 0.4
#: What is said only because nothing else is left is never certain.
_LEFT = 0.6
#: Two that are closer than this are rivals.
_NEAR = 0.06
_COMMON = ("remark", "record_unique_identity")


@dataclass(frozen=True, slots=True)
class Placement:
    """A field on an element."""

    field: str
    element: Element
    confidence: float
    #: By what: names, values, the sample as a whole.
    reason: str = ""
    #: Whether the names are the very same.
    exact: bool = False

    @property
    def certain(self) -> bool:
        """True when it is proposed as right."""
        return self.confidence >= HIGH


def place(
    sample: Sample, dataset: DataSet, codes: Callable[[str], Mapping[str, str]], common: Sequence[Element] = ()
) -> list[Placement]:
    """The best placements, the most certain first; fields and elements that fit nothing are left out.

    A field may feed two elements that are called by the same words, and several fields that name certificates of
    different kinds may feed one element.
    """
    scored = sorted(_scored(sample, dataset, codes, common), key=lambda p: (-p.confidence, p.field, p.element.id))
    chosen = _chosen(scored)
    settled = [_doubted(one, scored, chosen) for one in chosen]
    settled += _by_what_is_left(settled, sample, dataset)
    settled += _twins(settled, sample, dataset)
    return sorted(settled, key=lambda p: -p.confidence)


def _scored(
    sample: Sample, dataset: DataSet, codes: Callable[[str], Mapping[str, str]], common: Sequence[Element]
) -> Iterator[Placement]:
    elements = [*dataset.from_sender, *(e for e in common if e.id in _COMMON and not _has_remark(e, dataset))]
    for field in sample.profiles:
        for element in elements:
            found: Evidence = weigh(field, sample, element, dataset, codes)
            if found.confidence >= LOW:
                sure, reason = found.confidence, found.said
                if _only_ones(field, element, sample, dataset):
                    sure, reason = (
                        1 - (1 - sure) * 0.7,
                        f"{reason}；两边都只有这一个 the only one of its sort on both sides",
                    )
                yield Placement(field, element, sure, reason, found.exact)


def _only_ones(field: str, element: Element, sample: Sample, dataset: DataSet) -> bool:
    """Whether no other field has values of this sort and no other element wants them."""
    kind = role(element, dataset)
    looks = SPEAKS.get(kind, ())
    if kind in ("", "number") or sample.profiles[field].share(*looks) < 0.8:
        return False
    return not any(seen.share(*looks) >= 0.4 for name, seen in sample.profiles.items() if name != field) and not any(
        role(e, dataset) == kind for e in dataset.from_sender if e.id != element.id
    )


def _has_remark(common: Element, dataset: DataSet) -> bool:
    return any(e.title == common.title for e in dataset.elements)


def _chosen(scored: Sequence[Placement]) -> list[Placement]:
    """Each element gets the field that fits best, each field one element."""
    fields: set[str] = set()
    taken: set[str] = set()
    chosen = []
    several: set[str] = set()
    for one in scored:
        if one.field not in fields and (one.element.id not in taken or one.element.id in several):
            if one.element.id in several and one.confidence < HIGH:
                continue
            if one.element.identified_by and one.certain:
                several.add(one.element.id)  # certificates of other kinds: the first that has a value counts
            fields.add(one.field)
            taken.add(one.element.id)
            chosen.append(one)
    return chosen


def _doubted(one: Placement, scored: Sequence[Placement], chosen: Sequence[Placement]) -> Placement:
    """Less sure where a rival is near, another element for this field or another field for this element.

    One that is better placed elsewhere is no rival.
    """
    of_field = {p.field: p for p in chosen}
    of_element = {p.element.id: p for p in chosen}

    def elsewhere(rival: Placement) -> bool:
        there = of_field.get(rival.field) if rival.field != one.field else of_element.get(rival.element.id)
        return there is not None and there.confidence > rival.confidence + 0.02

    for p in scored:
        if (p.field == one.field) == (p.element.id == one.element.id) or p.confidence <= one.confidence - _NEAR:
            continue
        if (one.exact and not p.exact) or elsewhere(p) or (p.field == one.field and twins(p.element, one.element)):
            continue
        if p.field != one.field and one.element.identified_by and p.certain:
            continue
        rival = p.element.title if p.field == one.field else p.field
        return replace(one, confidence=one.confidence * 0.85, reason=f"{one.reason}；也可能是 or else {rival}")
    return one


def _by_what_is_left(settled: Sequence[Placement], sample: Sample, dataset: DataSet) -> Iterator[Placement]:
    """A must-element nothing feeds, and the only field left whose values are of its sort."""
    fields = {p.field for p in settled}
    fed = {p.element.id for p in settled}
    free = [e for e in dataset.from_sender if e.need == "must" and e.id not in fed]
    for kind, looks in SPEAKS.items():
        wanting = [e for e in free if role(e, dataset) == kind]
        left = [f for f, seen in sample.profiles.items() if f not in fields and seen.share(*looks) >= 0.8]
        if kind != "number" and len(wanting) == 1 and len(left) == 1:
            fields.add(left[0])
            reason = f"取值；唯一未对应的同类字段 values, the only field of its sort left: {kind}"
            yield Placement(left[0], wanting[0], _LEFT, reason)


def _twins(settled: Sequence[Placement], sample: Sample, dataset: DataSet) -> Iterator[Placement]:
    """The same field for a must-element that is called by the same words and has none.

    Not certain where another field, not placed yet, holds values of the same sort.
    """
    fed = {p.element.id for p in settled}
    placed = {p.field for p in settled}
    wanting = [e for e in dataset.from_sender if e.need == "must" and e.id not in fed and not e.list]
    for element in wanting:
        alike = [p for p in settled if p.element.type is element.type and twins(element, p.element)]
        one = max(alike, key=lambda p: p.confidence, default=None)
        if one is None or one.confidence < HIGH - 0.1:
            continue
        looks = SPEAKS.get(role(element, dataset), ())
        left = looks and any(s.share(*looks) >= 0.5 for f, s in sample.profiles.items() if f not in placed)
        said = f"与{one.element.title}同一字段 the same field as {one.element.id}"
        yield Placement(one.field, element, min(one.confidence * 0.99, _LEFT if left else 1), said)
