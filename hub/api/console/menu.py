"""What stands in the menu of each room, and the right it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.ledger.credentials import Holder
from standards.rights import Right


@dataclass(frozen=True, slots=True)
class Item:
    """One line: its name is the address and the key of its text."""

    name: str
    right: Right = Right.SEE
    #: Whether it is also for who is confined to a region.
    regional: bool = False

    def open_to(self, holder: Holder) -> bool:
        """Whether somebody sees it."""
        return holder.may(self.right) and (self.regional or not holder.region)


MENUS: Mapping[str, tuple[Item, ...]] = {
    "console": (
        Item("overview", regional=True),
        Item("flows", regional=True),
        Item("alarms"),
        Item("search", regional=True),
        Item("cases", regional=True),
        Item("failures"),
        Item("tasks", regional=True),
        Item("submissions"),
        Item("replays", Right.REPLAY),
        Item("sharing"),
        Item("reconciliations"),
        Item("coverage", regional=True),
        Item("reports", regional=True),
        Item("notices"),
        Item("parties"),
        Item("standards"),
        Item("people", Right.PEOPLE),
        Item("audit", Right.AUDIT),
    ),
    "sender": (
        Item("overview"),
        Item("cases"),
        Item("tasks"),
        Item("submissions"),
        Item("entry", Right.HAND_OVER),
        Item("templates"),
        Item("sharing"),
        Item("reconciliations"),
        Item("coverage"),
        Item("reports"),
        Item("notices"),
        Item("standards"),
        Item("people", Right.PEOPLE),
    ),
}
