"""What both brokers promise; `tests/hub/broker/contract.py` holds them to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a worker gets it."""

    queue: str
    key: str
    id: str
    body: bytes
    #: How often it was handed out before this time.
    tries: int = 0
    #: W3C trace context; '' when it came without.
    traceparent: str = ""


#: Does the work of one message.  When it returns, the message is done; when it raises, the message comes again.
Handler = Callable[[Message], None]


class Consumer(Protocol):
    """Workers that take messages off some queues."""

    def stop(self, timeout: float = 30) -> None:
        """Take no more, finish what is in hand, give back the rest."""
        ...

    @property
    def alive(self) -> bool:
        """False when it has ended by itself and must be started again."""
        ...


class Broker(Protocol):
    """Carries messages from the ledger's outbox to workers.

    At least once: a message whose worker died, or raised, is handed out again; after DELIVERY_LIMIT times it goes to
    the dead letters and `dead` tells of it.  The ledger stays the truth: a broker may forget everything.
    """

    name: str

    def start(self) -> None:
        """Begin to carry; the outbox is moved until `stop`."""
        ...

    def stop(self) -> None:
        """Carry no more."""
        ...

    def consume(self, queues: Sequence[str], handler: Handler, *, threads: int = 1, prefetch: int = 1) -> Consumer:
        """Hand the messages of these queues to `handler`, in `threads` threads of each queue."""
        ...

    def depth(self, queue: str) -> int | None:
        """How many messages wait in a queue; None when it cannot be told now."""
        ...

    def depths(self, queues: Sequence[str]) -> Mapping[str, int] | None:
        """How many messages wait in each of these queues; None when it cannot be told now."""
        ...

    def wake(self) -> None:
        """Something was just written to the outbox; look now instead of at the next tick."""
        ...

    def check(self) -> str:
        """Try it; what was found, in words.  Raises SystemUnreachable."""
        ...
