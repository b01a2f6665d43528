"""Records found by what a person knows of them: a receipt number, a business key, an exchange key, a subject's code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from hub.generations import Generation, Generations
from hub.ledger import heads, journal
from hub.ledger.engine import Ledger
from hub.ledger.sql import among
from hub.ledger.tables import record_head, submission
from hub.ledger.types import month_of
from hub.persons import newest_form
from hub.vault import NO_SEAL, Seal, blind_of
from standards.clock import Clock, local_text
from standards.digest import join_key, key_hash, sm3
from standards.errors import BadConfiguration

_RECEIPT = re.compile(r"^(\d{6}-\d+-\d)(?:#(\d+))?$")
_CD_ID = re.compile(r"^([0-9A-HJ-NP-RTUW-Y]{18})-(.+)$", re.DOTALL)
_HASHED = re.compile(r"^[0-9a-f]{32,64}$")
#: A person's number, anywhere in what was typed.
_PERSON = re.compile(r"(?<!\d)(\d{17}[\dX]|\d{15})(?![\dX])")
#: Between the parts of a key of several elements.
_PARTS = re.compile(r"\s*[|｜]\s*")
#: Records that one search shows.
MOST = 50


@dataclass(slots=True)
class Search:
    """Looks records up by an index, never through all of them; what was asked is written down as a digest."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal = NO_SEAL

    def receipt(self, what: str) -> tuple[str, int] | None:
        """Receipt number and row, when that is what was typed."""
        found = _RECEIPT.match(what.strip())
        return (found[1], int(found[2] or 0)) if found else None

    def by_key(self, what: str, party: str, by: str) -> list[dict[str, Any]]:
        """The newest revision of every record whose key or exchange key this is."""
        generation = self.generations.current()
        with self.ledger.read() as connection:
            hashes = _hashes(generation, what.strip())
            rows = connection.execute(
                select(record_head).where(among(connection, record_head.c.key_hash, hashes)).limit(MOST)
            ).all()
            found = self._told(connection, generation, rows, party)
        self._note("key", what, by, len(found))
        return found

    def by_subject(self, code: str, party: str, by: str) -> list[dict[str, Any]]:
        """The newest records of an organisation; a person's is `by_person`."""
        generation = self.generations.current()
        with self.ledger.read() as connection:
            rows = connection.execute(
                select(record_head)
                .where(record_head.c.subject == code.strip(), record_head.c.subject != "")
                .limit(MOST)
            ).all()
            found = self._told(connection, generation, rows, party)
        self._note("subject", code, by, len(found))
        return found

    def by_person(self, number: str, party: str, by: str) -> list[dict[str, Any]]:
        """The newest records about a person, by the keyed index of the number.

        Raises BadConfiguration where the ledger has no key: then no number was ever indexed.
        """
        blind = blind_of(self.seal)
        if blind is None:
            raise BadConfiguration(
                "persons cannot be searched: numbers are indexed only where the ledger has a key",
                what_zh="不能按个人证件号码查找：未配置 ledger.key，号码没有建立索引",
                hint="set ledger.key; records that come from then on are found",
                hint_zh="配置 ledger.key 后，此后收到的记录可以查找",
            )
        generation, index = self.generations.current(), blind(newest_form(number.strip().upper()))
        with self.ledger.read() as connection:
            found = self._told(connection, generation, heads.of_person(connection, index, MOST), party)
        self._note("person", number, by, len(found))
        return found

    def _told(
        self, connection: Connection, generation: Generation, rows: Sequence[Any], party: str
    ) -> list[dict[str, Any]]:
        mine = [one for one in rows if not party or one.party == party]
        numbers = _numbers(connection, {one.submission_id for one in mine})
        titles = {one.id: one.title for one in generation.standard}
        found = [
            {
                "receipt_no": numbers.get(one.submission_id, ""),
                "row": one.row_no,
                "dataset": one.dataset,
                "title": titles.get(one.dataset, one.dataset),
                "party": one.party,
                "owner": one.owner,
                "revision": one.revision,
                "operation": one.operation,
                "refused": one.refused,
                "event_date": one.event_date,
                "updated_at": local_text(one.updated_at),
            }
            for one in mine
        ]
        return sorted(found, key=lambda one: str(one["updated_at"]), reverse=True)

    def _note(self, way: str, what: str, by: str, count: int) -> None:
        """Who looked for what: a digest tells nothing to those who do not know it already."""
        now = self.clock.now()
        said, blind = what.strip(), blind_of(self.seal)
        # There are few enough persons' numbers to try them all: their digest is keyed, or left out.
        if _PERSON.search(said.upper()):
            digest = blind(said.upper()).hex() if blind is not None else ""
        else:
            digest = sm3(said.encode()).hex()
        entry = journal.Entry("records_searched", by, detail={"by": way, "digest": digest, "found": count})
        self.ledger.write(lambda c: journal.append(c, [entry], now))


def _hashes(generation: Generation, what: str) -> list[bytes]:
    """Every identity that may be meant: the key of any data set, of one or several elements, or a hash of it."""
    found = _CD_ID.match(what)
    keys = {what, found[2]} if found else {what}
    hashes = []
    for key in keys:
        if _HASHED.match(key):
            hashes.append(bytes.fromhex(key)[:16])
        parts = _PARTS.split(key)
        joined = {key, join_key(parts)}
        hashes += [key_hash(dataset, one) for dataset in generation.standard.ids() for one in joined]
    return list(dict.fromkeys(hashes))


def _numbers(connection: Connection, identifiers: set[UUID]) -> dict[UUID, str]:
    if not identifiers:
        return {}
    rows = connection.execute(
        select(submission.c.id, submission.c.receipt_no).where(
            submission.c.month.in_(sorted({month_of(one) for one in identifiers})),
            among(connection, submission.c.id, list(identifiers)),
        )
    )
    return {row[0]: row[1] for row in rows}
