"""How much each destination has accepted and refused, and what is open still."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, select

from hub.ledger.engine import Ledger
from hub.ledger.tables import parcel


@dataclass(frozen=True, slots=True)
class Tally:
    """One destination: records accepted and refused by it, parcels still open, parcels that wait for a person."""

    accepted: int = 0
    refused: int = 0
    open: int = 0
    stopped: int = 0


def tally(ledger: Ledger) -> dict[str, Tally]:
    """Every destination that anything went to."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(
                parcel.c.destination,
                func.coalesce(func.sum(parcel.c.accepted), 0),
                func.coalesce(func.sum(parcel.c.refused), 0),
                func.coalesce(func.sum(case((parcel.c.ended_at.is_(None), 1), else_=0)), 0),
                func.coalesce(func.sum(case((parcel.c.state.in_(("parked", "in_doubt")), 1), else_=0)), 0),
            ).group_by(parcel.c.destination)
        ).all()
    return {row[0]: Tally(*map(int, row[1:])) for row in rows}
