"""The desk of sharing: grants, what they open, and every look written down."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.deadlines import Deadlines
from hub.dispatch.contents import Contents
from hub.generations import Generations
from hub.ledger import cases, grants, journal
from hub.ledger.cases import Opening as CaseOpening
from hub.ledger.engine import Ledger
from hub.ledger.grants import Grant, Look
from hub.persons import masked
from hub.sharing.allowed import Opened, grantable
from hub.sharing.reading import Cursor, Stored, by_key, by_subject, walk
from hub.sharing.subject import file_of
from hub.vault import Seal
from standards.clock import SHANGHAI, Clock, local
from standards.digest import join_key, key_hash, uuid7
from standards.errors import BadRecord, HubError, NotAllowed, UnknownName
from standards.expressions import parse
from standards.model import DataSet
from standards.states import CaseClass

_OPERATOR = ""
#: Records of one subject at most.
_WHOLE = 5000
#: So many cd_ids of a look are written down.
_KEPT = 1000


class BadGrant(HubError):
    """A grant that cannot be made: no purpose, no such element, no end."""

    code = "bad-grant"
    status = 422
    title_zh = "授权有误"
    title = "the grant is wrong"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for."""

    dataset: str
    purpose: str
    subjects: tuple[str, ...] = ()
    #: Natural keys, each with the values of its elements in their order.
    keys: tuple[tuple[str, ...], ...] = ()
    since: str = ""
    until: str = ""
    cursor: str = ""
    limit: int = 100


