"""The channel with a whole hub: a sender and a receiver with AMQP clients of their own, kills and restarts between."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.conformance.parcels import some
from demo.ecology import Row, pieces, rows
from hub.cli.main import app
from hub.config import load
from hub.parties import rights_of
from standards.parcel import EVENT_CONTENT_TYPE, to_event
from tests.adapters.amqp.rig import PartyClient, Users, dead
from tests.hub import city as cities
from tests.hub.city import City, config, until
from tests.hub.faults.rig import HubProcess
from tests.receiver import Receiver
from tests.services.rabbitmq import RabbitNode

MORE = """
[connections.ecology-queue]
party = "ecology"
adapter = "amqp"
mapping = "demo_ecology/punish_action"

[parties.district]
title = "平城区监管数据交换枢纽"
code = "11140213KNQXNW0E4C"
kind = "hub"

[connections.district]
party = "district"
adapter = "amqp"

[destinations.market]
party = "market"
adapter = "amqp"
direction = "across"
parcel = 5
receipt_due = "1h"

[[routes]]
to = ["market"]
connections = ["ecology-queue"]
"""


def csv_of(source: list[Row]) -> bytes:
    return b"".join(pieces(iter(source)))


class Market:
    """A receiver with a client in a thread of its own: takes parcels, and answers each."""

    def __init__(self, url: str) -> None:
        self.receiver = Receiver()
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        client: PartyClient | None = None
        while not self._stop.wait(0.02):
            try:
                client = client or PartyClient(self._url, "market")
                while (got := client.channel.basic_get("deliver.market"))[0] is not None:
                    event = json.loads(got[2])
                    client.answer({"parcel_id": event["id"], "records": self.receiver.take(event), "level": "city"})
                    client.channel.basic_ack(got[0].delivery_tag)
            except Exception:  # RabbitMQ is away: what was not acknowledged comes again
                client = None
        if client is not None:
            client.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)


class Everybody:
    """A hub's settings with the parties' users on the same virtual host."""

    def __init__(self, users: Users, path: Path) -> None:
        settings = load(path)
        self.ecology, self.market, self.district = (
            users.make(rights_of(settings, name)) for name in ("ecology", "market", "district")
        )


@pytest.fixture
def city(users: Users, tmp_path: Path) -> Iterator[City]:
    """A hub in this process."""
    yield from cities.running(tmp_path, broker=users.url, more=MORE)


@pytest.fixture
def everybody(city: City, users: Users, tmp_path: Path) -> Everybody:
    return Everybody(users, tmp_path / "hub.toml")


@pytest.fixture
def market(everybody: Everybody) -> Iterator[Market]:
    made = Market(everybody.market)
    yield made
    made.stop()


@pytest.fixture
def ecology(everybody: Everybody) -> Iterator[PartyClient]:
    client = PartyClient(everybody.ecology, "ecology")
    yield client
    client.close()


Replies = list[tuple[str, str, dict[str, Any]]]


def told(client: PartyClient, enough: Callable[[Replies], bool], seconds: float = 60) -> Replies:
    """What a party was told until it was enough."""
    held: Replies = []

    def looked() -> bool:
        held.extend(client.replies())
        return enough(held)

    until(looked, seconds)
    return held


def is_settled(replies: Replies) -> bool:
    return any(said.get("state") == "settled" for _, _, said in replies)


def test_from_one_client_to_the_other_and_back_with_every_verdict(
    city: City, market: Market, ecology: PartyClient
) -> None:
    source = list(rows(20, faults=0.1))
    good = [row for row in source if not row.fault]
    bad = f"{cities.ECOLOGY}-{good[0].key}"
    market.receiver.refuse = lambda record: {"code": "30001", "message": "无此对象"} if record["cd_id"] == bad else None

    ecology.publish(csv_of(source), message_id="案件-1", reply_to="receipt.ecology", content_type="text/csv")
    replies = told(ecology, is_settled)

    assert replies[0][0] == "receipt-number"
    assert {(correlation, said["receipt_no"]) for _, correlation, said in replies} == {
        ("案件-1", replies[0][2]["receipt_no"])
    }
    last = replies[-1][2]
    assert last["counts"] | {"accepted": 0, "rejected": 0} == {
        **dict.fromkeys(("accepted", "rejected", "held", "duplicate"), 0),
        "read": 20,
    }
    assert last["counts"]["accepted"] == len(good)
    states = {d["destination"]: d["states"] for d in last["deliveries"]}
    assert states["market"] == {"accepted": len(good) - 1, "refused": 1}
    assert set(market.receiver.stored) == {f"{cities.ECOLOGY}-{row.key}" for row in good} - {bad}
    assert set(market.receiver.stored) | {bad} == set(city.receiver.stored)


def test_a_parcel_of_another_hub_gets_its_verdict_over_the_queue(city: City, everybody: Everybody) -> None:
    client = PartyClient(everybody.district, "district")
    parcel = some(3)
    for identifier in ("e-1", "e-2"):
        properties = {"message_id": identifier, "reply_to": "receipt.district"}
        client.publish(to_event(parcel), content_type=EVENT_CONTENT_TYPE, **properties)
    client.publish(b"{}", content_type=EVENT_CONTENT_TYPE, message_id="e-3", reply_to="receipt.district")
    client.publish(b"a,b\n1,2\n", message_id="e-4", reply_to="receipt.district")

    replies = told(client, lambda held: sum(kind == "verdict" for kind, _, _ in held) >= 1)

    numbers = [said["receipt_no"] for kind, _, said in replies if kind == "receipt-number"]
    assert len(numbers) == 2
    assert len(set(numbers)) == 1  # the parcel's id, not the message's, makes the repeat
    [verdict] = [said for kind, _, said in replies if kind == "verdict"]
    assert (verdict["parcel_id"], verdict["receipt_no"]) == (str(parcel.id), numbers[0])
    assert (verdict["speaker"], verdict["level"]) == ("datong", "city")
    problems = {said["message_id"]: said["code"] for kind, _, said in replies if kind == "problem"}
    assert problems == {"e-3": "not-a-parcel", "e-4": "not-allowed"}
    client.close()


def test_a_refused_hand_over_is_told_and_kept_with_the_dead_letters(
    city: City, ecology: PartyClient, users: Users
) -> None:
    ecology.publish(csv_of(list(rows(2))), message_id="m-1", reply_to="receipt.ecology")
    other = csv_of(list(rows(3)))
    ecology.publish(other, message_id="m-1", reply_to="receipt.ecology")

    replies = told(ecology, lambda held: any(kind == "problem" for kind, _, _ in held))

    [problem] = [said for kind, _, said in replies if kind == "problem"]
    assert problem["code"] == "idempotency-conflict"
    assert problem["detail"]
    assert dead(users.url) == [other]


@pytest.mark.timeout(400)
def test_a_hub_that_is_killed_again_and_again_judges_each_message_once(users: Users, tmp_path: Path) -> None:
    receiver = Receiver().start()
    hub = HubProcess.make(tmp_path, receiver, broker=users.url, more=MORE)
    hub.start()
    everybody = Everybody(users, tmp_path / "hub.toml")
    market, ecology = Market(everybody.market), PartyClient(everybody.ecology, "ecology")
    files = {f"m-{n}": list(rows(10, first=1 + 10 * n)) for n in range(30)}

    for number, (name, source) in enumerate(files.items()):
        ecology.publish(csv_of(source), message_id=name, reply_to="receipt.ecology")
        if number % 10 == 5:
            hub.kill()
            hub.start()
    replies: Replies = []

    def all_settled() -> bool:
        replies.extend(ecology.replies())
        return {correlation for _, correlation, said in replies if said.get("state") == "settled"} == set(files)

    hub.until(all_settled, 200)

    numbers = {(correlation, said["receipt_no"]) for _, correlation, said in replies}
    assert len(numbers) == len(files)
    assert {s["counts"]["accepted"] for k, _, s in replies if k == "receipt"} == {10}
    keys = {f"{cities.ECOLOGY}-{row.key}" for source in files.values() for row in source}
    assert set(market.receiver.stored) == set(receiver.stored) == keys
    assert {(times, revision) for (_, revision), times in market.receiver.arrivals.items() if revision > 1} == set()
    assert dead(users.url) == []
    hub.stop()
    market.stop()
    ecology.close()
    receiver.stop()


@pytest.mark.timeout(400)
def test_rabbitmq_is_killed_while_parcels_wait_and_everything_arrives(own_rabbitmq: RabbitNode, tmp_path: Path) -> None:
    users = Users(own_rabbitmq.url, own_rabbitmq.management)
    receiver = Receiver().start()
    city = cities.start(tmp_path, receiver, broker=users.url, more=MORE)
    everybody = Everybody(users, tmp_path / "hub.toml")
    ecology = PartyClient(everybody.ecology, "ecology")
    source = list(rows(40))
    ecology.publish(csv_of(source), message_id="m-1", reply_to="receipt.ecology")
    told(ecology, lambda held: any(said.get("state") == "judged" for _, _, said in held))
    until(lambda: _depth(own_rabbitmq, "deliver.market") > 0, 60)
    own_rabbitmq.wait_for_queues()

    own_rabbitmq.kill()
    own_rabbitmq.start()
    market = Market(everybody.market)

    ecology = PartyClient(everybody.ecology, "ecology")
    replies = told(ecology, is_settled, 120)
    assert replies[-1][2]["counts"]["accepted"] == 40
    assert len(market.receiver.stored) == 40
    market.stop()
    city.hub.stop()
    receiver.stop()


def _depth(node: RabbitNode, queue: str) -> int:
    found = node.management.ask("GET", "queues?columns=name,messages")
    return sum(one.get("messages", 0) for one in found if one["name"] == queue)


def checked(path: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["check", "--config", str(path), *words])
    return done.exit_code, re.sub(r"\s+", " ", done.output)


def test_the_check_says_where_rabbitmq_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(config("http://127.0.0.1:9", more=MORE), "utf-8")

    code, said = checked(path)

    assert code == 2
    lines = [n for n, line in enumerate(path.read_text("utf-8").splitlines(), 1) if line == 'adapter = "amqp"']
    assert len(lines) == 3
    assert all(f"hub.toml:{line}: the adapter amqp needs RabbitMQ" in said for line in lines)


def test_the_check_tells_queues_that_are_used_twice_and_really_looks_into_the_others(
    users: Users, tmp_path: Path
) -> None:
    path = tmp_path / "hub.toml"
    again = '\n[connections.more]\nparty = "ecology"\nadapter = "amqp"\ndataset = "check_action"\n'
    path.write_text(config("http://127.0.0.1:9", broker=users.url, more=MORE + again), "utf-8")
    twice = checked(path)
    path.write_text(config("http://127.0.0.1:9", broker=users.url, more=MORE), "utf-8")

    _, right = checked(path)

    assert twice[0] == 2
    assert "more and ecology-queue have the same queue in.ecology" in twice[1]
    assert "✓ connection ecology-queue: RabbitMQ" in right
    assert "in.ecology：0 条待取" in right
    assert "deliver.market：0 个待取，0 个客户端在收" in right
