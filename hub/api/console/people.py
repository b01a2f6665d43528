"""People and keys: who has an account, with which roles; of the hub, or of a party for its own administrator."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from hub.api import keys
from hub.api.access import keeper_of
from hub.api.console.visit import Page, Visit, acts, sees
from hub.people.desk import Powers
from standards.errors import HubError
from standards.rights import OF_PARTIES, OF_THE_HUB, TITLES, Right, Role

router = APIRouter(route_class=Page)

Manager = Annotated[Visit, Depends(sees(Right.PEOPLE))]
Managing = Annotated[Visit, Depends(acts(Right.PEOPLE))]
Short = Annotated[str, Form(max_length=80)]
Roles = Annotated[list[Role], Form()]
Rights = Annotated[list[Right], Form()]
Region = Annotated[str, Form(pattern=r"^(\d{6})?$")]
#: Single rights that are given beside roles; the others come with the role of an administrator.
_SINGLE = tuple(right for right in Right if right not in (Right.SETTINGS, Right.PEOPLE, Right.AUDIT))


@router.get("/people")
def people(visit: Manager) -> Response:
    """Everybody, the keys, and forms for another of each."""
    return _page(visit)


def _page(visit: Visit, error: HubError | None = None, **shown: str) -> Response:
    parties = visit.hub.generations.current().settings.parties
    return visit.page(
        "people",
        "people",
        error.status if error is not None else 200,
        wrong=visit.wrong(error) if error is not None else "",
        people=visit.hub.people().listed(visit.holder),
        keys=keys.listed(visit.hub, visit.holder),
        parties=[(name, one.title) for name, one in parties.items() if visit.scope(name)],
        **_choices(visit),
        **{"made_for": "", "secret": "", **shown},
    )


def _choices(visit: Visit) -> dict[str, object]:
    english = visit.language == "en"
    roles = [(role, TITLES[role][1 if english else 0]) for role in Role if not visit.party or role in OF_PARTIES]
    rights = [right for right in _SINGLE if not visit.party or (right not in OF_THE_HUB and visit.holder.may(right))]
    return {"all_roles": roles, "all_single": rights, "here_party": visit.party}


@router.post("/people")
def add(
    visit: Managing,
    name: Short = "",
    title: Short = "",
    party: Short = "",
    roles: Roles = [],  # noqa: B006 - read only
    rights: Rights = [],  # noqa: B006
    region: Region = "",
) -> Response:
    """Somebody new; the first password is shown once."""
    powers = Powers(roles=frozenset(roles), more=frozenset(rights), region=region)
    try:
        password = visit.hub.people().add(visit.holder, name.strip(), title, visit.party or party, powers)
    except HubError as error:
        return _page(visit, error)
    return _page(visit, made_for=name.strip(), secret=password)


@router.get("/people/{name}")
def one(visit: Manager, name: str) -> Response:
    """One person, and what can be changed."""
    return _one(visit, name)


def _one(visit: Visit, name: str, error: HubError | None = None, secret: str = "") -> Response:
    return visit.page(
        "person",
        "people",
        error.status if error is not None else 200,
        wrong=visit.wrong(error) if error is not None else "",
        one=visit.hub.people().one(visit.holder, name),
        secret=secret,
        **_choices(visit),
    )


@router.post("/people/{name}/roles")
def empower(
    visit: Managing,
    name: str,
    roles: Roles = [],  # noqa: B006 - read only
    rights: Rights = [],  # noqa: B006
    region: Region = "",
) -> Response:
    """Roles and rights from now on."""
    powers = Powers(roles=frozenset(roles), more=frozenset(rights), region=region)
    try:
        visit.hub.people().empower(visit.holder, name, powers)
    except HubError as error:
        return _one(visit, name, error)
    return visit.back(f"people/{name}", visit.text("done"))


@router.post("/people/{name}/state")
def stand(visit: Managing, name: str, active: Annotated[bool, Form()], reason: Short = "") -> Response:
    """Whether they may log in."""
    visit.hub.people().set_active(visit.holder, name, active=active, reason=reason)
    return visit.back(f"people/{name}", visit.text("done"))


@router.post("/people/{name}/reset")
def reset(visit: Managing, name: str, factor: Annotated[bool, Form()] = False) -> Response:
    """A new password to begin with, shown once."""
    password = visit.hub.people().reset(visit.holder, name, factor=factor)
    return _one(visit, name, secret=password)


@router.post("/keys")
def new_key(visit: Managing, party: Short = "", note: Short = "", rights: Rights = []) -> Response:  # noqa: B006
    """A key for a machine, shown once."""
    try:
        identifier, key = keys.make(visit.hub, visit.holder, visit.party or party, note, set(rights))
    except HubError as error:
        return _page(visit, error)
    return _page(visit, made_for=identifier, secret=key)


@router.post("/keys/{identifier}/revoke")
def revoke(visit: Managing, identifier: str) -> Response:
    """It counts no more."""
    keys.end(visit.hub, visit.holder, identifier)
    keeper_of(visit.request).forget()
    return visit.back("people", visit.text("done"))
