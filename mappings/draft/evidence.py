"""What speaks for one field being one element: its name, its name inside its group, its values, the terms it is in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mappings.draft.fit import SPEAKS, fit, role
from mappings.draft.names import EXACT, called_like, likeness, same
from mappings.draft.profile import Profile
from mappings.draft.sample import Sample
from mappings.draft.structure import bare, ends_term, starts_term
from standards.model import DataSet, Element

Codes = Callable[[str], Mapping[str, str]]

#: What values of a sort that hardly is anything else are worth without any name.
_BY_VALUE = {"licence": 0.6, "basis": 0.55, "document": 0.5, "certificate": 0.45, "phone": 0.5, "name": 0.35}
#: What a name in a group counts without the name of the group, and names that only say what sort they are.
_INNER, _BARE, _BARE_INNER = 0.93, 0.82, 0.66
_DECIDES, _BEGINS, _ENDS = 0.72, 0.82, 0.82


@dataclass(frozen=True, slots=True)
class Evidence:
    """How sure, and by what."""

    confidence: float
    said: str = ""
    #: Whether the names are the very same.
    exact: bool = False


def weigh(field: str, sample: Sample, element: Element, dataset: DataSet, codes: Codes) -> Evidence:
    """All that speaks for and against, as one confidence from 0 to 1."""
    seen = sample.profiles[field]
    name = _name(field, sample, element, dataset, codes)
    values = _values_alone(seen, element, dataset)
    if values > name.confidence:
        name = Evidence(values)
    if name.confidence < 0.3:
        return _term(field, sample, element, dataset, Evidence(0.0))
    if not seen.known:
        worth = 0.97 if seen.count == 0 or name.exact else 0.85
        return Evidence(
            name.confidence * worth, name.said + ("" if seen.count == 0 else "；样例中为空 empty"), name.exact
        )
    found = fit(seen, element, dataset, codes)
    factor = max(found.factor, 0.9) if name.exact else found.factor
    sure = name.confidence * factor if factor < 1 else 1 - (1 - name.confidence) * (2 - factor)
    said = "；".join(filter(None, [name.said, f"取值 values: {found.said}" if found.said else ""]))
    return _term(field, sample, element, dataset, Evidence(sure, said, name.exact))


def _name(field: str, sample: Sample, element: Element, dataset: DataSet, codes: Codes) -> Evidence:
    found = likeness(field, element)
    best = Evidence(found.score, f"名称 name: {field} ~ {found.to}", found.score >= EXACT)
    inner = sample.inner.get(field)
    if inner:
        found = likeness(inner, element)
        if found.score * _INNER > best.confidence:
            best = Evidence(found.score * _INNER, f"名称 name: {inner} ~ {found.to}")
    for form, worth in ((field, _BARE), (inner or "", _BARE_INNER)):
        meant = bare(form, dataset)
        if element.id in meant:
            sure = worth if element.id == meant[0] else worth - 0.1
            if sure > best.confidence:
                best = Evidence(sure, f"名称 name: {form}，本数据集的主项 the main one of the data set")
    if element.identified_by and "代表人" not in element.title:
        alike = 0.97 * called_like(field, _own_kinds(element, dataset, codes))
        if alike > best.confidence:
            best = Evidence(alike, f"名称 name: {field} 是证件名称 is a kind of certificate")
    return best


def _own_kinds(element: Element, dataset: DataSet, codes: Codes) -> list[str]:
    """The kinds of certificate that no other element of the data set holds."""
    kinds = codes(dataset.by_id[element.identified_by or ""].list or "").values()
    others = [e.title for e in dataset.elements if e.id != element.id]
    return [kind for kind in kinds if not any(same(kind, title) for title in others)]


def _values_alone(seen: Profile, element: Element, dataset: DataSet) -> float:
    """What the values say where no name speaks."""
    kind = role(element, dataset)
    worth = _BY_VALUE.get(kind, 0.0)
    if not worth or not seen.known or seen.share(*SPEAKS[kind]) < 0.9:
        return 0.0
    if kind in ("name", "certificate") and element.id not in (dataset.subject.name, dataset.subject.code):
        return 0.0
    others = [e for e in dataset.from_sender if e.id != element.id and role(e, dataset) == kind]
    return worth - 0.1 if others and kind not in ("name", "certificate") else worth


def _term(field: str, sample: Sample, element: Element, dataset: DataSet, by_name: Evidence) -> Evidence:
    """What the other dates of the sample say of a date."""
    begins, ends = sample.starts(field), sample.ends(field)
    if begins is None and ends is None:
        return by_name
    pair = ends or begins
    assert pair is not None
    if ends_term(element):
        if ends is None:
            return Evidence(by_name.confidence * 0.6, by_name.said)
        said = f"取值 values: 总比{pair.start}晚整 {pair.years} 年 whole years after it"
        return max(Evidence(_ENDS, said), by_name, key=lambda e: e.confidence)
    if starts_term(element, dataset):
        if begins is None:
            return by_name if by_name.confidence >= 0.9 else Evidence(by_name.confidence * 0.6, by_name.said)
        said = f"取值 values: 总比{pair.end}早整 {pair.years} 年 whole years before it"
        worth = _DECIDES if element.id == dataset.event_date else _BEGINS
        if by_name.confidence < worth:
            return Evidence(worth, said)
        return Evidence(1 - (1 - by_name.confidence) * 0.7, f"{by_name.said}；{said}")
    return by_name
