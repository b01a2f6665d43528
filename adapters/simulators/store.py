"""What a simulated receiver holds: each revision of a row once, and every arrival counted."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, ...]


@dataclass(slots=True)
class Store:
    """Rows by their key, the newest last."""

    revisions: dict[Key, list[Any]] = field(default_factory=dict)
    arrivals: Counter[Key] = field(default_factory=Counter)
    #: Answers that were lost on purpose, hand-overs that came twice.
    lost: int = 0
    repeats: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: Key, row: Any) -> bool:
        """Store a row; False when it is what is held already."""
        with self._lock:
            self.arrivals[key] += 1
            held = self.revisions.setdefault(key, [])
            if row in held:
                self.repeats += 1
                return False
            held.append(row)
            return True

    def rows(self) -> list[Any]:
        """The newest of each."""
        with self._lock:
            return [held[-1] for held in self.revisions.values()]

    def __len__(self) -> int:
        return len(self.revisions)
