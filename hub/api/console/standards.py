"""The standard as a handbook, in both rooms: data sets, elements, code lists, with a search; and the calendars."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from hub import handbook
from hub.api.console.visit import Page, Viewer, Visit
from standards.clock import local
from standards.exports.asked import kind_in_words, need_in_words, size_in_words
from standards.model import DataSet

router = APIRouter(route_class=Page, prefix="/standards")

#: Codes of a list on one page.
_CODES = 500

Named = Annotated[str, Path(max_length=64)]
Words = Annotated[str, Query(max_length=100)]


@router.get("")
def standards(visit: Viewer, q: Words = "") -> Response:
    """Everything, or what holds the words."""
    found = handbook.found(visit.hub.generations.current().standard, q, visit.language)
    return visit.page("standards", "standards", q=q, found=found)


@router.get("/calendar")
def calendar(visit: Viewer) -> Response:
    """Which years' working days are known: terms need them."""
    known = visit.hub.deadlines.calendar
    year = local(visit.hub.clock.now()).year
    years = [(one, known.is_known(one)) for one in range(year - 2, max(year + 1, known.last_known_year()) + 1)]
    return visit.page("calendar", "standards", years=years)


@router.get("/lists/{name}")
def codelist(visit: Viewer, name: Named, q: Words = "", start: Annotated[int, Query(ge=0)] = 0) -> Response:
    """A code list."""
    held = visit.hub.generations.current().standard.codelist(name)
    words = q.casefold().split()
    fitting = [c for c in held.codes if all(w in f"{c.code} {c.name} {c.name_en}".casefold() for w in words)]
    more = start + _CODES if start + _CODES < len(fitting) else 0
    return visit.page("codelist", "standards", one=held, q=q, codes=fitting[start : start + _CODES], more=more)


@router.get("/{name}")
def dataset(visit: Viewer, name: Named) -> Response:
    """A data set: what every element asks, its rules, its key and term."""
    standard = visit.hub.generations.current().standard
    one, english = standard.dataset(name), visit.language == "en"
    return visit.page(
        "standard",
        "standards",
        one=one,
        title=(english and one.title_en) or one.title,
        key=[(english and one.by_id[k].title_en) or one.by_id[k].title for k in one.natural_key],
        elements=list(_elements(visit, one)),
        rules=[{"says": r.says_en if english else r.says, "fix": r.fix_en if english else r.fix} for r in one.rules],
    )


def _elements(visit: Visit, one: DataSet) -> list[dict[str, Any]]:
    standard, language = visit.hub.generations.current().standard, visit.language
    return [
        {
            "id": e.id,
            "title": (language == "en" and e.title_en) or e.title,
            "need": need_in_words(e, one, standard, language),
            "must": e.need == "must",
            "kind": kind_in_words(e, language),
            "size": size_in_words(e, language),
            "list": e.list or "",
            "personal": e.personal,
            "refers": e.refers.dataset if e.refers is not None else "",
            "note": e.note,
        }
        for e in one.elements
    ]
