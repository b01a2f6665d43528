"""The auditor's desk: the journal, the looks among it, and whether it was proved to be whole."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from hub.audit import Verified, verify
from hub.generations import Generations
from hub.ledger import journal, looking, memory, submissions
from hub.ledger.engine import Ledger
from hub.ledger.looking import Wanted
from hub.ledger.memory import Memory
from standards.clock import Clock, local_text
from standards.errors import UnknownName

#: Where the last proof is remembered.
_PLACE, _NAME = ".audit", "verified"
#: Faults that are kept of a proof.
_FAULTS = 50


@dataclass(slots=True)
class AuditDesk:
    """For who has the right `audit`."""

    ledger: Ledger
    generations: Generations
    clock: Clock

    def entries(self, wanted: Wanted, receipt_no: str = "") -> dict[str, Any]:
        """A page of the journal, the newest first.  Raises UnknownName."""
        with self.ledger.read() as connection:
            if receipt_no:
                found = submissions.by_receipt(connection, receipt_no)
                if found is None:
                    raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有回执 {receipt_no}")
                wanted = Wanted(**{**asdict(wanted), "submission": found.id})
            page = looking.entries(connection, wanted)
        rows = [
            {
                "id": row.id,
                "at": local_text(row.at),
                "action": row.action,
                "actor": row.actor,
                "submission": str(row.submission_id) if row.submission_id else "",
                "parcel": str(row.parcel_id) if row.parcel_id else "",
                "detail": json.loads(row.detail),
            }
            for row in page.rows
        ]
        return {"rows": rows, "next": page.next}

    def state(self) -> dict[str, Any]:
        """The newest seal, what is not sealed yet, and what the last proof came to."""
        with self.ledger.read() as connection:
            last = looking.last_seal(connection)
            unsealed = looking.unsealed(connection, last.last_id if last is not None else 0)
        kept = Memory(self.ledger, self.clock, _PLACE).recall(_NAME)
        return {
            "head": bytes(last.chain).hex() if last is not None else "",
            "last_id": last.last_id if last is not None else 0,
            "sealed_at": local_text(last.sealed_at) if last is not None else "",
            "unsealed": unsealed,
            "verified": json.loads(kept) if kept else None,
        }

    def prove(self, by: str, head: str = "", name: str = "") -> Verified:
        """Look through the whole journal; what it came to is remembered, under `name`, and written down."""
        since = self.clock.now() - self.generations.current().settings.retention.journal
        found = verify(self.ledger, since, head)
        self.remember(found, by, name)
        return found

    def remember(self, found: Verified, by: str, name: str = "") -> None:
        """When, by whom, and what it came to."""
        now = self.clock.now()
        told = {**asdict(found), "faults": [asdict(one) for one in found.faults[:_FAULTS]]}
        told |= {"at": local_text(now), "by": by, "faulty": len(found.faults), "proof": name}
        entry = journal.Entry("journal_verified", by, detail={"rows": found.rows, "faults": len(found.faults)})

        def work(connection: Any) -> None:
            memory.put(connection, _PLACE, _NAME, json.dumps(told, ensure_ascii=False), now)
            journal.append(connection, [entry], now)

        self.ledger.write(work)
