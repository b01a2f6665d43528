"""The page of the flows: what must be answered by whom within which term."""

from __future__ import annotations

from collections.abc import Iterator

from standards.flows import Flow, Term, flows

_ROLES = {
    "dispatcher": "派发单位 dispatcher",
    "assignee": "承办单位 assignee",
    "sender": "来源单位 sender",
    "hub": "枢纽 hub",
    "anyone": "任何单位 anyone",
}
_WHOM = {"holder": "当前责任方 who holds it", "dispatcher": "派发单位 dispatcher", "above": "上级 the level above"}
_SAYS = {"remind": "提醒 reminded", "overdue": "超期 overdue", "escalate": "升级 escalated"}
_WHEN = {"half": "期限过半 half of the term", "due": "到期 due", "late": "次一工作日 9 时 9:00 of the next working day"}


def page() -> Iterator[str]:
    """Every flow: how it opens, its states with terms, its steps, who is told as terms run out."""
    yield "# Flows · 协同任务流程"
    yield ""
    yield "A connection with `tasks = true` opens a task for each accepted record of these data sets. The organisation"
    yield "that the record names must answer, else the one that `[[duties]]` names, else nobody yet: the pool. A party"
    yield "answers at the desk (`/v1/tasks`, `hub tasks`), in the Excel work list, or by handing over records of the"
    yield "answering data set through any connection of its own: the hub takes each for the step that it says. What a"
    yield "party must answer, and the answers to what it sent, go to its destination with `tasks = true` by themselves."
    yield ""
    for flow in flows().values():
        yield from _flow(flow)


def _flow(flow: Flow) -> Iterator[str]:
    yield f"## {flow.title} · {flow.title_en} (`{flow.flow}`)"
    yield ""
    if flow.note:
        yield flow.note
        yield ""
    if flow.source:
        yield f"Source: {flow.source}"
        yield ""
    for dataset, opening in flow.opened_by.items():
        when = f", when `{opening.when}`" if opening.when else ""
        yield f"- opened by `{dataset}`{when}; number `{opening.number}`"
    answered = f"`{flow.answered_by}`" if flow.answered_by else "the same record in a new revision"
    yield f"- answered by {answered}"
    yield ""
    yield "| state | 状态 | who acts | term |"
    yield "|---|---|---|---|"
    for name, state in flow.states.items():
        first = " (first)" if name == flow.first else ""
        end = "end" if state.end else _term(state.term)
        yield f"| `{name}`{first} | {state.title} | {'-' if state.end else _ROLES[state.holder]} | {end} |"
    yield ""
    yield "| step | 步骤 | from | to | by | needs | sends |"
    yield "|---|---|---|---|---|---|---|"
    for name, step in flow.steps.items():
        by = ", ".join(_ROLES[role] for role in step.by)
        needs = ", ".join(f"`{n}`" for n in step.needs) or "-"
        said = ", ".join(f"`{n}` = {v}" for n, v in (step.answers or {}).items())
        sends = "-" if step.answers is None else said or "what is said"
        to = f"{step.to}; after {step.most} times {step.beyond}" if step.most else step.to
        yield f"| `{name}` | {step.title} | {', '.join(step.from_)} | {to} | {by} | {needs} | {sends} |"
    yield ""
    if flow.urging:
        yield "Told: " + "; ".join(f"{_WHEN[u.when]}: {_WHOM[u.whom]} {_SAYS[u.says]}" for u in flow.urging) + "."
        yield ""


def _term(term: Term | None) -> str:
    if term is None:
        return "-"
    length = f"{term.working_days} working days" if term.working_days is not None else f"{term.hours} hours"
    source = f"（{term.source}）" if term.source else ""
    return f"{length}, {'our default' if term.mark == 'own' else 'by rule'}{source}"
