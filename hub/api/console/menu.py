"""What stands in the menu of each room, and the right it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from standards.rights import Right


@dataclass(frozen=True, slots=True)
class Item:
    """One line: its name is the address and the key of its text."""

    name: str
    right: Right = Right.SEE


MENUS: Mapping[str, tuple[Item, ...]] = {
    "console": (
        Item("overview"),
        Item("flows"),
        Item("alarms"),
        Item("search"),
        Item("cases"),
        Item("tasks"),
        Item("submissions"),
        Item("replays", Right.REPLAY),
        Item("sharing"),
        Item("reports"),
        Item("notices"),
    ),
    "sender": (
        Item("overview"),
        Item("cases"),
        Item("tasks"),
        Item("submissions"),
        Item("entry", Right.HAND_OVER),
        Item("templates"),
        Item("sharing"),
        Item("reports"),
        Item("notices"),
    ),
}
