"""Every role against every page and route, generated from the routes: nothing is open that is not named so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from adapters.soap.contract import OPERATIONS
from hub.api.console.visit import COOKIE, form_token
from hub.api.soap import _RIGHTS
from standards.rights import OF_PARTIES, ROLES, Right, Role
from tests.adapters.soap.test_incoming import envelope, record
from tests.hub.api.conftest import Door
from tests.hub.people import a_person, a_session

#: Method and path -> why nobody must be logged in.
OPEN = {
    "GET /healthz": "machines ask whether the process lives; it tells nothing else",
    "GET /readyz": "the same, before traffic is sent here",
    "GET /openapi.json": "the description of the interface",
    "GET /docs": "the same for people",
    "GET /docs/oauth2-redirect": "belongs to the page of the description",
    "MOUNT /static-offline-docs": "its style and script",
    "GET /soap": "the contract, which says no more than the description",
    "POST /soap": "each operation asks for its right itself and refuses with the declared fault: test_soap_rights",
    "GET /v1/standards/datasets": "the standard is public",
    "GET /v1/standards/datasets/{name}": "the standard is public",
    "GET /v1/standards/datasets/{name}/{form}": "the standard is public",
    "GET /v1/standards/codelists/{name}": "the standard is public",
    "POST /v1/sessions": "the way in",
}
for _room in ("console", "sender"):
    OPEN |= {
        f"GET /{_room}/style.css": "how the log-in looks",
        f"GET /{_room}/icon.svg": "how the log-in looks",
        f"GET /{_room}/language": "of the log-in",
        f"GET /{_room}/login": "the way in",
        f"POST /{_room}/login": "the way in",
        f"GET /{_room}/oidc/start": "the way in",
        f"GET /{_room}/oidc": "the way in",
    }
#: What needs an address of this machine or a right: asked from here it answers.
LOCAL = {"GET /metrics"}
#: Words of every refusal for want of a right.
REFUSED = "缺少权限"
#: Sent to every form of an API route.
UUID_ = "0192f0c1-0000-7000-8000-000000000001"

HOW = (
    "declare one right: on the API `who: Sees` or another of hub/api/access.py (or Depends(needs(Right.X))), on pages "
    "`visit: Viewer`, Depends(sees(Right.X)), Depends(acts(Right.X)); Depends(own(…)) for one's own log-in; "
    "or name the route in OPEN of tests/hub/api/test_rights.py with the reason"
)


@dataclass(frozen=True)
class Place:
    """One method of one route, and what it declares."""

    method: str
    path: str
    rights: tuple[Right, ...] = ()
    own: bool = False
    of_hub: bool = False
    regional: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def room(self) -> str:
        return self.path.split("/")[1] if self.path.startswith(("/console", "/sender")) else ""

    @property
    def address(self) -> str:
        """The path with something in its gaps."""
        known = {"turn": "pause"}
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda gap: known.get(gap[1], UUID_), self.path)

    def open_to(self, rights: frozenset[Right], party: str) -> bool:
        """Whether somebody with these rights gets in."""
        if self.room and (self.room == "sender") != bool(party):
            return False
        return self.rights[0] in rights and not (self.of_hub and party)


def calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for one in dependant.dependencies:
        if one.call is not None:
            yield one.call
        yield from calls(one)


def places_of(app: FastAPI) -> Iterator[Place]:
    for route in iter_route_contexts(app.routes):
        path = route.path or ""
        if not isinstance(route.original_route, APIRoute):
            methods = sorted(route.methods or {"MOUNT"})
            yield from (Place(method, path) for method in methods if method not in ("HEAD", "OPTIONS"))
            continue
        held = [one for one in calls(route.dependant) if hasattr(one, "right") or hasattr(one, "own")]
        rights = tuple(one.right for one in held if hasattr(one, "right"))
        for method in sorted(route.methods or ()):
            yield Place(
                method,
                path,
                rights,
                own=any(getattr(one, "own", False) for one in held),
                of_hub=any(getattr(one, "of_hub", False) for one in held),
                regional=any(getattr(one, "regional", False) for one in held),
            )


@pytest.fixture(scope="module")
def places(door: Door) -> list[Place]:
    server = door.running.server
    assert server is not None
    return list(places_of(server.app))


@pytest.fixture(scope="module")
def guarded(places: list[Place]) -> list[Place]:
    return [one for one in places if len(one.rights) == 1 and not one.own and one.name not in LOCAL]


class Visitor:
    """Asks as a person does: a page with the cookie and the form's token, the API with the token as bearer."""

    def __init__(self, door: Door, token: str) -> None:
        self.token = token
        self.client = httpx2.Client(base_url=door.running.address, timeout=60)

    def ask(self, place: Place) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.token}"} if self.token and not place.room else {}
        if self.token and place.room:
            headers["cookie"] = f"{COOKIE}={self.token}"
        if place.method == "GET" or not place.room:
            body = {"json": {}} if place.method != "GET" else {}
            return self.client.request(place.method, place.address, headers=headers, **body)
        return self.client.request(
            place.method, place.address, headers=headers, data={"token": form_token(self.token) if self.token else "x"}
        )


def let_in(answer: httpx2.Response) -> bool:
    """Whether it was answered, be it that nothing is there; not whether it was done."""
    if answer.status_code == 401 or (answer.status_code == 303 and "/login" in answer.headers["location"]):
        return False
    return not (answer.status_code == 403 and REFUSED in answer.text)


