"""The grammar of a flow: states, who may take which step, terms, what is answered, who is urged.

flow: risk_clue
opened_by: {risk_clue: {number: fxyj_id, due: due_time}}
answered_by: risk_clue_feedback
first: sent
states:
  sent: {title: 待签收, title_en: to be signed for, holder: assignee, term: {working_days: 1}}
  done: {title: 已办结, title_en: done, end: true}
steps:
  sign: {title: 签收, title_en: sign for it, from: sent, to: signed, by: assignee, answers: {state: "2"}}
urging:
  - {when: due, whom: holder, says: overdue}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Several = Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)]
Flag = Annotated[bool, BeforeValidator(lambda v: {"true": True, "false": False}.get(v, v))]

#: Who acts: who hands on (a desk), who must answer, who asked, the hub itself, and whoever takes it out of the pool.
Role = Literal["dispatcher", "assignee", "sender", "hub", "anyone"]
Roles = Annotated[tuple[Role, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)]


#: Words that stand for what the hub knows, in `fills` and in a step's `answers`.
FILLS = ("$number", "$numbered", "$step", "$party", "$party_code", "$now", "$claimed", "$overdue")

#: Where a step leads that changes nothing but is said: urging.
STAYS = "stays"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Term(_Part):
    """How long a state may last."""

    working_days: int | None = Field(None, ge=0, description="To the end of so many working days.")
    hours: int | None = Field(None, ge=1, description="So many hours by the clock.")
    mark: Literal["a", "b", "own"] = Field("own", description="a: from a rule; b: weakly; own: our default, a setting.")
    source: str = Field("", description="The rule it comes from.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.working_days is None) == (self.hours is None):
            raise ValueError("a term is working_days or hours")
        return self


class State(_Part):
    """Where a task can stand."""

    title: str = Field(description="Chinese.")
    title_en: str = Field(description="English.")
    holder: Role = Field("assignee", description="Who must act while it stands here.")
    term: Term | None = Field(None, description="How long it may stand here.")
    end: Flag = Field(False, description="Nothing more is to be done.")


class Step(_Part):
    """How a task moves on."""

    title: str = Field(description="Chinese.")
    title_en: str = Field(description="English.")
    from_: Several = Field(alias="from", description="States it can be taken in.")
    to: str = Field(description="State it leads to; `stays`: the one it was taken in.")
    by: Roles = Field(description="Who may take it.")
    needs: Several = Field((), description="What must be said with it: elements of the answer, or `party`.")
    answers: dict[str, str] | None = Field(
        None, description="Elements of the answer that this step sends to the sender; absent: it sends nothing."
    )
    most: int | None = Field(None, ge=1, description="So often at most; then it leads to `beyond`.")
    beyond: str = Field("", description="State it leads to when it was taken more often than `most`.")

    @model_validator(mode="after")
    def _most_and_beyond(self) -> Self:
        if (self.most is None) != (not self.beyond):
            raise ValueError("most and beyond belong together")
        return self


class Opening(_Part):
    """How a record of a data set opens a task."""

    number: str = Field(description="Element that numbers it, among those of its sender.")
    sender: str = Field("", description="Element that tells the sender's systems apart.")
    due: str = Field("", description="Element that says until when the whole must be done.")
    pair: Several = Field((), description="Further numbers of the same thing, kept together.")
    item: str = Field("", description="Element with the supervision item; for dispatch.")
    region: str = Field("", description="Element with the division; for dispatch.")
    industry: str = Field("", description="Element with the industry; for dispatch.")
    assignees: str = Field("", description="Element with the parties it is for; several: a task each.")
    when: str = Field("", description="Only records of which this expression is true.")
    fills: dict[str, str] = Field({}, description="As the flow's `fills`, for what was opened by this data set.")


class Escalation(_Part):
    """Who is told when a term runs out."""

    when: Literal["half", "due", "late"] = Field(description="Half of the term is over, all of it, or a day more.")
    whom: Literal["holder", "dispatcher", "above"] = Field(description="Who is told.")
    says: Literal["remind", "overdue", "escalate"] = Field(description="What is told.")


class Flow(_Part):
    """One kind of task from its opening to its end."""

    flow: str = Field(pattern=r"^[a-z][a-z_]*$", description="Short name.")
    title: str = Field(description="Chinese.")
    title_en: str = Field(description="English.")
    source: str = Field("", description="Where its rules come from.")
    note: str = Field("", description="What an operator should know.")
    named: Flag = Field(False, description='Opened only by connections that name it: tasks = ["…"].')
    opened_by: dict[str, Opening] = Field(min_length=1, description="Data set: how its records open it.")
    answered_by: str = Field("", description="Data set of its answers; empty: the same record in a new revision.")
    fills: dict[str, str] = Field(
        {}, description="Elements of every answer that the hub fills in where nobody said them; see `FILLS`."
    )
    first: str = Field(description="State it opens in.")
    states: dict[str, State] = Field(min_length=2, description="Every state.")
    steps: dict[str, Step] = Field(min_length=1, description="Every step.")
    urging: tuple[Escalation, ...] = Field((), description="Who is told as terms run out.")

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if faults := list(self._faults()):
            raise ValueError("; ".join(faults))
        return self

    def _faults(self) -> Iterator[str]:
        if self.first not in self.states:
            yield f"first: no state {self.first}"
        for name, step in self.steps.items():
            for state in (*step.from_, step.to, *([step.beyond] if step.beyond else [])):
                if state not in (*self.states, STAYS):
                    yield f"step {name}: no state {state}"
        for element, word in self.said_words():
            if word.startswith("$") and word not in FILLS:
                yield f"{element}: {word} is not one of {', '.join(FILLS)}"
        yield from self._dead_ends()

    def said_words(self) -> Iterator[tuple[str, str]]:
        """Every element that the flow itself gives an answer, and the word for it."""
        yield from self.fills.items()
        for opening in self.opened_by.values():
            yield from opening.fills.items()
        for step in self.steps.values():
            yield from (step.answers or {}).items()

    def _dead_ends(self) -> Iterator[str]:
        """From every state there must be a way to an end, and a way to it from the first."""
        ways: dict[str, set[str]] = {name: set() for name in self.states}
        for step in self.steps.values():
            for state in step.from_ if step.to != STAYS else ():
                ways.setdefault(state, set()).update({step.to, *([step.beyond] if step.beyond else [])})
        for name in self.states.keys() - _reached({self.first}, ways):
            yield f"no way leads to {name}"
        ends = {name for name, state in self.states.items() if state.end}
        for name in self.states:
            if not _reached({name}, ways) & ends:
                yield f"no way leads from {name} to an end"

    def frees(self, state: str) -> bool:
        """True when a task that comes to this state belongs to nobody: somebody must be named, or claim it."""
        ways = [step for step in self.steps.values() if state in step.from_]
        return any("party" in step.needs or "anyone" in step.by for step in ways)

    def open_states(self) -> tuple[str, ...]:
        """Where somebody must still act."""
        return tuple(name for name, state in self.states.items() if not state.end)


def _reached(start: set[str], ways: dict[str, set[str]]) -> set[str]:
    found = set(start)
    while more := {to for name in found for to in ways.get(name, ())} - found:
        found |= more
    return found