@dataclass(slots=True)
class Sharing:
    """Grants and looks of one hub."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal
    due: Deadlines
    #: Whether personal values are shown in full to who asks; else they are masked.
    plain: bool = True
    _contents: Contents = field(init=False)

    def __post_init__(self) -> None:
        self._contents = Contents(self.seal, 16)

    # Grants

    def propose(self, by: str, said: Mapping[str, Any]) -> Grant:
        """A grant that counts once its owner consented.  Raises BadGrant, UnknownName."""
        generation, now = self.generations.current(), self.clock.now()
        parties = generation.settings.parties
        for word in ("owner", "receiver"):
            if said[word] not in parties:
                raise UnknownName.of("party", "接入方", said[word], parties)
        dataset = generation.standard.dataset(said["dataset"])
        purpose = said["purpose"].strip()
        if not purpose:
            raise BadGrant(
                "a grant says what it is for",
                what_zh="授权必须写明用途",
                hint="say `purpose`",
                hint_zh="请填写 purpose",
            )
        wanted = list(said.get("elements", ()))
        if unknown := [name for name in wanted if name not in dataset.by_id]:
            raise BadGrant(
                f"{dataset.id} has no element {', '.join(unknown)}",
                what_zh=f"数据集 {dataset.title} 没有数据项 {'、'.join(unknown)}",
                hint=f"see: hub standard show {dataset.id}",
            )
        until: datetime = said["until"]
        until = until if until.tzinfo else until.replace(tzinfo=SHANGHAI)
        if until <= now:
            raise BadGrant(
                "it would have ended already",
                what_zh="截止时间已过",
                hint="say a later `until`",
                hint_zh="请给出更晚的截止日期（until）",
            )
        if rule := said.get("rule", ""):
            try:
                parse(rule, list(dataset.by_id))
            except ValueError as error:
                raise BadGrant(
                    f"rule: {error}",
                    what_zh=f"规则有误：{error}",
                    hint="an expression over elements",
                    hint_zh="应为关于数据项的表达式，见 docs/reference/mapping.md",
                ) from None
        made = Grant(
            id=uuid7(),
            owner=said["owner"],
            receiver=said["receiver"],
            dataset=dataset.id,
            elements=json.dumps(sorted(grantable(dataset, wanted))),
            rule=rule,
            purpose=purpose,
            made_at=now,
            made_by=by,
            until_at=until,
        )
        self._write(lambda c: grants.add(c, made), "grant_proposed", by, made)
        return made

    def consent(self, identifier: UUID, party: str, by: str, named: str) -> Grant:
        """The owner consents; the operator may write down who did.  Raises UnknownName, NotAllowed, BadGrant."""
        one = self._grant(identifier, party)
        if party not in (_OPERATOR, one.owner):
            raise NotAllowed("only the owner of the data consents", what_zh="只有数据所有单位可以同意授权")
        if not named.strip():
            raise BadGrant("say who consented", what_zh="请写明同意人姓名", hint="say `named`", hint_zh="请填写 named")
        values = {"consent_at": self.clock.now(), "consent_by": f"{named.strip()} ({by})"[:200]}
        self._write(lambda c: grants.change(c, identifier, **values), "grant_consented", by, one)
        return self._grant(identifier, party)

    def end(self, identifier: UUID, party: str, by: str, reason: str) -> Grant:
        """It opens nothing any more.  Raises UnknownName."""
        one = self._grant(identifier, party)
        values = {"ended_at": self.clock.now(), "end_reason": reason, "subscribed": ""}
        self._write(lambda c: grants.change(c, identifier, **values), "grant_ended", by, one)
        return self._grant(identifier, party)

    def subscribe(self, identifier: UUID, party: str, by: str, destination: str) -> Grant:
        """New records of a grant go to its receiver's destination; '' ends that.  Raises UnknownName, NotAllowed."""
        one = self._grant(identifier, party)
        told = self.generations.current().settings.destinations.get(destination)
        if party not in (_OPERATOR, one.receiver):
            raise NotAllowed("only the receiver subscribes", what_zh="只有接收单位可以订阅")
        if destination and (told is None or told.party != one.receiver or not told.shared):
            raise BadGrant(
                f"{destination} is no destination with shared = true of {one.receiver}",
                what_zh=f"{destination} 不是 {one.receiver} 的共享投递目标（shared = true）",
                hint="only there every record is cut to what the grant allows",
                hint_zh="只有共享投递目标才按授权裁剪每条记录",
            )
        if destination and not one.counts(self.clock.now()):
            raise BadGrant("the grant does not count", what_zh="授权未同意、已到期或已终止", hint="see: hub grant list")
        self._write(lambda c: grants.change(c, identifier, subscribed=destination), "grant_subscribed", by, one)
        return self._grant(identifier, party)

    def grants(self, party: str) -> list[dict[str, Any]]:
        """Grants of a party's data and those it received; the operator sees all."""
        with self.ledger.read() as connection:
            found = grants.find(connection, party=party)
        return [self.told(one) for one in found]

    def told(self, one: Grant) -> dict[str, Any]:
        """A grant for people."""
        now = self.clock.now()
        return {
            "id": str(one.id),
            "owner": one.owner,
            "receiver": one.receiver,
            "dataset": one.dataset,
            "elements": sorted(one.names),
            "rule": one.rule,
            "purpose": one.purpose,
            "made_at": local(one.made_at).isoformat(),
            "until": local(one.until_at).isoformat(),
            "consent_at": local(one.consent_at).isoformat() if one.consent_at else None,
            "consent_by": one.consent_by,
            "ended_at": local(one.ended_at).isoformat() if one.ended_at else None,
            "end_reason": one.end_reason,
            "subscribed": one.subscribed,
            "counts": one.counts(now),
        }

    # Looking

    def opened(self, party: str, dataset: str) -> Opened:
        """What a party's grants open of a data set.  Raises NotAllowed."""
        generation, now = self.generations.current(), self.clock.now()
        known = generation.standard.dataset(dataset)
        with self.ledger.read() as connection:
            mine = grants.find(connection, receiver=party, dataset=dataset)
        by_owner = open_by_owner(mine, {n: p.code for n, p in generation.settings.parties.items()}, now)
        if not by_owner:
            why = _why_not(mine, now)
            raise NotAllowed(
                f"no grant opens {dataset} to {party or 'the operator'}{why[0]}",
                what_zh=f"没有向 {party or '运维'} 开放 {known.title} 的有效授权{why[1]}",
                hint="ask the owner of the data; the operator writes the grant down: hub grant add",
                hint_zh="请向数据所有单位申请，由运维登记授权：hub grant add",
            )
        return Opened(known, by_owner)

    def query(self, party: str, actor: str, asked: Asked) -> dict[str, Any]:
        """A page of records as the party may see them; the look is written down before it is answered."""
        opened = self.opened(party, asked.dataset)
        cursor = ""
        if asked.subjects or asked.keys:
            seen = self.seen(party, actor, asked, opened, "query")
        else:
            purpose = _purpose(asked.purpose)
            with self.ledger.read() as connection:
                found, cursor = self._page(connection, opened, asked)
            seen = _cut(found, opened, self.plain)
            self.looked(party, actor, asked.dataset, "query", purpose, [one for one, _ in seen], opened)
        return {"dataset": asked.dataset, "records": [shown(one, values) for one, values in seen], "cursor": cursor}

    def seen(
        self, party: str, actor: str, asked: Asked, opened: Opened, way: str
    ) -> list[tuple[Stored, dict[str, str]]]:
        """Records about subjects or with keys, as the party may see them; the look is written down."""
        purpose = _purpose(asked.purpose)
        with self.ledger.read() as connection:
            found = self._direct(connection, opened, asked)
        seen = _cut(found, opened, self.plain)
        self.looked(party, actor, asked.dataset, way, purpose, [one for one, _ in seen], opened)
        return seen

    def export(self, party: str, actor: str, asked: Asked) -> Iterator[tuple[Stored, dict[str, str]]]:
        """Every record, chunk after chunk; each chunk's look is written down before it leaves."""
        opened = self.opened(party, asked.dataset)
        purpose = _purpose(asked.purpose)
        return self._export(opened, party, actor, asked, purpose)

    def _export(
        self, opened: Opened, party: str, actor: str, asked: Asked, purpose: str
    ) -> Iterator[tuple[Stored, dict[str, str]]]:
        after = Cursor()
        while True:
            with self.ledger.read() as connection:
                steps = walk(
                    connection,
                    self._contents,
                    asked.dataset,
                    owners=opened.owners,
                    since=asked.since,
                    until=asked.until,
                    after=after,
                )
                step = next(steps, None)
            if step is None:
                return
            after, found = step
            seen = _cut(found, opened, self.plain)
            self.looked(party, actor, asked.dataset, "export", purpose, [one for one, _ in seen], opened)
            yield from seen

    def _direct(self, connection: Any, opened: Opened, asked: Asked) -> list[Stored]:
        if asked.keys:
            hashes = [key_hash(asked.dataset, join_key(parts)) for parts in asked.keys]
            return by_key(connection, self._contents, hashes, owners=opened.owners)
        return by_subject(
            connection,
            self._contents,
            asked.subjects,
            datasets=(asked.dataset,),
            owners=opened.owners,
            since=asked.since,
            until=asked.until,
            limit=asked.limit,
        )

    def _page(self, connection: Any, opened: Opened, asked: Asked) -> tuple[list[Stored], str]:
        """Whole chunks until there are enough: a page may be a little longer than was asked for."""
        try:
            after = Cursor.read(asked.cursor)
        except ValueError as error:
            raise BadRecord("the cursor is none of ours", what_zh="cursor 不是本枢纽给出的") from error
        found: list[Stored] = []
        steps = walk(
            connection,
            self._contents,
            asked.dataset,
            owners=opened.owners,
            since=asked.since,
            until=asked.until,
            after=after,
        )
        for at, rows in steps:
            found += rows
            if len(found) >= asked.limit:
                return found, str(at)
        return found, ""

    def subject(self, party: str, actor: str, code: str, purpose: str) -> dict[str, Any]:
        """一户一档: the operator sees everything, a party what its grants open.  Raises BadGrant, NotAllowed."""
        purpose = _purpose(purpose)
        generation = self.generations.current()
        with self.ledger.read() as connection:
            found = by_subject(connection, self._contents, [code], limit=_WHOLE)
        datasets = {one.dataset: generation.standard.dataset(one.dataset) for one in found}
        if party:
            opened = {name: self._opened_or_none(party, name) for name in datasets}
            seen = [
                replace(one, values=values)
                for one in found
                if (grant := opened[one.dataset]) is not None
                and (values := grant.see(one.owner, one.values)) is not None
            ]
            if found and not seen:
                raise NotAllowed(
                    f"no grant opens anything of {code} to {party}", what_zh="没有可查看该主体数据的有效授权"
                )
            found = seen
        for name in datasets:
            self.looked(party, actor, name, "subject", purpose, [one for one in found if one.dataset == name])
        file = file_of(code, found, datasets, generation.settings)
        masked = file if self.plain else file_of(code, _masked(found, datasets), datasets, generation.settings)
        if not party and file["conflicts"]:
            self._conflicts(file, found)
        return masked

    def _conflicts(self, file: Mapping[str, Any], found: Sequence[Stored]) -> None:
        """What contradicts the source whose word counts is a case of who said it, closed when it says otherwise."""
        now = self.clock.now()
        places = {one.cd_id: one for one in found}
        openings = []
        for conflict in file["conflicts"]:
            for said in conflict["differs"]:
                one = places[said["cd_id"]]
                openings.append(
                    CaseOpening(
                        class_=CaseClass.INCONSISTENT,
                        party=one.party,
                        code="20005",
                        dataset=one.dataset,
                        owner=one.owner,
                        key_hash=one.key_hash,
                        submission_id=one.submission_id,
                        row_no=one.row_no,
                        note=f"{conflict['element']}: {conflict['holds']['party']}",
                    )
                )
        self.ledger.write(lambda c: cases.open_many(c, openings, self.due(now), now))

    def _opened_or_none(self, party: str, dataset: str) -> Opened | None:
        try:
            return self.opened(party, dataset)
        except NotAllowed:
            return None

    def looked(
        self,
        party: str,
        actor: str,
        dataset: str,
        way: str,
        purpose: str,
        found: Sequence[Stored],
        opened: Opened | None = None,
    ) -> None:
        """Write down who looked, one line for each owner."""
        now = self.clock.now()
        counts = Counter(one.owner for one in found)
        rows = []
        for owner in counts or [""]:
            ids = json.dumps([one.cd_id for one in found if one.owner == owner][:_KEPT]).encode()
            granted = next(iter(opened.by_owner.get(owner, ())), None) if opened is not None else None
            rows.append(
                Look(
                    id=uuid7(),
                    at=now,
                    party=party,
                    actor=actor,
                    owner=owner,
                    dataset=dataset,
                    grant_id=granted.id if granted is not None else None,
                    way=way,
                    purpose=purpose,
                    count=counts.get(owner, 0),
                    records=self.seal.close(ids) if owner else None,
                    key_ref=self.seal.key_ref,
                )
            )
        self.ledger.write(lambda c: grants.write_looks(c, rows))

    def looks(self, party: str, limit: int = 100) -> list[dict[str, Any]]:
        """Who looked at a party's data; the operator sees every look."""
        settings = self.generations.current().settings
        owner = settings.parties[party].code if party else ""
        with self.ledger.read() as connection:
            found = grants.looks(connection, owner=owner, limit=limit)
        return [
            {
                "at": local(one.at).isoformat(),
                "party": one.party,
                "actor": one.actor,
                "owner": one.owner,
                "dataset": one.dataset,
                "way": one.way,
                "purpose": one.purpose,
                "grant": str(one.grant_id) if one.grant_id else None,
                "count": one.count,
                "records": json.loads(self.seal.open(one.records, one.key_ref)) if one.records else [],
            }
            for one in found
        ]

    # Inside

    def _grant(self, identifier: UUID, party: str) -> Grant:
        with self.ledger.read() as connection:
            one = grants.get(connection, identifier)
        if one is None or party not in (_OPERATOR, one.owner, one.receiver):
            raise UnknownName(f"no grant {identifier} of yours", what_zh=f"没有您的授权 {identifier}")
        return one

    def _write(self, work: Any, action: str, by: str, one: Grant) -> None:
        detail = {"grant": str(one.id), "owner": one.owner, "receiver": one.receiver, "dataset": one.dataset}
        now = self.clock.now()

        def both(connection: Any) -> None:
            work(connection)
            journal.append(connection, [journal.Entry(action, by, None, None, detail)], now)

        self.ledger.write(both)


