"""Another hub as a party of ours: its parcels are taken in, judged again, and answered level by level.

What a neighbour is told of a parcel is its receipt here, and later whatever a higher level says of the same records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from adapters.formats.parcel import CONTENT_TYPE, MAX_BYTES
from hub.canary.runner import MARK, Canaries
from hub.generations import Generations
from hub.intake import Intake
from hub.ledger import receipts, submissions
from hub.ledger.engine import Ledger
from hub.ledger.submissions import Submission
from hub.ledger.tables import receipt, submission
from hub.payload import LedgerPayload
from hub.receipts import Receipts
from hub.translate.store import OLDER
from hub.vault import Seal
from standards.clock import Clock
from standards.errors import BadRecord, IdempotencyConflict, NotAllowed, PayloadTooLarge, UnknownName
from standards.parcel import MAX_HOPS, NotAParcel, Parcel, Result, from_event, to_event
from standards.ports import HandOver
from standards.states import SubmissionState, Verdict
from standards.tracing import incoming

#: The adapter of connections that take parcels of other hubs.
ADAPTER = "hub"
KIND = "parcel"
_MONTHS = 14
_RESULTS = {Verdict.REJECTED: Result.REFUSED, Verdict.HELD: Result.HELD}


class NotParcel(BadRecord):
    """The body is no parcel."""

    code = "not-a-parcel"
    status = 422
    title_zh = "不是交换包"
    title = "not a parcel"


@dataclass(slots=True)
class Neighbours:
    """The hub's face to other hubs."""

    ledger: Ledger
    generations: Generations
    intake: Intake
    receipts: Receipts
    clock: Clock
    seal: Seal
    canaries: Canaries

    def connection_of(self, party: str) -> str:
        """Through which connection a party hands parcels over.  Raises NotAllowed."""
        for name, settings in self.generations.current().settings.connections.items():
            if settings.party == party and settings.adapter == ADAPTER:
                return name
        raise NotAllowed(
            f"{party or 'the operator'} has no connection of adapter {ADAPTER}",
            what_zh=f"{party or '运维'} 没有枢纽级联接入",
            hint='add [connections.…] adapter = "hub" for this party',
            hint_zh='请为该单位配置 adapter = "hub" 的接入',
        )

    def _doors_of(self, party: str) -> list[str]:
        """Every connection of a party through which parcels may have come: over HTTPS, and over its queue."""
        connections = self.generations.current().settings.connections
        return [n for n, s in connections.items() if s.party == party and not s.mapping and not s.dataset]

    def take(self, body: bytes, headers: Mapping[str, str], party: str, actor: str, *, connection: str = "") -> str:
        """Keep a parcel; the number of its receipt here.  `connection`: through which it came, else the party's.

        Raises NotAllowed, NotParcel, PayloadTooLarge, UnknownName (data set), LedgerBusy.
        """
        if connection:
            self._takes_parcels(connection)
        else:
            connection = self.connection_of(party)
        if len(body) > MAX_BYTES:
            raise PayloadTooLarge(f"a parcel of {len(body)} bytes", what_zh=f"交换包过大：{len(body)} 字节")
        try:
            parcel = from_event(body, "", headers)
        except NotAParcel as error:
            raise NotParcel(str(error), what_zh=f"不是交换包：{error}") from error
        generation = self.generations.current()
        generation.standard.dataset(parcel.dataset)
        self._no_circle(parcel, generation.settings.hub.name)
        if parcel.test:
            return self.canaries.take(parcel, connection)
        if headers.get("ce-id"):
            body = to_event(parcel)
        hand_over = HandOver(
            connection=connection,
            external_id=str(parcel.id),
            name=parcel.batch,
            content_type=CONTENT_TYPE,
            traceparent=incoming(headers.get("traceparent") or parcel.traceparent),
            lane=parcel.lane,
            kind=KIND,
            dataset=parcel.dataset,
            hops=parcel.hops,
            actor=actor,
        )
        try:
            return self.intake.receive(hand_over, [body]).receipt_no
        except IdempotencyConflict:
            # A repeat without the records that a newer revision replaced meanwhile: the first one held them all.
            known = self._of(connection, parcel.id)
            if known is None:
                raise
            return known.receipt_no

    def _takes_parcels(self, connection: str) -> None:
        settings = self.generations.current().connection(connection)
        if settings.mapping or settings.dataset:
            raise NotAllowed(
                f"{connection} takes records of its own data set, no parcels",
                what_zh=f"接入 {connection} 只接收其数据集的数据，不接收交换包",
                hint="leave out mapping and dataset for parcels of another hub",
                hint_zh="接收其他枢纽交换包的接入不写 mapping 和 dataset",
            )

    @staticmethod
    def _no_circle(parcel: Parcel, own: str) -> None:
        if own in parcel.hops or len(parcel.hops) >= MAX_HOPS:
            way = " → ".join((*parcel.hops, own))
            raise NotAllowed(
                f"the parcel goes in circles: {way}",
                what_zh=f"交换包在枢纽之间循环：{way}",
                hint="check the routes of these hubs",
                hint_zh="请检查沿途各枢纽的路由",
            )

    def _of(self, connection: str, parcel_id: UUID) -> Submission | None:
        with self.ledger.read() as read:
            known = submissions.key_of(read, connection, str(parcel_id))
            return submissions.get(read, known.submission_id) if known is not None else None

    def verdict(self, receipt_no: str) -> dict[str, Any]:
        """What this hub says of a parcel; `awaiting` until every record has a verdict."""
        if receipt_no.startswith(MARK):
            return self.canaries.verdict(receipt_no)
        with self.ledger.read() as connection:
            found = submissions.by_receipt(connection, receipt_no)
        if found is None:
            raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有回执 {receipt_no}")
        hub = self.generations.current().settings.hub
        said: dict[str, Any] = {"receipt_no": receipt_no, "speaker": hub.name, "level": hub.level}
        if found.state not in (SubmissionState.JUDGED, SubmissionState.SETTLED):
            return {**said, "awaiting": True}
        odd = found.rejected + found.held + found.duplicate or found.problem
        return {**said, "awaiting": False, "records": list(self._lines(found)) if odd else []}

    def _lines(self, found: Submission) -> Iterator[dict[str, str]]:
        """Every record that is not plainly accepted, by its cd_id."""
        with LedgerPayload(self.ledger, found, self.seal).open() as stream:
            parcel = from_event(stream.read(MAX_BYTES + 1), "")
        if found.problem:
            words = found.problem_words() or {}
            for record in parcel.records:
                yield _line(record.cd_id, Result.REFUSED, "10009", "", words.get("what_zh", ""))
            return
        view = self.receipts.receipt(found.receipt_no, limit=len(parcel.records))
        assert view is not None
        for said in view.document["records"]:
            codes = {f["code"] for f in said["findings"]}
            result = _RESULTS.get(said["verdict"], Result.STALE if OLDER in codes else None)
            if result is None:
                continue
            worst = [f for f in said["findings"] if f["severity"] != "warning"] or said["findings"]
            message = "；".join(f["text"] for f in worst)
            yield _line(
                parcel.records[said["row"] - 1].cd_id, result, worst[0]["code"], worst[0]["element"] or "", message
            )

    def verdicts(self, party: str, parcel_ids: Sequence[UUID]) -> list[dict[str, Any]]:
        """What this hub says of parcels it was handed; those that it does not know or has not judged are left out."""
        self.connection_of(party)
        doors = self._doors_of(party)
        result = []
        for parcel_id in parcel_ids:
            found = next((one for door in doors if (one := self._of(door, parcel_id)) is not None), None)
            number = found.receipt_no if found is not None else self.canaries.taken(parcel_id, doors)
            if number is None:
                continue
            said = self.verdict(number)
            if not said["awaiting"]:
                result.append({"parcel": str(parcel_id), **said})
        return result

    def news(self, party: str, after: UUID | None, limit: int) -> list[dict[str, Any]]:
        """What higher levels said of a party's parcels, oldest first, behind the news with the id `after`.

        Transactions may end in another order than they began: who asks again begins a little before what he had last,
        and knows the news by their ids.
        """
        now = self.clock.now()
        columns = (receipt, submission.c.external_id)
        with self.ledger.read() as connection:
            rows = connection.execute(
                select(*columns)
                .join(
                    submission, (submission.c.month == receipt.c.month) & (submission.c.id == receipt.c.submission_id)
                )
                .where(
                    receipt.c.month.in_(_months(now)),
                    receipt.c.id > (after or UUID(int=0)),
                    receipt.c.parcel_id.is_not(None),
                    submission.c.party == party,
                    submission.c.kind == KIND,
                )
                .order_by(receipt.c.id)
                .limit(limit)
            ).all()
        return [
            {
                "id": str(row.id),
                "parcel": row.external_id,
                "level": row.level,
                "speaker": row.speaker,
                "result": row.result,
                "accepted": row.accepted,
                "refused": row.refused,
                "records": [
                    _line(line.cd_id, line.result, line.code, line.element, line.message)
                    for line in receipts.lines_of(row.lines)
                ],
            }
            for row in rows
        ]


def _line(cd_id: str, result: Result, code: str, element: str, message: str) -> dict[str, str]:
    return {"cd_id": cd_id, "result": str(result), "code": code, "element": element, "message": message}


def _months(now: datetime) -> list[int]:
    """This month and those before it whose parcels may still be spoken about."""
    count = now.year * 12 + now.month  # a month ahead: China's clock is before UTC's
    return [m // 12 * 100 + m % 12 + 1 for m in range(count - _MONTHS, count + 1)]
