"""Tasks: who may take which step, and the answer that goes back through the same road as every record.

A step is written down first and its answer handed in afterwards under the step's own id, so that neither is lost
and neither comes twice; an answer that was not handed in is taken up again by the scheduler.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Connection

from hub.answers import moved
from hub.deadlines import Deadlines
from hub.dispatch.contents import Contents
from hub.duties import Matter, responsible
from hub.generations import Generation, Generations
from hub.handing import Opening, hand_on, opening_of, openings_of
from hub.intake import Intake
from hub.ledger import journal, tasks
from hub.ledger.engine import Ledger
from hub.ledger.tasks import StoredStep, StoredTask
from hub.persons import is_person, masked, quantities, unless_bare
from hub.vault import Seal
from standards.clock import Clock, local
from standards.errors import BadRecord, HubError, NotAllowed, UnknownName
from standards.flows import Flow, Role, StepNotAllowed, allowed, flow, move
from standards.flows.moves import PARTY
from standards.masks import mask
from standards.ports import HandOver

log = structlog.get_logger()

_BATCH = 100
#: Rows of a work list, and chunks remembered while it is made.
_WORKLIST, _REMEMBERED = 1000, 32
#: Operator of the hub, in the place of a party's name.
OPERATOR = ""


class TaskTaken(StepNotAllowed):
    """Somebody else took a step meanwhile."""

    code = "task-taken"
    title_zh = "任务已被他人处理"
    title = "somebody else took a step"


class Worklist(NamedTuple):
    """What is to be answered, as rows of the data set that answers it."""

    dataset: str
    rows: list[dict[str, str]]
    #: Whether personal values stand in it, in full.
    plain: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """Who takes a step: a party, or the operator ('' ), and which person or key."""

    party: str
    actor: str
    #: Whether personal values are shown in full.
    plain: bool = False


@dataclass(slots=True)
class Tasks:
    """The hub's desk for what must be answered."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal
    deadlines: Deadlines
    intake: Intake
    #: Judges an answer before its step counts: connection and body; what `/v1/judge` says of each record.
    judge: Callable[[str, bytes], Sequence[Mapping[str, Any]]]

    def find(self, caller: Caller, **wanted: Any) -> list[dict[str, Any]]:
        """Tasks of a party (those it must answer and those it sent), or everybody's; the most urgent first."""
        with self.ledger.read() as connection:
            found = tasks.find(connection, party=caller.party, **wanted)
        return [self._told(one, caller) for one in found]

    def one(self, caller: Caller, identifier: UUID) -> dict[str, Any]:
        """A task with its steps and, for those it concerns, the record that opened it.  Raises UnknownName."""
        found = self._get(caller, identifier)
        with self.ledger.read() as connection:
            steps = tasks.steps_of(connection, [identifier])[identifier]
            concerned = caller.party in (OPERATOR, found.assignee, found.sender)
            opening = opening_of(connection, Contents(self.seal), found) if concerned else None
            opened_by = dict(opening.values) if opening is not None else {}
        said = [self._said(step) for step in steps]
        plain = self._plain(found, caller, opened_by, said)
        duties = self.generations.current().settings.duties
        duty = responsible(duties, Matter(found.flow, found.item, found.region))
        named = {"leader": duty.leader, "organ": duty.organ, "person": duty.person} if duty is not None else {}
        return {
            **self._told(found, caller),
            "duty": named,
            "steps": said,
            "record": opened_by,
            "plain": plain,
        }

    def _plain(self, one: StoredTask, caller: Caller, record: dict[str, str], steps: list[dict[str, Any]]) -> bool:
        """Whether personal values are shown in full, which is written down; else they are masked here."""
        standard = self.generations.current().standard
        answered_by = flow(one.flow).answered_by
        datasets = [standard.dataset(name) for name in (one.dataset, answered_by) if name]
        names = frozenset[str]().union(*(dataset.personal for dataset in datasets))
        counted = frozenset[str]().union(*map(quantities, datasets))

        def seen(name: str, value: str) -> str:
            if name in names or is_person(value):
                return mask(value)
            return unless_bare(value, quantity=name in counted)

        held = False
        for values in (record, *(step["said"] for step in steps)):
            shown = {name: seen(name, value) for name, value in values.items()}
            held = held or shown != values
            if not caller.plain:
                values.update(shown)
        return caller.plain and held

    def worklist(self, caller: Caller, name: str) -> Worklist:
        """What a party must answer in a flow, as rows of the answering data set with what is known filled in.

        Filled in and handed over through the party's connection, each row is a step.  Raises UnknownName; NotAllowed
        where personal values stand in it that the caller may not see: masked, they would be handed back so.
        """
        its = flow(name)
        generation, now = self.generations.current(), self.clock.now()
        contents = Contents(self.seal, _REMEMBERED)
        with self.ledger.read() as connection:
            found = [
                one
                for one in tasks.find(connection, party=caller.party, flow=name, limit=_WORKLIST)
                if caller.party in (one.assignee, OPERATOR)
            ]
            steps = tasks.steps_of(connection, [one.id for one in found])
            openings = openings_of(connection, contents, found)
        rows, dataset = [], its.answered_by
        for one in found:
            dataset = dataset or one.dataset
            blank = StoredStep(
                task_id=one.id,
                no=one.steps + 1,
                step="",
                state=one.state,
                party=caller.party,
                actor="",
                at=now,
                said=None,
                key_ref=None,
                dataset=its.answered_by or one.dataset,
            )
            rows.append(self._values(one, its, blank, steps[one.id], generation, one.assignee, openings.get(one.id)))
        dataset = dataset or next(iter(its.opened_by))
        defined = generation.standard.dataset(dataset)
        plain = any(masked(defined, row) != row for row in rows)
        if plain and not caller.plain:
            raise NotAllowed(
                "the work list holds personal values: this needs the right unmask",
                what_zh="缺少权限 unmask：该清单含个人信息，且须原样交回，不能脱敏下载",
                hint="answer each task on its page",
                hint_zh="请在任务页面逐项办理",
            )
        return Worklist(dataset, rows, plain)

    def counts(self) -> list[dict[str, Any]]:
        """Open tasks by flow, state and assignee; '' is the pool."""
        with self.ledger.read() as connection:
            found = tasks.counts(connection, self.clock.now())
        return [
            {
                "flow": name,
                "flow_title": flow(name).title,
                "state": state,
                "state_title": flow(name).states[state].title,
                "assignee": assignee,
                "open": number,
                "overdue": late,
            }
            for name, state, assignee, number, late in found
        ]

    def step(self, caller: Caller, identifier: UUID, step: str, said: Mapping[str, str]) -> dict[str, Any]:
        """Take a step.

        Raises UnknownName, StepNotAllowed (not now, not by them, something missing, nobody to answer through),
        TaskTaken, BadRecord (the answer does not fit its data set: nothing has changed).
        """
        now = self.clock.now()
        before = self._get(caller, identifier)
        its = flow(before.flow)
        generation = self.generations.current()
        assignee = _assignee(generation, before, said)
        with self.ledger.read() as connection:
            earlier = tasks.steps_of(connection, [identifier])[identifier]
        taken = Counter(one.step for one in earlier)
        role = _role(its, before, step, caller)
        move_ = move(its, before.state, step, role=role, said=said, taken=taken)
        if role == "anyone" and not assignee:
            assignee = caller.party  # it claimed it
        through, dataset = "", ""
        if move_.answer is not None:
            dataset = its.answered_by or before.dataset
            through = _through(generation, assignee or before.sender, dataset)
        stored = StoredStep(
            task_id=identifier,
            no=before.steps + 1,
            step=step,
            state=move_.state,
            party=caller.party,
            actor=caller.actor,
            at=now,
            said=self._close({**(move_.answer or said)}),
            key_ref=self.seal.key_ref,
            connection=through,
            dataset=dataset,
        )
        body = self._body(before, its, stored, earlier, generation, assignee) if through else b""
        if through:
            _must_fit(self.judge(through, body))
        after = moved(its, replace(before, assignee=assignee), step, move_.state, self.deadlines.calendar, now)

        def work(connection: Connection) -> bool:
            if not tasks.advance(connection, before, after, stored):
                return False
            if after.assignee and after.assignee != before.assignee:
                hand_on(connection, generation, self.seal, after, now)
            detail = {"task": str(identifier), "flow": before.flow, "step": step, "state": move_.state}
            entry = journal.Entry("task_step", caller.actor, before.submission_id, None, detail)
            journal.append(connection, [entry], now)
            return True

        if not self.ledger.write(work):
            raise TaskTaken("somebody else took a step meanwhile; look again", what_zh="任务刚被他人处理，请重新查看")
        if through:
            self._send(stored, body)
        return self.one(caller, identifier)

    def open(self, caller: Caller, connection: str, values: Mapping[str, str]) -> str:
        """Hand in a record that opens a task; its receipt number.  Raises BadRecord with every fault."""
        body = json.dumps([dict(values)], ensure_ascii=False).encode()
        _must_fit(self.judge(connection, body))
        hand_over = HandOver(
            connection=connection,
            name="task.json",
            content_type="application/json",
            actor=caller.actor,
            lane="now",
        )
        return self.intake.receive(hand_over, [body]).receipt_no

    def urge(self, identifier: UUID, step: str) -> None:
        """The hub itself urges; what it says goes to who sent the task."""
        self.step(Caller(OPERATOR, "hub"), identifier, step, {})

    def send_answers(self) -> int:
        """Hand in the answers of steps that were written down and interrupted."""
        with self.ledger.read() as connection:
            waiting = tasks.unsent(connection, _BATCH)
        done = 0
        for step in waiting:
            with self.ledger.read() as connection:
                found = tasks.get(connection, step.task_id)
                earlier = [s for s in tasks.steps_of(connection, [step.task_id])[step.task_id] if s.no < step.no]
            if found is None:
                continue
            generation = self.generations.current()
            party = generation.connection(step.connection).party
            try:
                self._send(step, self._body(found, flow(found.flow), step, earlier, generation, party))
                done += 1
            except HubError as error:
                log.warning("an answer could not be handed in", action="task_answer_waits", why=error.what)
        return done

    # Inside

    def _get(self, caller: Caller, identifier: UUID) -> StoredTask:
        with self.ledger.read() as connection:
            found = tasks.get(connection, identifier)
        if found is None or (caller.party and caller.party not in (found.assignee, found.sender) and found.assignee):
            raise UnknownName(f"no task {identifier} of yours", what_zh=f"没有您的任务 {identifier}")
        return found

    def _send(self, step: StoredStep, body: bytes) -> None:
        hand_over = HandOver(
            connection=step.connection,
            external_id=f"task-{step.task_id}-{step.no}",
            name=f"task-{step.no}.json",
            content_type="application/json",
            dataset=step.dataset,
            actor=step.actor,
            lane="now",
        )
        receipt_no = self.intake.receive(hand_over, [body]).receipt_no
        self.ledger.write(lambda c: tasks.sent(c, step, receipt_no))

    def _body(
        self,
        one: StoredTask,
        its: Flow,
        step: StoredStep,
        earlier: Sequence[StoredStep],
        generation: Generation,
        party: str,
    ) -> bytes:
        """The answer as the body of a hand-over."""
        with self.ledger.read() as connection:
            opening = opening_of(connection, Contents(self.seal), one)
        values = self._values(one, its, step, earlier, generation, party, opening)
        return json.dumps([values], ensure_ascii=False).encode()

    def _values(
        self,
        one: StoredTask,
        its: Flow,
        step: StoredStep,
        earlier: Sequence[StoredStep],
        generation: Generation,
        party: str,
        opening: Opening | None,
    ) -> dict[str, str]:
        """The answer as a record: what was said, what the hub knows, and the elements it shares with the opening."""
        opened = opening.values if opening is not None else {}
        known = generation.standard.dataset(step.dataset).by_id
        own = generation.settings.parties.get(party)
        claimed = next((e.at for e in earlier if e.connection), step.at)
        late = one.due_at is not None and step.at > one.due_at
        words = {
            "$number": one.number,
            "$numbered": f"{one.number}-{step.no}"[:50],
            "$step": str(step.no),
            "$party": own.title if own else "",
            "$party_code": own.code if own else "",
            "$now": _written(step.at),
            "$claimed": _written(claimed),
            "$overdue": "1" if late else "0",
        }
        values = {name: value for name, value in opened.items() if name in known}
        if its.answered_by:
            shared = {name for name, element in known.items() if element.refers or name in _shared(its)}
            values = {name: value for name, value in values.items() if name in shared}
        fills = its.opened_by[one.dataset].fills
        for name, word in {**its.fills, **fills}.items():
            if not (name in fills and values.get(name)):  # what the record itself says goes before
                values[name] = words.get(word, word)
        if not its.answered_by:  # a new revision of the record itself, which stays its sender's
            values["owner_org_code"] = opening.owner if opening is not None else ""
        said: dict[str, str] = json.loads(self.seal.open(step.said, step.key_ref)) if step.said else {}
        values |= {name: words.get(value, value) for name, value in said.items() if name in known and value}
        return values

    def _close(self, said: Mapping[str, str]) -> bytes:
        return self.seal.close(json.dumps(dict(said), ensure_ascii=False).encode())

    def _said(self, step: StoredStep) -> dict[str, Any]:
        said = json.loads(self.seal.open(step.said, step.key_ref)) if step.said else {}
        return {
            "no": step.no,
            "step": step.step,
            "state": step.state,
            "party": step.party,
            "at": local(step.at).isoformat(),
            "said": {name: value for name, value in said.items() if not str(value).startswith("$")},
            "answer_receipt_no": step.receipt_no,
        }

    def _told(self, one: StoredTask, caller: Caller) -> dict[str, Any]:
        its = flow(one.flow)
        names = dict.fromkeys(name for role in _roles(one, caller) for name in allowed(its, one.state, role))
        now = self.clock.now()
        return {
            "id": str(one.id),
            "flow": one.flow,
            "flow_title": its.title,
            "flow_title_en": its.title_en,
            "number": one.number,
            "source": one.source,
            "pair": json.loads(one.pair),
            "sender": one.sender,
            "assignee": one.assignee,
            "addressed": one.addressed,
            "state": one.state,
            "state_title": its.states[one.state].title,
            "state_title_en": its.states[one.state].title_en,
            "opened_at": local(one.opened_at).isoformat(),
            "since": local(one.since).isoformat(),
            "due_at": local(one.due_at).isoformat() if one.due_at else None,
            "due_missing": one.due_missing,
            "overdue": one.due_at is not None and one.due_at < now,
            "escalated_at": local(one.escalated_at).isoformat() if one.escalated_at else None,
            "item": one.item,
            "region": one.region,
            "ended_at": local(one.ended_at).isoformat() if one.ended_at else None,
            "allowed": [
                {"step": n, "title": its.steps[n].title, "title_en": its.steps[n].title_en, "needs": its.steps[n].needs}
                for n in names
            ],
        }


