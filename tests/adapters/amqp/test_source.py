"""`amqp` inwards: nothing is acknowledged before it is committed, repeats are known, and every sender hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.amqp import AmqpSource, AmqpSourceSettings
from adapters.conformance.fakes import Hub
from adapters.conformance.parcels import some
from standards.clock import FrozenClock
from standards.errors import IdempotencyConflict, LedgerBusy, NotAllowed, PayloadTooLarge, SystemUnreachable
from standards.parcel import EVENT_CONTENT_TYPE, to_event
from standards.ports import SourceContext
from tests.adapters.amqp.rig import PartyClient, Users, dead, surroundings
from tests.hub.city import until
from tests.services.rabbitmq import RabbitNode

BODY = b'{"punish_action_code": "1"}'


@dataclass
class Neighbours:
    """The port for parcels, as a test sets it."""

    taken: list[tuple[bytes, str]] = field(default_factory=list)
    awaiting: bool = True

    def take(self, body: bytes, headers: Any, party: str, actor: str, *, connection: str = "") -> str:
        self.taken.append((body, connection))
        return "P0001"

    def verdict(self, receipt_no: str) -> dict[str, Any]:
        return {"receipt_no": receipt_no, "awaiting": self.awaiting}


class SourceRig:
    """The hub's side of a queue, in memory behind it, and the party's client."""

    def __init__(self, url: str, party: PartyClient) -> None:
        self.url, self.party = url, party
        self.hub = Hub()
        self.clock = FrozenClock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))
        self.neighbours = Neighbours()
        self.source = self.new()

    def new(self) -> AmqpSource:
        """As after a restart of the hub."""
        around = surroundings(self.url, "ecology", "ecology-data")
        return AmqpSource(AmqpSourceSettings(), around, clock=self.clock)

    def restart(self) -> None:
        """The hub died and was started again: its connection is cut, its memory stays."""
        self.source.close()
        self.source = self.new()

    @property
    def context(self) -> SourceContext:
        held = self.hub
        return SourceContext(
            connection="ecology-data",
            intake=held.intake,
            receipts=held.receipts,
            memory=held.memory,
            parcels=self.neighbours,
        )

    def run(self) -> int:
        return self.source.run_once(self.context)

    def waiting(self) -> int:
        """Messages in the queue that nobody has in hand."""
        return self.source._transport.look("in.ecology")[0]


@pytest.fixture
def rig(users: Users) -> Iterator[SourceRig]:
    """A party that speaks AMQP, and the hub's source."""
    AmqpSource(AmqpSourceSettings(), surroundings(users.url, "ecology", "ecology-data")).check()
    rig = SourceRig(users.url, users.party("ecology", sends=True))
    yield rig
    rig.source.close()
    rig.party.close()


def test_a_message_is_a_hand_over_with_its_properties(rig: SourceRig) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = {"name": "处罚.json", "traceparent": trace, "odd": 7}
    rig.party.publish(BODY, message_id="m-1", content_type="application/json", headers=headers)

    done = rig.run()

    assert done == 1
    [kept] = rig.hub.intake.kept
    assert kept.body == BODY
    hand_over = kept.hand_over
    assert (hand_over.connection, hand_over.external_id, hand_over.name) == ("ecology-data", "m-1", "处罚.json")
    assert (hand_over.content_type, hand_over.traceparent) == ("application/json", trace)
    assert rig.run() == 0
    assert rig.party.replies() == []  # nobody asked


def test_a_hub_that_dies_after_the_commit_gets_the_message_again_and_knows_it(rig: SourceRig) -> None:
    rig.party.publish(BODY, message_id="m-1", reply_to="receipt.ecology")
    rig.hub.intake.crashes_after_commit = True
    with pytest.raises(KeyboardInterrupt):
        rig.run()
    rig.hub.intake.crashes_after_commit = False
    rig.restart()

    rig.run()

    assert len(rig.hub.intake.kept) == 1
    [(kind, correlation, said)] = rig.party.replies()
    assert (kind, correlation) == ("receipt-number", "m-1")
    assert said == {"receipt_no": "R0001", "repeated": True, "message_id": "m-1"}
    rig.restart()
    assert rig.waiting() == 0


def test_nothing_is_acknowledged_while_the_ledger_cannot_be_written(rig: SourceRig) -> None:
    rig.party.publish(BODY, message_id="m-1")
    rig.hub.intake.refuses = LedgerBusy("busy")
    for _ in range(50):  # more often than a message would be handed out again
        with pytest.raises(LedgerBusy):
            rig.run()
    rig.restart()
    assert rig.waiting() == 1
    rig.hub.intake.refuses = None

    rig.run()

    assert [k.body for k in rig.hub.intake.kept] == [BODY]
    assert dead(rig.url) == []


