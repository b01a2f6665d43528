"""What a person or a key may do: rights one by one, and the roles that bundle them.

Three administrators are apart (三员分立): who runs the system, who gives rights, and who reads what all of them did.
Seeing that a record exists, seeing what stands in it, sending it again and changing it are rights of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Right(StrEnum):
    """One thing that somebody may do."""

    SEE = "see"  # counts, states, findings, cases, receipts: no content
    BODIES = "bodies"  # raw bytes and content of records, personal elements masked
    UNMASK = "unmask"  # personal elements in full; each look is written down
    HAND_OVER = "hand_over"
    TASKS = "tasks"  # sign, answer, hand on
    CASES = "cases"  # take up, report nothing, waive
    OPERATE = "operate"  # pause, resume, test, retry, answer unknown codes, reconcile
    REPLAY = "replay"
    REPAIR = "repair"
    SHARE = "share"  # grants
    CIRCULATE = "circulate"  # send notices to rectify and circulars
    SETTINGS = "settings"  # put settings into force, backup
    PEOPLE = "people"  # users, their roles and rights, keys
    AUDIT = "audit"  # the journal, who looked at what


class Role(StrEnum):
    """A bundle of rights with a name."""

    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"
    REGION_ADMIN = "region_admin"
    OPERATOR = "operator"
    DEPARTMENT_ADMIN = "department_admin"
    SENDER = "sender"
    VIEWER = "viewer"


ROLES: Mapping[Role, frozenset[Right]] = {
    Role.SYSTEM_ADMIN: frozenset({Right.SEE, Right.SETTINGS}),
    Role.SECURITY_ADMIN: frozenset({Right.SEE, Right.PEOPLE}),
    Role.AUDIT_ADMIN: frozenset({Right.SEE, Right.AUDIT}),
    Role.REGION_ADMIN: frozenset({Right.SEE, Right.CASES, Right.TASKS, Right.SHARE, Right.CIRCULATE}),
    Role.OPERATOR: frozenset({Right.SEE, Right.OPERATE, Right.CASES, Right.TASKS, Right.REPLAY}),
    Role.DEPARTMENT_ADMIN: frozenset(
        {Right.SEE, Right.BODIES, Right.HAND_OVER, Right.TASKS, Right.CASES, Right.SHARE, Right.PEOPLE}
    ),
    Role.SENDER: frozenset({Right.SEE, Right.BODIES, Right.HAND_OVER, Right.TASKS, Right.CASES}),
    Role.VIEWER: frozenset({Right.SEE}),
}

#: Nobody is two of these.
APART: frozenset[Role] = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})

#: The rights that make them so: nobody has two of these either, however they were given.
OF_ADMINISTRATORS: frozenset[Right] = frozenset({Right.SETTINGS, Right.PEOPLE, Right.AUDIT})

#: Roles of people of a party; the others are of the hub's own people.
OF_PARTIES: frozenset[Role] = frozenset({Role.DEPARTMENT_ADMIN, Role.SENDER, Role.VIEWER})

#: Rights that only the hub's own people and keys can have.
OF_THE_HUB: frozenset[Right] = frozenset(
    {Right.OPERATE, Right.REPLAY, Right.REPAIR, Right.CIRCULATE, Right.SETTINGS, Right.AUDIT}
)

TITLES: Mapping[Role, tuple[str, str]] = {
    Role.SYSTEM_ADMIN: ("系统管理员", "system administrator"),
    Role.SECURITY_ADMIN: ("安全管理员", "security administrator"),
    Role.AUDIT_ADMIN: ("审计管理员", "audit administrator"),
    Role.REGION_ADMIN: ("区域管理员", "region administrator"),
    Role.OPERATOR: ("运维人员", "operator"),
    Role.DEPARTMENT_ADMIN: ("部门管理员", "department administrator"),
    Role.SENDER: ("报送人员", "sender"),
    Role.VIEWER: ("查看人员", "viewer"),
}


def rights_of(roles: Iterable[Role], more: Iterable[Right] = ()) -> frozenset[Right]:
    """Everything that these roles and single rights allow."""
    return frozenset(more).union(*(ROLES[role] for role in roles))


def clash(roles: Iterable[Role]) -> frozenset[Role]:
    """Which of these roles nobody may have together; empty: they go together."""
    both = APART & set(roles)
    return both if len(both) > 1 else frozenset()


def faults(roles: Iterable[Role], more: Iterable[Right], *, of_party: bool) -> list[tuple[str, str]]:
    """Why nobody may have these together, Chinese and English; empty: they may."""
    roles, more = set(roles), set(more)
    found = []
    everything = rights_of(roles, more)
    if len(everything & OF_ADMINISTRATORS) > 1:
        found.append(
            (
                "系统管理员、安全管理员、审计管理员三员分立，一人只能任其一",
                "nobody is two of system, security and audit administrator",
            )
        )
    if of_party and (alien := roles - OF_PARTIES):
        names = sorted(alien)
        found.append((f"接入方人员不能担任 {'、'.join(names)}", f"people of a party cannot be {', '.join(names)}"))
    if not of_party and (alien := roles & OF_PARTIES - {Role.VIEWER}):
        names = sorted(alien)
        found.append((f"枢纽人员不能担任 {'、'.join(names)}", f"the hub's own people cannot be {', '.join(names)}"))
    if of_party and (wrong := more & OF_THE_HUB):
        rights = sorted(wrong)
        found.append((f"接入方人员不能拥有 {'、'.join(rights)}", f"people of a party cannot have {', '.join(rights)}"))
    return found
