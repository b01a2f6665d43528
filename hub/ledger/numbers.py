"""Running numbers that survive everything: receipt numbers and batch numbers."""

from __future__ import annotations

import threading
from datetime import datetime

from sqlalchemy import Connection, select, update

from hub.ledger.engine import Ledger
from hub.ledger.sql import insert_new, insert_of
from hub.ledger.tables import number
from standards.clock import SHANGHAI


def take(connection: Connection, series: str, day: str, count: int) -> int:
    """The first of `count` numbers of a series and day, for good."""
    statement = insert_of(connection, number).values(series=series, day=day, next=count + 1)
    statement = statement.on_conflict_do_update(
        index_elements=["series", "day"], set_={"next": number.c.next + count}
    ).returning(number.c.next)
    following: int = connection.execute(statement).scalar_one()
    return following - count


def peek(connection: Connection, series: str, day: str) -> int:
    """The number that would come next."""
    found = connection.execute(select(number.c.next).where(number.c.series == series, number.c.day == day)).scalar()
    return found or 1


def raise_to(connection: Connection, series: str, day: str, least: int) -> None:
    """Never give a number below `least`; used after a restore."""
    if not insert_new(connection, number, {"series": series, "day": day, "next": least}):
        connection.execute(
            update(number)
            .where(number.c.series == series, number.c.day == day, number.c.next < least)
            .values(next=least)
        )


def batches_of(provider: str) -> str:
    """The series of the batch numbers of a provider, by its credit code."""
    return f"batch:{provider}"


def check_digit(digits: str) -> str:
    """ISO 7064 MOD 11,10 over a text of digits."""
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def receipt_number(day: str, running: int) -> str:
    """`261123-000042-7`: day, running number of the day, check digit.  Sorts by time; can be read over a telephone."""
    serial = f"{running:06}"
    return f"{day[2:]}-{serial}-{check_digit(day[2:] + serial)}"


def is_receipt_number(text: str) -> bool:
    """True when the text has the form and the check digit of a receipt number."""
    parts = text.split("-")
    if len(parts) != 3 or not all(p.isascii() and p.isdigit() for p in parts):
        return False
    return len(parts[0]) == 6 and len(parts[1]) >= 6 and check_digit(parts[0] + parts[1]) == parts[2]


class ReceiptNumbers:
    """Gives out receipt numbers; takes them from the ledger some dozens at a time."""

    def __init__(self, ledger: Ledger, block: int = 50) -> None:
        self._ledger = ledger
        self._block = block
        self._lock = threading.Lock()
        self._day = ""
        self._next = 0
        self._end = 0

    def next(self, now: datetime) -> str:
        """The next number of the day.  A number may stay unused after a crash, but none is given twice."""
        day = now.astimezone(SHANGHAI).strftime("%Y%m%d")
        with self._lock:
            if day != self._day or self._next >= self._end:
                first = self._ledger.write(lambda connection: take(connection, "receipt", day, self._block))
                self._day, self._next, self._end = day, first, first + self._block
            running = self._next
            self._next += 1
        return receipt_number(day, running)