def test_the_same_message_id_and_bytes_give_the_same_receipt_number(rig: SourceRig) -> None:
    for _ in range(2):
        rig.party.publish(BODY, message_id="m-1", correlation_id="c-1", reply_to="receipt.ecology")

    rig.run()

    said = [(correlation, s["receipt_no"], s["repeated"]) for _, correlation, s in rig.party.replies()]
    assert said == [("c-1", "R0001", False), ("c-1", "R0001", True)]


def test_an_id_longer_than_the_ledger_holds_still_keeps_a_repeat_from_doubling(rig: SourceRig) -> None:
    for _ in range(2):
        rig.party.publish(BODY, message_id="9" * 255)

    rig.run()

    assert len(rig.hub.intake.kept) == 1
    assert len(rig.hub.intake.kept[0].hand_over.external_id) == 64


@pytest.mark.parametrize(
    "error", [PayloadTooLarge("too large"), NotAllowed("paused"), IdempotencyConflict("other content")]
)
def test_a_refused_message_is_answered_with_the_problem_and_lies_with_the_dead_letters(
    rig: SourceRig, error: PayloadTooLarge | NotAllowed | IdempotencyConflict
) -> None:
    rig.party.publish(BODY, message_id="m-1", reply_to="receipt.ecology")
    rig.hub.intake.refuses = error

    rig.run()

    [(kind, correlation, said)] = rig.party.replies()
    assert (kind, correlation, said["code"], said["message_id"]) == ("problem", "m-1", error.code, "m-1")
    assert dead(rig.url) == [BODY]
    rig.hub.intake.refuses = None
    rig.party.publish(BODY, message_id="m-2")
    rig.run()
    assert len(rig.hub.intake.kept) == 1


