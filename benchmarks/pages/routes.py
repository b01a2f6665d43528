"""Every page there is, out of the application itself, and real values for what an address holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi.routing import APIRoute
from sqlalchemy import Connection, func, select

from hub.api.console import routers
from hub.ledger.tables import case_, record_head, replay, submission, task
from hub.settings import Settings
from standards.registry import Standard

_NO_PAGES = ("/style.css", "/icon.svg", "/language")
#: Only a person sees them; here keys log in.
OF_PERSONS = ("/oidc", "/oidc/start", "/login", "/code", "/password", "/factor", "/me", "/people", "/people/{name}")
METRICS = "/metrics"
#: What a query may hold besides what it must; a rehearsal is a deed that takes its time and says so.
_NEVER = ("said", "rehearse")
_ASKED = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """One page as it is asked."""

    #: As the application names it.
    route: str
    url: str

    @property
    def room(self) -> str:
        """Whose room it is in."""
        return self.route.split("/")[1]


#: Without its query nothing is shown.
_WHOLE = ("/rectification",)
#: A rejected record and its row stand for both names.
_REJECTED = "/edit/{receipt_no}/{row}"
#: What a name means in one place, where it alone does not say.
_MEANS = {
    "/flows/to/{name}": "destination",
    "/flows/party/{name}": "party",
    "/flows/from/{name}": "connection",
    "/standards/{name}": "dataset",
    "/standards/lists/{name}": "codelist",
    "/entry/{dataset}": "own",
    "/reconciliations/{identifier}": "reconciliation",
    "/records/of/{key}": "key",
    "/failures/{group}": "cause",
    "/mending/{identifier}": "replay",
}


class NoValue(Exception):
    """Nothing in the ledger, or nobody said what, stands for a name in an address."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a room."""

    room: str
    route: APIRoute

    @property
    def path(self) -> str:
        """As the application names it."""
        return f"/{self.room}{self.route.path_format}"


def pages() -> list[Page]:
    """Everything that can be looked at; files beside the pages and the switch of the language are none."""
    found = {}
    for room, router in routers():
        for route in router.routes:
            if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and route.path not in _NO_PAGES:
                found[room, route.path.rstrip("/")] = Page(room, route)
    return list(found.values())


def values(connection: Connection, settings: Settings, standard: Standard, party: str) -> dict[str, list[Any]]:
    """By name: what may stand in an address; of a party (empty: the operator's) what it may see."""
    mine = submission.c.party == party if party else submission.c.party != ""
    newest = select(submission.c.receipt_no).where(mine).order_by(submission.c.received_at.desc()).limit(_ASKED)
    largest = select(submission.c.receipt_no).where(mine).order_by(submission.c.read.desc()).limit(_ASKED)
    tasks = select(task.c.id).where(task.c.ended_at.is_(None)).limit(_ASKED)
    flows = select(task.c.flow).where(task.c.ended_at.is_(None)).group_by(task.c.flow)
    if party:
        tasks, flows = tasks.where(task.c.assignee == party), flows.where(task.c.assignee == party)
    wrong = select(case_.c.party).where(case_.c.closed_at.is_(None), case_.c.party != "").distinct().limit(_ASKED)
    heads = (
        select(record_head.c.cd_id, record_head.c.subject, record_head.c.key_hash)
        .where(record_head.c.subject != "")
        .limit(_ASKED)
    )
    causes = select(case_.c.cause).where(case_.c.closed_at.is_(None), case_.c.cause != "").distinct().limit(_ASKED)
    rejected = (
        select(submission.c.receipt_no, case_.c.row_no)
        .join(case_, case_.c.submission_id == submission.c.id)
        .where(case_.c.closed_at.is_(None), case_.c.class_ == "2")
        .limit(_ASKED)
    )
    if party:
        heads = heads.where(record_head.c.party == party)
    about = connection.execute(heads).all()
    numbers = list(connection.execute(newest).scalars()) + list(connection.execute(largest).scalars())
    found: dict[str, list[Any]] = {
        "receipt_no": numbers,
        "task": list(connection.execute(tasks).scalars()),
        "flow": list(connection.execute(flows).scalars()),
        "party": [party] if party else list(connection.execute(wrong).scalars()),
        "case": list(connection.execute(select(case_.c.id).where(case_.c.closed_at.is_(None)).limit(_ASKED)).scalars()),
        "cause": list(connection.execute(causes).scalars()),
        "rejected": [tuple(row) for row in connection.execute(rejected)],
        "replay": list(connection.execute(select(replay.c.id).limit(_ASKED)).scalars()),
        "dataset": [one.id for one in standard],
        "connection": [name for name, one in settings.connections.items() if not party or one.party == party],
        "own": [one.dataset for one in settings.connections.values() if one.dataset and one.party == party],
        "destination": list(settings.destinations),
        "cd_id": [row[0] for row in about],
        "subject": [row[1] for row in about],
        "key": [bytes(row[2]).hex() for row in about],
        "codelist": [one.list for dataset in standard for one in dataset.elements if one.list],
        "row": [1],
        "code": ["10001", "10005"],
    }
    found["row_no"] = found["row"]
    found["q"] = [*numbers[:10], *found["cd_id"][:10], *found["subject"][:10]]
    found["at"] = list(
        connection.execute(select(func.max(record_head.c.event_date)).where(record_head.c.event_date != "")).scalars()
    )
    return found


def unasked(found: Iterable[Page], wanted: Iterable[Asked]) -> list[str]:
    """Pages for which there was nothing to ask."""
    return sorted({page.path for page in found} - {one.route for one in wanted})


def asked(found: Iterable[Page], room: str, known: Mapping[str, Sequence[Any]], each: int) -> list[Asked]:
    """`each` addresses of every page of a room: every other one with all that its query may hold."""
    random, made = Random(3), []
    for page in found:
        if page.room != room or page.route.path_format in OF_PERSONS:
            continue
        with suppress(NoValue):
            made += [Asked(page.path, _address(page, known, random, whole=n % 2 == 1)) for n in range(each)]
    return made


def _address(page: Page, known: Mapping[str, Sequence[Any]], random: Random, *, whole: bool) -> str:
    words = {one.name: _value(page, one, known, random) for one in page.route.dependant.path_params}
    if page.route.path_format == _REJECTED and known["rejected"]:
        words = dict(zip(words, random.choice(known["rejected"]), strict=True))
    query = {}
    for one in _query(page.route):
        may = whole and one.name not in _NEVER and _choices(page, one, known)
        if one.field_info.is_required() or may or page.route.path_format in _WHOLE:
            query[one.alias] = _value(page, one, known, random)
    return page.path.format(**words) + (f"?{urlencode(query)}" if query else "")


def _query(route: APIRoute) -> list[Any]:
    found = list(route.dependant.query_params)
    for one in route.dependant.dependencies:
        found += one.query_params
    return found


def _choices(page: Page, one: Any, known: Mapping[str, Sequence[Any]]) -> Sequence[Any]:
    named = [word for word in get_args(one.field_info.annotation) if isinstance(word, str)]
    path = page.route.path_format
    in_path = f"{{{one.name}}}" in path
    return named or known.get(_MEANS.get(path, one.name) if in_path else one.name, ())


def _value(page: Page, one: Any, known: Mapping[str, Sequence[Any]], random: Random) -> Any:
    choices = _choices(page, one, known)
    if not choices:
        raise NoValue(f"{page.path}: {one.name}")
    return random.choice(choices)
