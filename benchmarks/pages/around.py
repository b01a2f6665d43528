"""What stands around the records: tasks with their steps, what never came, notices, looks, counters of each day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from benchmarks.pages.city import parties
from benchmarks.pages.rows import Rows, identifier_at
from hub.ledger.tables import case_, look, notice, tally, task, task_step
from standards.flows import flows
from standards.registry import Standard

_OPEN = 0.05
_YEAR = 365


@dataclass(slots=True)
class Around:
    """Adds it to the rows that will be written."""

    standard: Standard
    now: datetime
    random: Random
    due: Callable[[datetime], datetime | None]

    def add(self, rows: Rows, count: int, tallies: Mapping[tuple[str, str, str, str, str], int]) -> None:
        """`count` tasks, and as many notices and looks."""
        for n in range(count):
            self._task(rows, n, count)
        self._missing(rows, max(len(parties()), count // 50))
        self._notices(rows, count)
        self._looks(rows, count)
        keys = list(zip(*tallies, strict=True))
        names = ("day", "party", "dataset", "destination", "name")
        columns = {name: list(column) for name, column in zip(names, keys, strict=True)}
        rows.add(tally, len(tallies), {**columns, "count": list(tallies.values()), "folded": True})

    def _ago(self, n: int, count: int) -> datetime:
        return self.now - timedelta(days=_YEAR * (1 - n / count), minutes=5)

    def _task(self, rows: Rows, n: int, count: int) -> None:
        names, at = list(flows()), self._ago(n, count)
        its = flows()[names[n % len(names)]]
        states = [name for name, state in its.states.items() if not state.end]
        final = next(name for name, state in its.states.items() if state.end)
        ended = None if n > count * (1 - _OPEN) else at + timedelta(days=self.random.uniform(1, 9))
        state = final if ended else self.random.choice(states)
        identifier, steps = identifier_at(at, n), self.random.randint(1, 4)
        departments = list(parties())
        rows.add(
            task,
            1,
            {
                **{"id": identifier, "flow": its.flow, "source": "bench", "number": f"T{n:08}", "addressed": ""},
                **{"pair": "[]", "sender": "centre", "assignee": departments[n % len(departments)]},
                **{"dataset": next(iter(its.opened_by)), "submission_id": identifier_at(at), "row_no": 1},
                **{"state": state, "steps": steps, "opened_at": at, "since": at, "due_at": self.due(at)},
                **{"ended_at": ended, "urge_at": None},
            },
        )
        rows.add(
            task_step,
            steps,
            {
                **{"task_id": identifier, "no": list(range(1, steps + 1)), "step": next(iter(its.steps))},
                **{"state": state, "party": "centre", "actor": "bench", "at": at, "said": b"{}", "key_ref": None},
            },
        )

    def _missing(self, rows: Rows, count: int) -> None:
        """未报送."""
        datasets = [one.id for one in self.standard]
        when = [self.now - timedelta(days=n % 30, minutes=5) for n in range(count)]
        rows.add(
            case_,
            count,
            {
                **{"id": [identifier_at(at, n) for n, at in enumerate(when)], "class_": "1", "state": "1"},
                **{"party": [list(parties())[n % 28] for n in range(count)], "owner": "", "key_hash": None},
                **{"dataset": [datasets[n % len(datasets)] for n in range(count)], "submission_id": None},
                **{"code": "40001", "row_no": None, "opened_at": when, "last_at": when},
                **{"due_at": [self.due(at) for at in when], "closed_at": None, "closed_by": ""},
                **{"element": "", "cause": [f"{n % 9973:016x}" for n in range(count)]},
            },
        )

    def _notices(self, rows: Rows, count: int) -> None:
        when = [self._ago(n, count) for n in range(count)]
        whom = ["", "above", *parties()]
        rows.add(
            notice,
            count,
            {
                **{"id": [identifier_at(at, n) for n, at in enumerate(when)], "at": when},
                **{"whom": [whom[n % len(whom)] for n in range(count)], "says": "opened"},
                **{"about": [f"case:bench:{n}" for n in range(count)], "detail": '{"code":"10001","cases":1}'},
            },
        )

    def _looks(self, rows: Rows, count: int) -> None:
        when = [self._ago(n, count) for n in range(count)]
        owners = list(parties().values())
        rows.add(
            look,
            count,
            {
                **{"id": [identifier_at(at, n) for n, at in enumerate(when)], "at": when, "party": "p00"},
                **{"actor": "bench", "owner": [owners[n % len(owners)] for n in range(count)]},
                **{"dataset": "punish_action", "way": "query", "purpose": "bench", "count": 1},
            },
        )
