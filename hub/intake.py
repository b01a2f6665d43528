"""Taking in: raw bytes and the submission row are committed before anybody gets a receipt number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain
from uuid import UUID

from sqlalchemy import Connection

from hub import again
from hub.broker import topology
from hub.flows.pauses import Pauses
from hub.generations import Generation, Generations
from hub.ledger import journal, outbox, submissions
from hub.ledger.engine import Ledger
from hub.ledger.numbers import ReceiptNumbers
from hub.ledger.outbox import Outgoing
from hub.ledger.submissions import KnownKey, Submission
from hub.payload import pack, pieces_of
from hub.vault import Seal
from standards import tracing
from standards.clock import Clock
from standards.digest import Sm3Stream, uuid7
from standards.errors import IdempotencyConflict, LedgerBusy, NotAllowed, PayloadTooLarge
from standards.ports import Acknowledged, HandOver
from standards.states import Lane

_MEGABYTE = 1024 * 1024


@dataclass(slots=True)
class Intake:
    """Implements standards.ports.IntakePort."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal
    numbers: ReceiptNumbers
    #: Called after a commit, so that the work begins at once.
    wake: Callable[[], None] = lambda: None
    pauses: Pauses = field(init=False)

    def __post_init__(self) -> None:
        self.pauses = Pauses(self.ledger, self.clock)

    def receive(self, hand_over: HandOver, pieces: Iterable[bytes]) -> Acknowledged:
        """Keep the bytes and give a receipt number; see the port for what it raises."""
        with tracing.span("intake", hand_over.traceparent, connection=hand_over.connection) as span:
            kept = self._receive(replace(hand_over, traceparent=tracing.current()), pieces)
            span.set_attribute("hub.receipt_no", kept.receipt_no)
            return kept

    def _receive(self, hand_over: HandOver, pieces: Iterable[bytes]) -> Acknowledged:
        generation = self.generations.current()
        settings = generation.connection(hand_over.connection)
        if settings.paused or self.pauses.paused(hand_over.connection):
            raise NotAllowed(
                f"the connection {hand_over.connection} is paused", what_zh=f"接入 {hand_over.connection} 已暂停"
            )
        limit = (settings.max_mb or generation.settings.api.max_body_mb) * _MEGABYTE
        identifier = uuid7()
        digest = Sm3Stream()
        stream = _digested(pieces_of(_measured(pieces, limit)), digest)
        first, second = next(stream, b""), next(stream, None)
        if second is None:
            return self._commit(hand_over, generation, identifier, len(first), digest, pack(first, self.seal))
        size = 0
        try:
            for number, piece in enumerate(chain((first, second), stream)):
                self._keep(identifier, number, piece)
                size += len(piece)
            return self._commit(hand_over, generation, identifier, size, digest, None)
        except BaseException:
            with suppress(LedgerBusy):
                self.ledger.write(lambda c: submissions.drop_parts(c, identifier))
            raise

    def _keep(self, identifier: UUID, number: int, piece: bytes) -> None:
        packed = pack(piece, self.seal)
        self.ledger.write(lambda c: submissions.add_part(c, identifier, number, len(piece), packed, self.seal.key_ref))

    def _commit(
        self,
        hand_over: HandOver,
        generation: Generation,
        identifier: UUID,
        size: int,
        digest: Sm3Stream,
        only_piece: bytes | None,
    ) -> Acknowledged:
        now = self.clock.now()
        settings = generation.connection(hand_over.connection)
        lane = hand_over.lane or settings.lane
        if lane == "auto":
            lane = Lane.NOW if size <= generation.settings.limits.now_kib * 1024 else Lane.BULK
        new = Submission(
            id=identifier,
            receipt_no=self.numbers.next(now),
            party=settings.party,
            connection=hand_over.connection,
            dataset=_dataset(generation, hand_over),
            hops=",".join(hand_over.hops),
            external_id=hand_over.external_id,
            lane=str(lane),
            report_way=hand_over.report_way or settings.report_way,
            test=hand_over.test or settings.is_test,
            kind=hand_over.kind,
            name=hand_over.name[:255],
            content_type=hand_over.content_type[:120],
            size=size,
            digest=digest.hexdigest(),
            traceparent=hand_over.traceparent,
            received_at=now,
            due_at=now + timedelta(seconds=generation.settings.republish),
        )

        def work(connection: Connection) -> KnownKey | None:
            known = submissions.add(connection, new)
            if known is not None:
                return known
            if only_piece is not None:
                submissions.add_part(connection, identifier, 0, size, only_piece, self.seal.key_ref)
            body = str(identifier).encode("ascii")
            message = Outgoing(topology.translate(new.lane), str(identifier), body, traceparent=new.traceparent)
            outbox.put(connection, [message], now)
            detail = {"receipt_no": new.receipt_no, "size": size, "digest": new.digest, "connection": new.connection}
            actor = hand_over.actor or new.party
            entries = [journal.Entry("received", actor, identifier, None, detail)]
            if hand_over.mends:
                entries += again.entries(connection, new, hand_over.mends, actor)
            journal.append(connection, entries, now)
            return None

        known = self.ledger.write(work)
        if known is None:
            self.wake()
            return Acknowledged(receipt_no=new.receipt_no, submission_id=identifier)
        return self._repeated(known, new)

    def _repeated(self, known: KnownKey, new: Submission) -> Acknowledged:
        """The same id again: the same receipt if the bytes are the same, a conflict if not."""
        if known.digest != new.digest:
            raise IdempotencyConflict(
                f"the submission id {new.external_id} was used for other content",
                what_zh=f"报送编号 {new.external_id} 已用于其他内容",
                hint="use a new id for new content",
                hint_zh="内容有变化时请使用新的报送编号",
            )
        self.ledger.write(lambda c: submissions.drop_parts(c, new.id))
        with self.ledger.read() as connection:
            before = submissions.get(connection, known.submission_id)
        if before is None:  # its partition was pruned; the id outlives it
            raise IdempotencyConflict(
                f"the submission id {new.external_id} was used long ago",
                what_zh=f"报送编号 {new.external_id} 早已使用过",
            )
        return Acknowledged(receipt_no=before.receipt_no, submission_id=before.id, repeated=True)


def _dataset(generation: Generation, hand_over: HandOver) -> str:
    dataset = hand_over.dataset or generation.dataset_of(hand_over.connection)
    if not dataset:
        raise NotAllowed(
            f"the connection {hand_over.connection} takes parcels of another hub only",
            what_zh=f"接入 {hand_over.connection} 只接收其他枢纽的交换包",
            hint="POST /v1/parcels",
            hint_zh="请使用 POST /v1/parcels",
        )
    return dataset


def _digested(pieces: Iterable[bytes], digest: Sm3Stream) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _measured(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit:
            megabytes = limit // _MEGABYTE
            raise PayloadTooLarge(
                f"more than {megabytes} MB in one hand-over",
                what_zh=f"单次报送超过 {megabytes} MB",
                hint="split it, or ask the operator to raise max_mb of this connection",
                hint_zh="请分批报送，或请运维调大该接入的 max_mb",
            )
        yield piece