def test_every_route_declares_exactly_one_right_or_is_named_open(places: list[Place]) -> None:
    wrong = []
    for one in places:
        declared = len(set(one.rights)) + one.own + (one.name in OPEN)
        if declared != 1:
            wrong.append(f"{one.name}: {declared} declarations ({', '.join(one.rights)})")
    assert wrong == [], f"{wrong}\n{HOW}"
    assert len(places) > 100, "the routes were found"


def test_nothing_is_named_open_that_is_not_there(places: list[Place]) -> None:
    assert set(OPEN) <= {one.name for one in places}


def test_without_a_log_in_nothing_answers_that_is_not_named_open(door: Door, places: list[Place]) -> None:
    stranger = Visitor(door, "")

    answered = [
        f"{one.name}: {answer.status_code}"
        for one in places
        if one.name not in OPEN and one.name not in LOCAL and let_in(answer := stranger.ask(one))
    ]

    assert answered == []


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_in_where_its_rights_say_and_nowhere_else(door: Door, guarded: list[Place], role: Role) -> None:
    hub = door.running.hub
    party = "ecology" if role in OF_PARTIES else ""
    name = a_person(hub, f"role.{role}".replace("_", "-"), party=party, roles=[role])
    visitor = Visitor(door, a_session(hub, name))

    wrong = []
    for place in guarded:
        expected = place.open_to(ROLES[role], party)
        answer = visitor.ask(place)
        assert answer.status_code < 500, (place.name, answer.text[:500])
        if let_in(answer) != expected:
            wrong.append(f"{place.name} ({place.rights[0]}): {answer.status_code}, expected {expected}")

    assert wrong == []


def test_a_viewer_of_the_hub_sees_and_does_nothing(door: Door, guarded: list[Place]) -> None:
    hub = door.running.hub
    visitor = Visitor(door, a_session(hub, a_person(hub, "viewer.of.hub", roles=[Role.VIEWER])))

    opened = {place.rights[0] for place in guarded if let_in(visitor.ask(place))}

    assert opened == {Right.SEE}


def test_a_person_without_roles_gets_in_nowhere(door: Door, guarded: list[Place]) -> None:
    hub = door.running.hub
    visitor = Visitor(door, a_session(hub, a_person(hub, "nobody.yet")))

    assert [place.name for place in guarded if let_in(visitor.ask(place))] == []


def test_a_region_administrator_gets_in_where_a_route_is_cut_to_the_region(door: Door, guarded: list[Place]) -> None:
    hub = door.running.hub
    name = a_person(hub, "region.admin", roles=[Role.REGION_ADMIN], region="140211")
    visitor = Visitor(door, a_session(hub, name))

    opened = {place.name for place in guarded if let_in(visitor.ask(place))}

    rights = ROLES[Role.REGION_ADMIN]
    assert opened == {place.name for place in guarded if place.regional and place.open_to(rights, "")}
    assert "GET /console/cases" in opened


def test_a_key_with_one_right_opens_what_that_right_opens(door: Door, guarded: list[Place]) -> None:
    made = door.operator.post("/v1/keys", json={"party": "ecology", "rights": ["see"]}).json()
    caller = Visitor(door, made["key"])

    for place in guarded:
        if not place.room:
            expected = place.rights[0] is Right.SEE and not place.of_hub
            assert let_in(caller.ask(place)) == expected, place.name


def test_a_key_is_no_session(door: Door, guarded: list[Place]) -> None:
    """Else who has a key is on the pages where keys may not log in."""
    visitor = Visitor(door, door.key("ecology"))

    assert [one.name for one in guarded if one.room and let_in(visitor.ask(one))] == []


def test_the_ids_that_the_matrix_sends_are_ids() -> None:
    assert str(UUID(UUID_)) == UUID_


@pytest.mark.parametrize(
    ("operation", "right", "inner"),
    [
        ("submit", Right.HAND_OVER, f"<connection>x</connection>{record(a='b')}"),
        ("submitXml", Right.HAND_OVER, "<connection>x</connection><content/>"),
        ("sendParcel", Right.HAND_OVER, "<event>{}</event>"),
        ("getReceipt", Right.SEE, "<receiptNo>1</receiptNo>"),
        ("fetch", Right.UNMASK, ""),
        ("confirm", Right.HAND_OVER, f"<parcel>{UUID_}</parcel>"),
    ],
)
def test_soap_rights(door: Door, operation: str, right: Right, inner: str) -> None:
    """Each operation needs the right of its twin; an operation that is added needs one too."""
    refused = {}
    for given in (right, next(one for one in (Right.SEE, Right.TASKS) if one is not right)):
        made = door.operator.post("/v1/keys", json={"party": "ecology", "rights": [given]}).json()
        answer = httpx2.post(
            f"{door.running.address}/soap",
            content=envelope(operation, inner),
            headers={"authorization": f"Bearer {made['key']}", "content-type": "text/xml"},
        )
        refused[given] = REFUSED in answer.text
        assert "请求不符合接口约定" not in answer.text, answer.text

    assert set(OPERATIONS) == set(_RIGHTS)
    assert refused.pop(right) is False
    assert list(refused.values()) == [True]