def open_by_owner(found: Iterable[Grant], codes: Mapping[str, str], now: datetime) -> dict[str, list[Grant]]:
    """The grants that count, by the credit code of the owner."""
    result: dict[str, list[Grant]] = {}
    for one in found:
        if one.counts(now) and one.owner in codes:
            result.setdefault(codes[one.owner], []).append(one)
    return result


def _cut(found: Sequence[Stored], opened: Opened, plain: bool) -> list[tuple[Stored, dict[str, str]]]:
    """Records as they may be seen; those that may not are left out."""
    return [
        (one, values if plain else masked(opened.dataset, values))
        for one in found
        if (values := opened.see(one.owner, one.values)) is not None
    ]


def _masked(found: Sequence[Stored], datasets: Mapping[str, DataSet]) -> list[Stored]:
    """The same records without personal values."""
    return [replace(one, values=masked(datasets[one.dataset], one.values)) for one in found]


def shown(one: Stored, values: Mapping[str, str]) -> dict[str, Any]:
    """A record as it is answered."""
    return {
        "cd_id": one.cd_id,
        "owner": one.owner,
        "revision": one.revision,
        "event_date": one.event_date,
        "values": values,
    }


def _purpose(said: str) -> str:
    if not said.strip():
        raise BadGrant("say what it is for", what_zh="请写明查询用途", hint="say `purpose`", hint_zh="请填写 purpose")
    return said.strip()[:500]


def _why_not(found: Sequence[Grant], now: datetime) -> tuple[str, str]:
    for one in found:
        if one.ended_at is not None:
            continue
        if one.consent_at is None:
            return ": its owner did not consent yet", "（所有单位尚未同意）"
        if one.until_at <= now:
            return f": it expired on {local(one.until_at).date()}", f"（已于 {local(one.until_at).date()} 到期）"
    return "", ""
