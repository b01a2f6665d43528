"""Failures by cause, and what mends a whole group: an unknown code answered, a repair by rule, a replay."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Response
from pydantic import TypeAdapter, ValidationError

from hub.api.console.visit import Page, Visit, Words, WrongForm, acts, sees
from hub.ledger.cases import Selection
from hub.repair import Repair, Step
from hub.replay import chosen_of
from standards.rights import Right

router = APIRouter(route_class=Page)

Group = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
Looker = Annotated[Visit, Depends(sees())]
Replayer = Annotated[Visit, Depends(acts(Right.REPLAY))]
Mender = Annotated[Visit, Depends(acts(Right.REPAIR))]

#: Verbs that are said for a whole group, with the words of each and what stands in them at first.
VERBS: dict[str, tuple[tuple[str, str], ...]] = {
    "replace": (("old", ""), ("new", "")),
    "trim": (("chars", ""),),
    "pad": (("width", ""), ("fill", "0")),
    "date": (("reads", "%Y年%m月%d日"), ("writes", "%Y-%m-%d")),
    "number": (("unit", ""), ("factor", "1")),
    "fill": (("by", ""), ("lookup", ""), ("gives", "")),
}
_STEPS: TypeAdapter[list[Step]] = TypeAdapter(list[Step])


@router.get("/failures")
def failures(visit: Looker) -> Response:
    """Groups of open cases of one cause, the most urgent first."""
    groups = visit.hub.failures().listed(Selection(party=visit.party), sampled=False)
    return visit.page("failures", "failures", groups=groups, titles=_titles(visit), datasets=_datasets(visit))


@router.get("/failures/{group}")
def failure(visit: Looker, group: Group, rehearse: Annotated[str, Query(max_length=1)] = "") -> Response:
    """One group: samples, the unknown code to answer, a rehearsal, the verbs of a repair."""
    one = visit.hub.failures().one(group, visit.party, visit.holder.id)
    rehearsal = None
    if rehearse and visit.holder.may(Right.REPLAY):
        desk = visit.hub.replays()
        rehearsal = desk.rehearse(desk.plan(Selection(cause=group)))
    return _shown(visit, one, rehearsal=rehearsal)


@router.post("/failures/{group}/take")
def take(visit: Annotated[Visit, Depends(acts(Right.CASES))], group: Group) -> Response:
    """Somebody is at it: what joins from now on is counted."""
    visit.hub.cases().take(Selection(party=visit.party, cause=group), visit.holder.id, "")
    return visit.back(f"failures/{group}", visit.text("done"))


@router.post("/failures/{group}/answer")
def answer(
    visit: Annotated[Visit, Depends(acts(Right.OPERATE))],
    group: Group,
    code: Annotated[str, Form(min_length=1, max_length=100)],
) -> Response:
    """Say what an unknown code means, from now on; then the group is rehearsed."""
    visit.hub.failures().answer(group, code, visit.holder.id)
    return visit.back(f"failures/{group}?rehearse=1", visit.text("answered"))


@router.post("/failures/{group}/replay")
def replay(visit: Replayer, group: Group, reason: Annotated[str, Form(min_length=1, max_length=500)]) -> Response:
    """Replay a group that was rehearsed."""
    which, desk = Selection(cause=group), visit.hub.replays()
    made = desk.start(desk.plan(which), visit.holder.id, reason, chosen_of(which, "", ()))
    return visit.back(f"mending/{made['id']}", visit.text("done"))


@router.post("/failures/{group}/rehearsal")
def rehearse_repair(visit: Mender, group: Group, words: Words) -> Response:
    """What a repair by rule would do: before and after side by side; nothing is written."""
    step = step_of(words)
    desk = visit.hub.replays()
    rehearsal = desk.rehearse(desk.plan(Selection(cause=group)), Repair((step,)))
    one = visit.hub.failures().one(group, visit.party, visit.holder.id)
    return _shown(visit, one, rehearsal=rehearsal, step=step, words=words)


@router.post("/failures/{group}/repair")
def repair(
    visit: Mender,
    group: Group,
    steps: Annotated[str, Form(max_length=5000)],
    reason: Annotated[str, Form(min_length=1, max_length=500)],
    consent: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Begin a repair that was rehearsed, or have it wait for a second person."""
    try:
        made = Repair(tuple(_STEPS.validate_json(steps)))
    except ValidationError as error:
        raise WrongForm("check the form: steps", what_zh="请检查填写内容：steps") from error
    which, desk = Selection(cause=group), visit.hub.replays()
    begun = desk.start(
        desk.plan(which), visit.holder.id, reason, chosen_of(which, "", ()), repair=made, consent=consent
    )
    return visit.back(f"mending/{begun['id']}", visit.text("done"))


def step_of(words: dict[str, str]) -> Step:
    """The step that a form says.  Raises WrongForm."""
    verb = words.get("verb", "")
    if verb not in VERBS:
        raise WrongForm("choose a verb", what_zh="请选择修复方式")
    said: dict[str, Any] = {"verb": verb, "field": words.get("field", "").strip()}
    said |= {name: words.get(f"{verb}.{name}", "") for name, _ in VERBS[verb]}
    if verb == "replace":
        said["table"] = {said.pop("old"): said.pop("new")}
    try:
        return _STEPS.validate_python([said])[0]
    except ValidationError as error:
        names = "、".join(str(one["loc"][-1]) for one in error.errors())
        raise WrongForm(f"check the form: {names}", what_zh=f"请检查填写内容：{names}") from error


def _shown(
    visit: Visit,
    one: dict[str, Any],
    *,
    rehearsal: dict[str, Any] | None = None,
    step: Step | None = None,
    words: dict[str, str] | None = None,
) -> Response:
    repaired = Repair((step,)) if step is not None else Repair()
    field = next((sample["field"] for sample in one["samples"] if sample["field"]), "")
    return visit.page(
        "failure",
        "failures",
        one=one,
        title=_titles(visit).get(one["party"], one["party"]),
        dataset=_datasets(visit).get(one["dataset"], one["dataset"]),
        rehearsal=rehearsal,
        verbs=VERBS,
        words=words or {"verb": "replace", "field": field, "replace.old": one["pattern"] if one["question"] else ""},
        steps=json.dumps([step.model_dump(mode="json")], ensure_ascii=False) if step is not None else "",
        needs_consent=repaired.needs_consent,
        lookups=sorted(visit.hub.generations.current().settings.lookups),
    )


def _titles(visit: Visit) -> dict[str, str]:
    return {name: one.title for name, one in visit.hub.generations.current().settings.parties.items()}


def _datasets(visit: Visit) -> dict[str, str]:
    english = visit.language == "en"
    return {one.id: (english and one.title_en) or one.title for one in visit.hub.generations.current().standard}
