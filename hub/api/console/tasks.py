"""Tasks: what must be answered, and a form for each step that may be taken now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from hub.api.access import confine
from hub.api.console.visit import Page, Viewer, ViewerOfRegion, Visit, Words, acts, sees, sheet
from hub.api.tasks import desk
from standards.errors import HubError
from standards.exports import workbook
from standards.flows import Flow, flow, flows
from standards.model import DataSet
from standards.rights import Right

router = APIRouter(route_class=Page)


@router.get("/tasks")
def tasks(
    visit: ViewerOfRegion,
    flow: Annotated[str, Query(max_length=40)] = "",
    state: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """What must be answered, the most urgent first; of one flow and state, or all."""
    found = [one for one in desk(visit.hub).find(visit.who, flow=flow, limit=300) if state in ("", one["state"])]
    found = [one for one in found if not visit.holder.region or _seen(visit, one)]
    mine = [one["flow"] for one in found if one["assignee"] == visit.party] if visit.party else []
    english = visit.language == "en"
    lists = [
        {"flow": name, "title": flows()[name].title_en if english else flows()[name].title}
        for name in dict.fromkeys(mine)
    ]
    parties = visit.hub.generations.current().settings.parties
    titles = {name: said.title for name, said in parties.items()}
    return visit.page("tasks", "tasks", tasks=found, flows=lists, titles=titles)


def _seen(visit: Visit, one: dict[str, Any]) -> bool:
    return visit.scope(one["assignee"]) or visit.scope(one["sender"])


@router.get("/worklist.xlsx")
def worklist(
    visit: Annotated[Visit, Depends(sees(Right.TASKS))], flow: Annotated[str, Query(max_length=40)]
) -> Response:
    """The work list in Excel."""
    found = desk(visit.hub).worklist(visit.who, flow)
    if found.plain:
        visit.unmasked()
    standard = visit.hub.generations.current().standard
    return sheet(workbook.export(standard.dataset(found.dataset), standard, found.rows), f"{flow}.xlsx")


@router.get("/template.xlsx")
def template(visit: Viewer, dataset: Annotated[str, Query(max_length=64)]) -> Response:
    """The Excel template of a data set."""
    standard = visit.hub.generations.current().standard
    return sheet(workbook.export(standard.dataset(dataset), standard), f"{dataset}.xlsx")


@router.get("/tasks/{task}")
def task(visit: Annotated[Visit, Depends(sees(Right.TASKS, regional=True))], task: UUID) -> Response:
    """A task, its steps, and a form for each step that may be taken now."""
    return _task(visit, task)


def _task(visit: Visit, task: UUID, wrong: str = "", status: int = 200) -> Response:
    generation = visit.hub.generations.current()
    one = desk(visit.hub).one(visit.who, task)
    confine(visit.hub, visit.holder, one["assignee"], one["sender"])
    if one["plain"]:
        visit.unmasked()
    standard = generation.standard
    its = flow(one["flow"])
    named = [standard.dataset(its.answered_by)] if its.answered_by else [standard.dataset(n) for n in its.opened_by]
    parties = [(name, said.title) for name, said in generation.settings.parties.items()]
    fields: dict[str, list[dict[str, Any]]] = {}
    for step in one["allowed"]:
        fields[step["step"]] = []
        for name in step["needs"]:
            element = next((d.by_id[name] for d in named if name in d.by_id), None)
            choices = parties if name == "party" else []
            if element is not None and element.list:
                choices = [(code.code, code.name) for code in standard.codelist(element.list).codes]
            titles = (element.title, element.title_en) if element is not None else _WORDS.get(name, (name, name))
            fields[step["step"]].append({"name": name, "title": titles[0], "title_en": titles[1], "choices": choices})
    opened = next((d for d in map(standard.dataset, its.opened_by) if set(one["record"]) <= set(d.by_id)), None)
    english = visit.language == "en"
    title = _titles([opened], english) if opened is not None else {}
    record = [(title.get(name, name), value) for name, value in one["record"].items()]
    known = _titles(named, english)
    known |= {name: words[1 if english else 0] for name, words in _WORDS.items()}
    steps = [_step(taken, its, known, dict(parties), english) for taken in one["steps"]]
    return visit.page(
        "task",
        "tasks",
        status,
        one={**one, "record": record, "steps": steps},
        fields=fields,
        wrong=wrong,
        titles=dict(parties),
    )


def _titles(datasets: Iterable[DataSet], english: bool) -> dict[str, str]:
    return {e.id: (e.title_en or e.title) if english else e.title for d in datasets for e in d.elements}


def _step(
    taken: Mapping[str, Any], its: Flow, known: Mapping[str, str], parties: Mapping[str, str], english: bool
) -> dict[str, Any]:
    """A step that was taken, in words."""
    step, state = its.steps.get(taken["step"]), its.states.get(taken["state"])
    said = {
        known.get(name, name): parties.get(value, value) if name == "party" else value
        for name, value in taken["said"].items()
    }
    return {
        **taken,
        "party": parties.get(taken["party"], taken["party"]),
        "step": taken["step"] if step is None else step.title_en if english else step.title,
        "state": taken["state"] if state is None else state.title_en if english else state.title,
        "said": said,
    }


_WORDS = {"party": ("转给", "hand on to"), "reason": ("理由", "reason")}


@router.post("/tasks/{task}")
def step(visit: Annotated[Visit, Depends(acts(Right.TASKS, regional=True))], task: UUID, words: Words) -> Response:
    """Take a step; a refusal is shown on the task's page."""
    if visit.holder.region:
        before = desk(visit.hub).one(visit.who, task)
        confine(visit.hub, visit.holder, before["assignee"], before["sender"])
    said = {name.removeprefix("said."): value for name, value in words.items() if name.startswith("said.")}
    try:
        desk(visit.hub).step(visit.who, task, words.get("step", ""), said)
    except HubError as error:
        return _task(visit, task, error.what if visit.language == "en" else error.what_zh, error.status)
    return visit.back(f"tasks/{task}", visit.text("done"))
