"""What a folder source remembers of each file, from the moment it is offered until nobody asks any more."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import uuid4

from adapters.file.folder import Entry
from standards.ports import MemoryPort

_HEAD = "file:"
_OWNER = "owner"


@dataclass(slots=True)
class Held:
    """One file.  Without a receipt number it was only offered; without a place it still lies where it was found."""

    #: The submission's external id: one for each time a file is put into the folder.
    token: str
    name: str
    size: int
    modified_ns: int
    #: Its name from now on, free in every folder it will pass.
    kept_as: str
    offered_at: str
    receipt_no: str = ""
    place: str = ""
    #: What the receipt written last said.
    version: int = 0
    state: str = ""
    judged_at: str = ""

    def same_file(self, entry: Entry) -> bool:
        """Whether this is the file as it was when it was offered."""
        return (self.name, self.size, self.modified_ns) == (entry.name, entry.size, entry.modified_ns)

    def age(self, now: datetime) -> float:
        """Seconds since it was judged, or offered."""
        return (now - datetime.fromisoformat(self.judged_at or self.offered_at)).total_seconds()


class Remembered:
    """The files of one connection: in the hub's memory for good, and at hand here.

    Another process may have had the folder in the meantime; then everything is read again.
    """

    def __init__(self) -> None:
        self._me = uuid4().hex
        self._held: dict[str, Held] = {}

    def begin(self, memory: MemoryPort) -> None:
        """At the start of a round: make sure that what is at hand is true."""
        if memory.recall(_OWNER) == self._me:
            return
        self._held = {}
        for name in memory.names(_HEAD):
            if text := memory.recall(name):
                held = Held(**json.loads(text))
                self._held[held.token] = held
        memory.remember(_OWNER, self._me)

    def all(self) -> list[Held]:
        """Every file that is remembered."""
        return list(self._held.values())

    def offered(self, name: str) -> Held | None:
        """The file of that name that lies in the folder still, as far as is known."""
        return next((h for h in self._held.values() if h.name == name and not h.place), None)

    def keep(self, memory: MemoryPort, held: Held) -> None:
        """Remember, for good."""
        memory.remember(_HEAD + held.token, json.dumps(asdict(held)))
        self._held[held.token] = held

    def drop(self, memory: MemoryPort, held: Held) -> None:
        """Forget."""
        memory.forget(_HEAD + held.token)
        self._held.pop(held.token, None)

    def names(self) -> set[str]:
        """Names that are taken, in lower case."""
        return {h.kept_as.lower() for h in self._held.values()}
