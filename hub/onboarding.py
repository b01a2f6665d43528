"""Onboarding: a connection is live after a conformance run that it passed (摸底 → 对接中 → 联调 → 上线)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection as Db

from hub.generations import Generation
from hub.ledger import journal, memory
from hub.ledger.engine import Ledger
from hub.neighbours import ADAPTER as NEIGHBOUR
from hub.settings import Onboarding, Settings
from standards.clock import Clock, local_text
from standards.errors import BadConfiguration

STAGES = {"survey": "摸底", "connecting": "对接中", "joint_test": "联调", "live": "上线"}
#: Under which name a passed run is remembered.
PASSED = "onboarding.passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A conformance run: a sample that was judged as data would be."""

    at: str
    by: str
    file: str
    dataset: str
    mapping: str
    read: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a sample is good enough, and why not."""

    passed: bool
    why_zh: str = ""
    why: str = ""


def outcome(rules: Onboarding, counts: Mapping[str, int]) -> Outcome:
    """What the counts of a judged sample come to.  Pure."""
    read, accepted = counts["read"], counts["accepted"]
    if read < rules.records:
        return Outcome(
            False, f"样例只有 {read} 条，至少 {rules.records} 条", f"{read} record(s), at least {rules.records} wanted"
        )
    if accepted < rules.accepted * read:
        wanted = f"{rules.accepted:.1%}"
        return Outcome(
            False,
            f"通过 {accepted}/{read} 条，通过率须达到 {wanted}",
            f"{accepted} of {read} accepted, {wanted} wanted",
        )
    return Outcome(True)


def remember(ledger: Ledger, clock: Clock, connection: str, run: Run) -> None:
    """Write a passed run down, for good."""
    now = clock.now()

    def work(db: Db) -> None:
        memory.put(db, connection, PASSED, json.dumps(asdict(run), ensure_ascii=False), now)
        detail = {"connection": connection, "mapping": run.mapping, "read": run.read, "accepted": run.accepted}
        journal.append(db, [journal.Entry("conformance_passed", run.by, detail=detail)], now)

    ledger.write(work)


def passed_runs(ledger: Ledger) -> dict[str, Run]:
    """Connection -> the last conformance run it passed."""
    with ledger.read() as db:
        held = memory.of_all(db, PASSED)
    return {name: Run(**json.loads(value)) for name, value in held.items()}


def untested(settings: Settings, passed: Mapping[str, Run]) -> list[str]:
    """Connections that are to be live and must not be: no conformance run was passed.  Pure.

    A connection of another hub names a data set with each parcel and is tried as a whole by that hub.
    """
    if not settings.onboarding.required:
        return []
    return [
        name
        for name, told in settings.connections.items()
        if not told.is_test and told.adapter != NEIGHBOUR and name not in passed
    ]


def admit(settings: Settings, ledger: Ledger) -> None:
    """Raises BadConfiguration when a connection is to be live that has not passed a conformance run."""
    names = untested(settings, passed_runs(ledger))
    if names:
        raise BadConfiguration(
            f"not live without a passed conformance run (onboarding.required): {', '.join(names)}",
            what_zh=f"尚未通过联调测试，不能上线（onboarding.required）：{'、'.join(names)}",
            hint='set stage = "joint_test", then: hub connection test NAME SAMPLE',
            hint_zh='请先设 stage = "joint_test"，用 hub connection test 接入 样例文件 通过联调测试后再上线',
        )


def stages(generation: Generation, ledger: Ledger) -> list[dict[str, Any]]:
    """Where every connection stands: party, data set, stage, the last passed run, and what has changed since."""
    passed = passed_runs(ledger)
    rows = []
    for name, told in generation.settings.connections.items():
        run = passed.get(name)
        rows.append(
            {
                "connection": name,
                "party": told.party,
                "party_title": generation.settings.parties[told.party].title,
                "dataset": generation.dataset_of(name),
                "stage": told.stage,
                "stage_zh": STAGES[told.stage],
                "test": told.is_test,
                "passed": asdict(run) if run is not None else None,
                "mapping": generation.mapping_version(name),
                "mapping_changed": run is not None and run.mapping != generation.mapping_version(name),
            }
        )
    return rows


def a_run(clock: Clock, by: str, file: str, verdict: Mapping[str, Any]) -> Run:
    """The run that a verdict of `hub.judge` tells of."""
    counts = verdict["counts"]
    return Run(
        at=local_text(clock.now()),
        by=by,
        file=file,
        dataset=verdict["dataset"],
        mapping=verdict["mapping"],
        read=counts["read"],
        accepted=counts["accepted"],
    )
