"""Which field is which element: names and values weighed together, each element and each field used once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mappings.draft.names import likeness, twins
from mappings.draft.profile import Profile
from standards.model import DataSet, Element, Kind

#: From here on a line is proposed as certain; below `LOW` it is not proposed at all.
HIGH, LOW = 0.8, 0.4
#: From here on a field and an element bear the same name.
_SAME = 0.95

_LOOK_OF = {
    Kind.USCC: "uscc",
    Kind.DATE: "date",
    Kind.DATETIME: "date",
    Kind.DECIMAL: "number",
    Kind.INT: "whole",
    Kind.REGION: "region",
    Kind.ITEM: "item",
    Kind.ID_NUMBER: "id_number",
}
#: Kinds whose text may take many forms that a mapping converts.
_LENIENT = (Kind.REGION, Kind.ITEM)


@dataclass(frozen=True, slots=True)
class Placement:
    """A field on an element."""

    field: str
    element: Element
    confidence: float

    @property
    def certain(self) -> bool:
        """True when it is proposed as right."""
        return self.confidence >= HIGH


def place(
    profiles: Mapping[str, Profile], dataset: DataSet, codes: Callable[[str], Mapping[str, str]]
) -> list[Placement]:
    """The best placements, the most certain first; fields and elements that fit nothing are left out."""
    scored = []
    elements: Sequence[Element] = dataset.from_sender
    for field, seen in profiles.items():
        rated = [(_confidence(field, seen, element, codes), element) for element in elements]
        for confidence, element in rated:
            if confidence >= LOW:
                scored.append(Placement(field, element, confidence))
    scored.sort(key=lambda p: (-p.confidence, p.field, p.element.id))
    fields: set[str] = set()
    taken: set[str] = set()
    chosen = []
    for one in scored:
        if one.field in fields or one.element.id in taken:
            continue
        fields.add(one.field)
        taken.add(one.element.id)
        chosen.append(_doubted(one, scored))
    return sorted(chosen, key=lambda p: -p.confidence)


def _doubted(one: Placement, scored: Sequence[Placement]) -> Placement:
    """A placement with a near rival, another element for this field or another field for this element, is less sure."""
    rivals = [
        p.confidence
        for p in scored
        if (p.field == one.field) != (p.element.id == one.element.id)
        and p.confidence > one.confidence - 0.06
        and not (p.field == one.field and twins(p.element, one.element))
    ]
    return Placement(one.field, one.element, one.confidence * 0.85) if rivals else one


def _confidence(field: str, seen: Profile, element: Element, codes: Callable[[str], Mapping[str, str]]) -> float:
    name = likeness(field, element)
    if name < 0.3:
        return _by_values_alone(seen, element)
    if not seen.known:
        return name * (0.97 if seen.count == 0 else 0.8)
    fit = _fit(seen, element, codes)
    if name >= _SAME:  # called so, whatever stands in it: its values are faulty, not its name
        fit = max(fit, 0.85)
    return name * fit if fit < 1 else 1 - (1 - name) * (2 - fit)


def _fit(seen: Profile, element: Element, codes: Callable[[str], Mapping[str, str]]) -> float:
    """How well values suit an element: below 1 they speak against it, above 1 for it."""
    if element.type is Kind.CODE and element.list:
        known = codes(element.list)
        words = {*known, *known.values()}
        hits = sum(value in words for value in seen.common) / max(1, len(seen.common))
        if hits >= 0.6:
            return 1.5
        return 0.95 if seen.distinct <= 40 else 0.5
    look = _LOOK_OF.get(element.type)
    if look is not None:
        share = seen.share(look)
        if share >= 0.8:
            return 1.5
        if element.type in _LENIENT:
            return 0.9
        return 1.0 if share >= 0.4 else 0.35
    if element.type in (Kind.TEXT, Kind.LONGTEXT):
        if element.max and seen.longest > element.max:
            return 0.8
        if seen.share("date") > 0.9 and "date" not in element.id and "时间" not in element.title:
            return 0.5
        if seen.share("number") > 0.95 and ("name" in element.id or element.title.endswith(("名称", "姓名", "地址"))):
            return 0.4
    return 1.0


def _by_values_alone(seen: Profile, element: Element) -> float:
    """Where no name speaks: only what can hardly be anything else, and never as certain."""
    if element.type is Kind.USCC and seen.share("uscc") > 0.9 and element.id in ("uni_sc_id", "xk_xdr_shxym"):
        return 0.6
    if element.type is Kind.ITEM and seen.share("item") > 0.9:
        return 0.6
    return 0.0
