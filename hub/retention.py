"""The scheduler's job that takes away what its time is over (hub.toml: retention)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from hub.generations import Generations
from hub.ledger import alarms, attachments, journal, reconciliations, retention
from hub.ledger.engine import Ledger
from standards.clock import Clock

log = structlog.get_logger()

_BATCH = 200
#: So many batches of each kind in one go; the rest goes the next time.
_BATCHES = 50

Prune = Callable[[Connection, datetime, int], int]


@dataclass(slots=True)
class Pruner:
    """Prunes in small transactions, so that nobody waits for it."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    owner: str

    def run(self) -> int:
        """How many submissions, journal rows and ids went."""
        kept = self.generations.current().settings.retention
        now = self.clock.now()
        windows: tuple[tuple[str, Prune, datetime, int], ...] = (
            ("content", retention.prune_content, now - kept.content, _BATCH),
            ("attachments", attachments.prune, now - kept.content, _BATCH),
            ("metadata", retention.prune_metadata, now - kept.metadata, _BATCH),
            ("reconciliations", reconciliations.prune, now - kept.metadata, _BATCH),
            ("journal", retention.prune_journal, now - kept.journal, 50 * _BATCH),
            ("alarms", alarms.prune, now - kept.metadata, _BATCH),
            ("ids", retention.prune_ids, now - kept.idempotency, 50 * _BATCH),
        )
        pruned = {name: self._prune(prune, before, limit) for name, prune, before, limit in windows}
        pruned = {name: count for name, count in pruned.items() if count}
        if pruned:
            log.info("pruned", action="pruned", **pruned)
            entry = journal.Entry("pruned", self.owner, None, None, pruned)
            self.ledger.write(lambda c: journal.append(c, [entry], now))
        return sum(pruned.values())

    def _prune(self, prune: Prune, before: datetime, limit: int) -> int:
        total = 0
        for _ in range(_BATCHES):
            count = self.ledger.write(lambda c: prune(c, before, limit), bulk=True)
            total += count
            if count < limit:
                break
        return total
