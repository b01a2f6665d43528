"""What a simulated counterpart can be made to do wrong.  Shares are chances from 0 to 1, changeable while it runs."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, fields
from typing import Any
from zlib import crc32

_WHOLE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The switches."""

    #: Seconds before it answers, or before it looks at a row.
    slow: float = 0.0
    #: Share of requests answered with status 503, and of looks into the tables that come to nothing.
    failing: float = 0.0
    #: Share of records that it refuses although they are right, by their key: a repeat is refused again.
    wrong: float = 0.0
    #: Share of parcels that reach it twice.
    duplicate: float = 0.0
    #: Verdicts come in another order than the parcels.
    out_of_order: bool = False
    #: Share of parcels that are kept, but whose sender never hears of it.
    lost_answer: float = 0.0
    #: It hangs up at once.
    closed: bool = False

    @classmethod
    def of(cls, values: dict[str, Any]) -> Faults:
        """From a mapping; raises ValueError for words it does not know."""
        if unknown := set(values) - {f.name for f in fields(cls)}:
            raise ValueError(f"unknown switches: {sorted(unknown)}")
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """All switches."""
        return asdict(self)

    def refuses(self, cd_id: str) -> bool:
        """Whether a record is among the share that is refused; the same record always is."""
        return bool(self.wrong) and crc32(cd_id.encode()) % _WHOLE < self.wrong * _WHOLE


class Dice:
    """Chance that can be repeated."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a simulator, no secrets

    def falls(self, share: float) -> bool:
        """True in about this share of the cases."""
        return share > 0 and self._random.random() < share
