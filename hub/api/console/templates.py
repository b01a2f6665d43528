"""What a sender fills in: the Excel template, a filled sample and the handbook page of each of her data sets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from hub.api.console.entry import title_of
from hub.api.console.visit import Page, Viewer, Visit, sheet
from hub.entry import connections
from standards.clock import local
from standards.exports import workbook
from standards.exports.asked import kind_in_words, need_in_words, size_in_words
from standards.model import DataSet
from standards.rights import Right
from standards.samples import Samples

router = APIRouter(route_class=Page)

Named = Annotated[str, Query(max_length=64)]
#: Sample rows of a filled workbook, and codes of a list that are printed.
_ROWS, _CODES = 3, 60


@router.get("/templates")
def templates(visit: Viewer) -> Response:
    """Everything the party reports, and what helps to fill it in."""
    generation = visit.hub.generations.current()
    typed = connections(generation.settings, visit.party) if visit.holder.may(Right.HAND_OVER) else {}
    mine: dict[str, list[str]] = {}
    for name, said in generation.settings.connections.items():
        if said.party == visit.party and (taken := generation.dataset_of(name)):
            mine.setdefault(taken, []).append(said.title or name)
    rows = []
    for name, through in sorted(mine.items()):
        dataset = generation.standard.dataset(name)
        rows.append(
            {
                "id": name,
                "title": title_of(visit, dataset),
                "through": through,
                "days": dataset.deadline.working_days,
                "typed": name in typed,
            }
        )
    return visit.page("templates", "templates", rows=rows)


@router.get("/sample.xlsx")
def sample(visit: Viewer, dataset: Named) -> Response:
    """The template with a few invented rows filled in."""
    standard = visit.hub.generations.current().standard
    found = standard.dataset(dataset)
    today = local(visit.hub.clock.now()).date()
    rows = list(Samples(found, standard, seed=20, today=today).records(_ROWS))
    return sheet(workbook.export(found, standard, rows), f"{dataset}-sample.xlsx")


@router.get("/handbook")
def handbook(visit: Viewer, dataset: Named) -> Response:
    """What each element of a data set asks, and the rules between them."""
    found = visit.hub.generations.current().standard.dataset(dataset)
    english = visit.language == "en"
    return visit.page(
        "handbook",
        "templates",
        dataset={"id": found.id, "title": title_of(visit, found), "version": found.version},
        elements=_elements(visit, found),
        rules=[rule.says_en if english else rule.says for rule in found.rules],
    )


def _elements(visit: Visit, dataset: DataSet) -> list[dict[str, object]]:
    standard, language = visit.hub.generations.current().standard, visit.language
    shown = []
    for one in dataset.from_sender:
        codes = standard.codelist(one.list).codes if one.list else ()
        names = [f"{c.code} {(c.name_en if language == 'en' else '') or c.name}" for c in codes[:_CODES]]
        shown.append(
            {
                "title": (one.title_en or one.title) if language == "en" else one.title,
                "id": one.id,
                "need": need_in_words(one, dataset, standard, language),
                "must": one.need == "must",
                "kind": kind_in_words(one, language),
                "size": size_in_words(one, language),
                "codes": names,
                "more": len(codes) > _CODES,
                "note": one.note,
            }
        )
    return shown
