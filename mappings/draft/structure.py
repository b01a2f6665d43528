"""What the sample as a whole says of one field: a group it belongs to, a name without a subject, a pair of dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from mappings.convert import Wrong, as_date
from mappings.draft.fit import role
from mappings.draft.looks import DATE_FORMATS, is_nothing
from mappings.draft.words import only_sort, tokens, words_of
from standards.model import DataSet, Element, Kind

#: Fields that begin alike before the beginning counts as the name of a group.
_GROUP = 3
_DATES = (Kind.DATE, Kind.DATETIME)
#: How long terms usually are.
_YEARS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two fields of dates of which the second is whole years after the first: a term of validity."""

    start: str
    end: str
    years: int
    share: float


def groups(fields: Sequence[str]) -> dict[str, str]:
    """Field -> its name without the beginning that several fields share, as in epsName, epsAddress, epsCode."""
    starts = Counter(parts[0].lower() for parts in map(_parts, fields) if len(parts) > 1)
    return {
        field: "".join(parts[1:]) if parts[1][:1].isupper() else " ".join(parts[1:])
        for field, parts in ((f, _parts(f)) for f in fields)
        if len(parts) > 1 and starts[parts[0].lower()] >= _GROUP
    }


@cache
def _parts(field: str) -> tuple[str, ...]:
    """The pieces of a name; of a Chinese one its first two characters and the rest."""
    parts = tokens(field)
    if len(parts) == 1 and len(field) > 3 and not field.isascii():
        return (field[:2], field[2:])
    return parts


def bare(name: str, dataset: DataSet) -> tuple[str, ...]:
    """The elements a name means that says only what sort of thing it is: date, name, 编号."""
    words = words_of(name)
    if not words or not only_sort(words):
        return ()
    sorts = [w.senses for w in words if w.weight >= 0.2]

    def says(example: str) -> bool:
        return all(senses & words_of(example)[0].senses for senses in sorts)

    if says("日期"):
        return (dataset.event_date,) if dataset.event_date else ()
    if says("名称"):
        return (dataset.subject.name,) if dataset.subject.name else ()
    if says("单位"):
        authorities = [e.id for e in dataset.from_sender if e.need == "must" and role(e, dataset) == "authority"]
        return (*filter(None, [dataset.subject.name]), *authorities[:1])
    if says("编号"):
        keys = [dataset.by_id[k] for k in dataset.natural_key]
        return tuple(e.id for e in keys if role(e, dataset) == "number")[:1]
    return ()


def terms(columns: Mapping[str, Sequence[str]]) -> list[Pair]:
    """The fields that look like begin and end of a term, the clearest first."""
    days = {name: parsed for name, values in columns.items() if (parsed := _days(values)) is not None}
    found = []
    for start, from_ in days.items():
        for end, until in days.items():
            if start == end:
                continue
            both = [(a, b) for a, b in zip(from_, until, strict=True) if a and b]
            if len(both) < 3 or len({b for _, b in both}) < 2:
                continue
            years = Counter(y for a, b in both if (y := _whole_years(a, b)))
            if years and sum(years.values()) >= 0.8 * len(both):
                found.append(Pair(start, end, years.most_common(1)[0][0], sum(years.values()) / len(both)))
    return sorted(found, key=lambda p: -p.share)


def _days(values: Sequence[str]) -> list[date | None] | None:
    """The values as days; None where they are no dates."""
    looked = values[:300]
    days = [_day(v) for v in looked]
    there = sum(not is_nothing(v) for v in looked)
    return days if there and sum(d is not None for d in days) >= 0.8 * there else None


def _day(value: str) -> date | None:
    for form in ("auto", *DATE_FORMATS):
        try:
            return date.fromisoformat(as_date(value, (form,)))
        except (Wrong, ValueError):
            continue
    return None


def _whole_years(a: date, b: date) -> int:
    """Years from a to b when they are whole, a day more or less; else 0."""
    years = round((b - a).days / 365.25)
    return years if years in _YEARS and abs((b - a).days - 365.25 * years) <= 3 else 0


def ends_term(element: Element) -> bool:
    """Whether an element is the last day of something."""
    return element.type in _DATES and element.title.endswith(("至", "止", "届满日期", "截止期", "有效期"))


def starts_term(element: Element, dataset: DataSet) -> bool:
    """Whether an element is the first day of a term, or the day of the decision that starts it."""
    return element.type in _DATES and (element.title.endswith(("自", "起")) or element.id == dataset.event_date)