def _roles(one: StoredTask, caller: Caller) -> tuple[Role, ...]:
    """What a caller is to a task; who is several may take the steps of each."""
    if caller.party == OPERATOR:
        return ("dispatcher", "hub", "anyone")
    roles: list[Role] = []
    if caller.party == one.assignee:
        roles.append("assignee")
    if caller.party == one.sender:
        roles.append("sender")
    return (*roles, "anyone")


def _role(its: Flow, one: StoredTask, step: str, caller: Caller) -> Role:
    """As whom a caller takes a step."""
    roles = _roles(one, caller)
    return next((role for role in roles if step in allowed(its, one.state, role)), roles[0])


def _assignee(generation: Generation, one: StoredTask, said: Mapping[str, str]) -> str:
    """Whom it belongs to after the step.  Raises UnknownName when `party` names nobody."""
    named = said.get(PARTY, "").strip()
    parties = generation.settings.parties
    if named and named not in parties:
        raise UnknownName.of("party", "接入方", named, parties)
    return named or one.assignee


def _through(generation: Generation, party: str, dataset: str) -> str:
    """The connection an answer goes through: one of the party's that takes the data set in the standard's words."""
    for name, settings in generation.settings.connections.items():
        if settings.party == party and not settings.mapping and settings.dataset == dataset and not settings.tasks:
            return name
    raise StepNotAllowed(
        f"{party} has no connection for {dataset}, so the answer cannot go back",
        what_zh=f"{party} 没有报送 {dataset} 的接入，反馈无法送回",
        hint=f'add [connections.{party}-answers] with party = "{party}" and dataset = "{dataset}"',
        hint_zh=f'请增加 [connections.{party}-answers]，party = "{party}"，dataset = "{dataset}"',
    )


def _shared(its: Flow) -> set[str]:
    """Elements that number the thing: they go back with every answer."""
    found: set[str] = set()
    for opening in its.opened_by.values():
        found |= {opening.number, opening.sender, opening.item, *opening.pair} - {""}
    return found


def _must_fit(judged: Sequence[Mapping[str, Any]]) -> None:
    """Raises BadRecord with every fault of the answer; an opening that is still on its way is none."""
    told = [f for one in judged for f in one["findings"] if f["severity"] == "error"]
    if not told:
        return
    raise BadRecord(
        "the answer does not fit: " + "; ".join(f"{f['element']}: {f['text_en']}" for f in told),
        what_zh="内容有误，未作任何变动：" + "；".join(f"{f['element']}：{f['text']}" for f in told),
        hint="mend these elements and take the step again",
        hint_zh="请改正上述数据项后重新提交",
    )


def _written(moment: datetime) -> str:
    return local(moment).strftime("%Y-%m-%d %H:%M:%S")
