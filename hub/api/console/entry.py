"""Online entry: a form for one record made from its data set; to mend, change or delete one that was reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi import Path as PathPart

from hub.api.access import demand
from hub.api.console.visit import Page, Visit, acts, sees
from hub.entry import Entry, connections, stops
from hub.entry_form import fields, first_values, in_language, written
from standards.clock import local
from standards.model import DataSet
from standards.rights import Right
from standards.samples import Samples

router = APIRouter(route_class=Page)

Named = Annotated[str, PathPart(max_length=64, pattern="^[a-z][a-z0-9_]*$")]
Short = Annotated[str, Form(max_length=64)]


async def _filled(request: Request) -> dict[str, list[str]]:
    form = await request.form()
    words: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if name.startswith("e.") and isinstance(value, str):
            words.setdefault(name.removeprefix("e."), []).append(value)
    return words


#: What a form sent, element by element.
Filled = Annotated[dict[str, list[str]], Depends(_filled)]
Enters = Annotated[Visit, Depends(sees(Right.HAND_OVER))]
Sends = Annotated[Visit, Depends(acts(Right.HAND_OVER))]


def _desk(visit: Visit) -> Entry:
    return Entry(visit.hub, visit.party, visit.holder.id)


@router.get("/entry")
def choose(visit: Enters) -> Response:
    """The data sets that may be typed in."""
    generation = visit.hub.generations.current()
    names = connections(generation.settings, visit.party)
    sets = [generation.standard.dataset(name) for name in names]
    shown = [{"id": one.id, "title": title_of(visit, one)} for one in sets]
    return visit.page("entry", "entry", sets=sorted(shown, key=lambda one: one["title"]))


@router.get("/entry/{dataset}")
def empty(visit: Enters, dataset: Named) -> Response:
    """An empty form."""
    found, through = _desk(visit).dataset(dataset)
    return _form(visit, found, through, first_values(found))


@router.post("/entry/{dataset}")
def enter(
    visit: Sends,
    dataset: Named,
    filled: Filled,
    step: Annotated[Literal["check", "hand_over"], Form()],
    form: Short = "",
    mends: Short = "",
) -> Response:
    """Judge it; without a fault, and when that was asked for, keep it."""
    desk = _desk(visit)
    found, through = desk.dataset(dataset)
    values = written(found, filled)
    faults = desk.faults(through, values)
    if step == "hand_over" and not stops(faults):
        return visit.back(f"submissions/{desk.hand_over(through, values, form, mends)}", visit.text("kept"))
    return _form(visit, found, through, values, faults, form=form, mends=mends, checked=True)


@router.post("/entry/{dataset}/find")
def find(visit: Sends, dataset: Named, filled: Filled) -> Response:
    """The present content of an own record, to be changed or deleted."""
    demand(visit.holder, Right.BODIES)
    desk = _desk(visit)
    found, through = desk.dataset(dataset)
    values = desk.of_key(found, [(filled.get(name) or [""])[0].strip() for name in found.natural_key])
    return _form(visit, found, through, values, known=True)


@router.post("/entry/{dataset}/delete")
def delete(
    visit: Sends, dataset: Named, filled: Filled, form: Short = "", sure: Annotated[Literal["yes", ""], Form()] = ""
) -> Response:
    """Take an own record back."""
    desk = _desk(visit)
    found, through = desk.dataset(dataset)
    key = {name: (filled.get(name) or [""])[0].strip() for name in found.natural_key}
    if not sure:
        demand(visit.holder, Right.BODIES)
        values = desk.of_key(found, list(key.values()))
        return _form(visit, found, through, values, known=True, wrong=visit.text("not_sure"))
    receipt_no = desk.hand_over(through, {**key, "cd_operation": "d"}, form)
    return visit.back(f"submissions/{receipt_no}", visit.text("kept"))


@router.get("/submissions/{receipt_no}/records/{row}")
def mend(visit: Annotated[Visit, Depends(sees(Right.BODIES))], receipt_no: str, row: int) -> Response:
    """A record as it was handed over, with its faults beside the fields."""
    demand(visit.holder, Right.HAND_OVER)
    desk = _desk(visit)
    name, values = desk.of_receipt(receipt_no, row)
    found, through = desk.dataset(name)
    values = written(found, {key: [value] for key, value in values.items()})
    return _form(visit, found, through, values, desk.faults(through, values), mends=receipt_no, checked=True)


def _form(
    visit: Visit,
    dataset: DataSet,
    through: str,
    values: Mapping[str, str],
    faults: Sequence[Mapping[str, Any]] = (),
    *,
    form: str = "",
    mends: str = "",
    checked: bool = False,
    known: bool = False,
    wrong: str = "",
) -> Response:
    """`checked`: it was judged; `known`: the record is there, it may be changed or deleted."""
    generation = visit.hub.generations.current()
    today = local(visit.hub.clock.now()).date()
    shown = fields(dataset, generation.standard, visit.language, values, faults, _sample(visit, dataset, today))
    parts = {need: [one for one in shown if one.need == need] for need in ("must", "when", "may")}
    placed = {one.id for one in shown}
    return visit.page(
        "entry_form",
        "entry",
        dataset={"id": dataset.id, "title": title_of(visit, dataset)},
        test=generation.connection(through).is_test,
        parts=parts,
        keys=[one for one in shown if one.key],
        faulty=[one for one in shown if one.faults],
        others=[in_language(one, visit.language) for one in faults if one["element"] not in placed],
        stops=stops(faults),
        form=form or uuid4().hex,
        mends=mends,
        checked=checked,
        known=known,
        wrong=wrong,
    )


def title_of(visit: Visit, dataset: DataSet) -> str:
    """The title of a data set in the viewer's language."""
    return (dataset.title_en or dataset.title) if visit.language == "en" else dataset.title


def _sample(visit: Visit, dataset: DataSet, today: date) -> dict[str, str]:
    standard = visit.hub.generations.current().standard
    return next(Samples(dataset, standard, seed=20, today=today).records(1))
