"""One step of a task: may it be taken, where does it lead, what does it answer.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from standards.errors import HubError
from standards.flows.grammar import STAYS, Flow, Role, Step

#: The word of a step that says to whom a task goes.
PARTY = "party"
#: The word of a step that says why; kept with the step, sent in no answer.
REASON = "reason"


class StepNotAllowed(HubError):
    """The step cannot be taken: not in this state, not by them, not after the end, or something is missing."""

    code = "step-not-allowed"
    status = 409
    title_zh = "不能执行此步骤"
    title = "step not allowed"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a step came to."""

    step: str
    state: str
    ended: bool
    #: Elements of the answer that goes to the sender; None: nothing is sent.
    answer: Mapping[str, str] | None = field(default=None)


def allowed(flow: Flow, state: str, role: Role) -> tuple[str, ...]:
    """Names of the steps that somebody may take now."""
    return tuple(name for name, step in flow.steps.items() if state in step.from_ and _may(step, role))


def move(flow: Flow, state: str, step: str, *, role: Role, said: Mapping[str, str], taken: Mapping[str, int]) -> Moved:
    """Take a step; `taken` counts how often each step was taken before.  Raises StepNotAllowed."""
    found = flow.steps.get(step)
    if found is None:
        raise _refused(flow, state, role, f"there is no step {step}", f"没有步骤“{step}”")
    if state not in found.from_:
        ended = flow.states[state].end
        why = "it has ended" if ended else f"it stands at {flow.states[state].title_en}"
        why_zh = "任务已办结" if ended else f"当前状态为“{flow.states[state].title}”"
        raise _refused(flow, state, role, f"{found.title_en}: {why}", f"{found.title}：{why_zh}")
    if not _may(found, role):
        raise _refused(flow, state, role, f"{found.title_en}: not by {role}", f"{found.title}：不由{_ROLES[role]}执行")
    if missing := [name for name in found.needs if not said.get(name, "").strip()]:
        names = ", ".join(missing)
        raise _refused(flow, state, role, f"{found.title_en} needs {names}", f"{found.title}须填写：{names}")
    to = state if found.to == STAYS else found.to
    if found.most is not None and taken.get(step, 0) >= found.most:
        to = found.beyond
    return Moved(step, to, flow.states[to].end, _answer(found, said))


def _answer(step: Step, said: Mapping[str, str]) -> Mapping[str, str] | None:
    """What was said with the step, and what the step itself means."""
    if step.answers is None:
        return None
    return {**{name: value for name, value in said.items() if name not in (PARTY, REASON)}, **step.answers}


def _may(step: Step, role: Role) -> bool:
    return role in step.by or "anyone" in step.by


def _refused(flow: Flow, state: str, role: Role, what: str, what_zh: str) -> StepNotAllowed:
    """With the steps that can be taken instead."""
    names = allowed(flow, state, role)
    return StepNotAllowed(
        what,
        what_zh=what_zh,
        hint="allowed now: " + (", ".join(f"{n} ({flow.steps[n].title_en})" for n in names) or "nothing"),
        hint_zh="现在可以：" + ("、".join(f"{flow.steps[n].title}（{n}）" for n in names) or "无"),
    )


_ROLES: Mapping[str, str] = {
    "dispatcher": "派发单位",
    "assignee": "承办单位",
    "sender": "来源单位",
    "hub": "枢纽",
    "anyone": "任何单位",
}
