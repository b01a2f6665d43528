"""The ports as sources see them, in memory and no kinder than the hub's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from standards.errors import HubError, IdempotencyConflict
from standards.ports import Acknowledged, HandOver, ReceiptView, SourceContext


@dataclass
class Kept:
    """A hand-over that was committed."""

    hand_over: HandOver
    body: bytes
    receipt_no: str
    submission_id: UUID


@dataclass
class FakeIntake:
    """Keeps by external id, as the hub does; can be told to refuse, or to crash after its commit."""

    kept: list[Kept] = field(default_factory=list)
    refuses: HubError | None = None
    crashes_after_commit: bool = False
    largest_piece: int = 0

    def receive(self, hand_over: HandOver, pieces: Iterable[bytes]) -> Acknowledged:
        if self.refuses is not None:
            raise self.refuses
        body = bytearray()
        for piece in pieces:
            self.largest_piece = max(self.largest_piece, len(piece))
            body += piece
        for one in self.kept:
            if hand_over.external_id and one.hand_over.external_id == hand_over.external_id:
                if hashlib.sha256(one.body).digest() != hashlib.sha256(body).digest():
                    raise IdempotencyConflict("other content")
                return Acknowledged(receipt_no=one.receipt_no, submission_id=one.submission_id, repeated=True)
        kept = Kept(hand_over, bytes(body), f"R{len(self.kept) + 1:04}", uuid4())
        self.kept.append(kept)
        if self.crashes_after_commit:
            raise KeyboardInterrupt
        return Acknowledged(receipt_no=kept.receipt_no, submission_id=kept.submission_id)


@dataclass
class FakeReceipts:
    """Receipts as a test sets them."""

    held: dict[str, ReceiptView] = field(default_factory=dict)
    asked: int = 0

    def receipt(self, receipt_no: str, *, after: int = 0, limit: int = 500) -> ReceiptView | None:
        self.asked += 1
        return self.held.get(receipt_no)

    def words(self, receipt_no: str, language: str = "zh") -> str:
        view = self.held[receipt_no]
        return f"报送回执 {receipt_no}（第 {view.version} 版）\n通过 {view.accepted}，退回 {view.rejected}\n"

    def judge(self, receipt_no: str, *, state: str = "judged", version: int = 1, **counts: int) -> None:
        """Give a receipt; counts not named are 0."""
        of = {name: counts.get(name, 0) for name in ("accepted", "rejected", "held", "duplicate")}
        document: Mapping[str, Any] = {"receipt_no": receipt_no, "state": state, "version": version, "counts": of}
        self.held[receipt_no] = ReceiptView(
            receipt_no=receipt_no, state=state, version=version, read=sum(of.values()), document=document, **of
        )


@dataclass
class FakeMemory:
    """Remembers text by name."""

    values: dict[str, str] = field(default_factory=dict)

    def recall(self, name: str) -> str | None:
        return self.values.get(name)

    def remember(self, name: str, value: str) -> None:
        # A database column: whatever is no valid UTF-8 would not come back.
        value.encode("utf-8")
        self.values[name] = value

    def forget(self, name: str) -> None:
        self.values.pop(name, None)

    def names(self, head: str = "") -> list[str]:
        return [name for name in self.values if name.startswith(head)]


@dataclass
class Hub:
    """All of them together."""

    intake: FakeIntake = field(default_factory=FakeIntake)
    receipts: FakeReceipts = field(default_factory=FakeReceipts)
    memory: FakeMemory = field(default_factory=FakeMemory)

    def context(self, connection: str = "ecology") -> SourceContext:
        return SourceContext(connection=connection, intake=self.intake, receipts=self.receipts, memory=self.memory)