def test_a_message_over_which_the_hub_stumbles_is_given_up_and_its_neighbours_pass(
    rig: SourceRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = rig.hub.intake.receive

    def stumbling(hand_over: Any, pieces: Any) -> Any:
        if hand_over.external_id == "poison":
            raise ZeroDivisionError
        return receive(hand_over, pieces)

    monkeypatch.setattr(rig.hub.intake, "receive", stumbling)
    rig.party.publish(b"poison", message_id="poison")
    rig.party.publish(BODY, message_id="m-1")

    for _ in range(4):
        with pytest.raises(ZeroDivisionError):
            rig.run()
    rig.run()

    assert [k.body for k in rig.hub.intake.kept] == [BODY]
    assert dead(rig.url) == [b"poison"]


def test_a_message_that_kills_the_hub_each_time_is_given_up_by_rabbitmq(rig: SourceRig) -> None:
    rig.party.publish(b"poison", message_id="poison")

    for _ in range(25):
        rig.source._transport.take("in.ecology")
        rig.restart()

    rig.run()
    assert rig.hub.intake.kept == []
    assert dead(rig.url) == [b"poison"]


def test_the_receipt_comes_when_it_is_judged_and_again_when_it_is_settled_also_after_a_restart(rig: SourceRig) -> None:
    rig.party.publish(BODY, message_id="m-1", reply_to="receipt.ecology")
    rig.hub.receipts.judge("R0001", state="received", version=0)
    rig.run()
    rig.party.replies()

    rig.hub.receipts.judge("R0001", accepted=1)
    rig.restart()
    rig.clock.forward(timedelta(minutes=5))
    rig.run()
    rig.run()
    judged = rig.party.replies()
    rig.hub.receipts.judge("R0001", state="settled", version=2, accepted=1)
    rig.clock.forward(timedelta(minutes=5))
    rig.run()
    settled = rig.party.replies()
    rig.clock.forward(timedelta(minutes=5))
    rig.run()

    assert [(k, c, s["state"], s["counts"]["accepted"]) for k, c, s in judged] == [("receipt", "m-1", "judged", 1)]
    assert [(k, c, s["state"]) for k, c, s in settled] == [("receipt", "m-1", "settled")]
    assert rig.party.replies() == []
    assert rig.hub.memory.names("reply:") == []


def test_a_receipt_of_several_pages_is_several_messages(rig: SourceRig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.party.publish(BODY, message_id="m-1", reply_to="receipt.ecology")
    rig.hub.receipts.judge("R0001", state="received", version=0)
    rig.run()
    rig.party.replies()
    rig.hub.receipts.judge("R0001", state="settled", rejected=2)
    whole = rig.hub.receipts.held["R0001"]

    def paged(receipt_no: str, *, after: int = 0, limit: int = 500) -> Any:
        document = {**whole.document, "records": [{"row": after + 1}], **({} if after else {"next": 1})}
        return type(whole)(**{name: getattr(whole, name) for name in whole.__slots__} | {"document": document})

    monkeypatch.setattr(rig.hub.receipts, "receipt", paged)
    rig.clock.forward(timedelta(minutes=5))

    rig.run()

    assert [s["records"][0]["row"] for _, _, s in rig.party.replies()] == [1, 2]


def test_a_reply_goes_to_the_partys_own_queue_whatever_queue_the_message_names(rig: SourceRig) -> None:
    rig.party.publish(BODY, message_id="m-1", reply_to="hub.dead")

    rig.run()

    assert [kind for kind, _, _ in rig.party.replies()] == ["receipt-number"]
    assert dead(rig.url) == []


def test_a_reply_that_cannot_be_sent_makes_no_refusal_of_what_is_kept(
    rig: SourceRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: Any) -> None:
        raise NotAllowed("no right to hub.replies")

    rig.party.publish(BODY, message_id="m-1", reply_to="receipt.ecology")
    with monkeypatch.context() as patch:
        patch.setattr(rig.source._transport, "send", refusing)
        for _ in range(10):
            with pytest.raises(NotAllowed):
                rig.run()

    rig.run()

    assert len(rig.hub.intake.kept) == 1
    assert [kind for kind, _, _ in rig.party.replies()] == ["receipt-number"]
    assert dead(rig.url) == []


def test_words_that_are_no_text_do_no_harm(rig: SourceRig) -> None:
    rig.party.publish(
        BODY, message_id="m\0-1", content_type="text/\0", headers={"name": "a\0b", "n": 1, "t": {"x": "y"}}
    )

    rig.run()

    [kept] = rig.hub.intake.kept
    assert "\0" not in kept.hand_over.external_id + kept.hand_over.name + kept.hand_over.content_type


def test_a_parcel_of_another_hub_is_taken_as_one_and_its_verdict_is_told(rig: SourceRig) -> None:
    parcel = some(2)
    rig.party.publish(to_event(parcel), content_type=EVENT_CONTENT_TYPE, message_id="e-1", reply_to="receipt.ecology")

    rig.run()
    rig.run()
    rig.neighbours.awaiting = False
    rig.clock.forward(timedelta(minutes=5))
    rig.run()

    assert rig.neighbours.taken == [(to_event(parcel), "ecology-data")]
    assert rig.hub.intake.kept == []
    [number, verdict] = rig.party.replies()
    assert (number[0], number[2]["receipt_no"]) == ("receipt-number", "P0001")
    assert (verdict[0], verdict[2]["parcel_id"]) == ("verdict", str(parcel.id))


def test_many_messages_leave_other_connections_their_turn(rig: SourceRig) -> None:
    for number in range(205):
        rig.party.publish(BODY + b" " * number, message_id=f"m-{number}")

    assert rig.run() == 200
    assert rig.run() == 5


def test_the_connection_test_counts_what_waits(rig: SourceRig) -> None:
    rig.party.publish(BODY)

    assert "1 条待取" in rig.source.check()


def test_a_rabbitmq_that_is_restarted_loses_nothing(own_rabbitmq: RabbitNode) -> None:
    users = Users(own_rabbitmq.url, own_rabbitmq.management)
    AmqpSource(AmqpSourceSettings(), surroundings(users.url, "ecology", "ecology-data")).check()
    rig = SourceRig(users.url, users.party("ecology", sends=True))
    rig.party.publish(BODY, message_id="m-1", reply_to="receipt.ecology")
    rig.hub.intake.crashes_after_commit = True
    with pytest.raises(KeyboardInterrupt):
        rig.run()
    rig.hub.intake.crashes_after_commit = False

    own_rabbitmq.stop()
    with pytest.raises(SystemUnreachable):
        rig.run()
    own_rabbitmq.start()
    until(lambda: _runs(rig), 60)

    rig.party = PartyClient(rig.party._url, "ecology")
    assert len(rig.hub.intake.kept) == 1
    assert [(kind, s["repeated"]) for kind, _, s in rig.party.replies()] == [("receipt-number", True)]
    rig.source.close()
    rig.party.close()


def _runs(rig: SourceRig) -> bool:
    try:
        return rig.run() > 0
    except SystemUnreachable:
        return False
