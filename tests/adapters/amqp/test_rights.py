"""A party's user: it can publish its own and read its own, and touch nothing else.  Tried on RabbitMQ itself."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pika
import pika.exceptions
import pytest
from typer.testing import CliRunner

from adapters.amqp.names import destination_bindings, source_bindings
from hub.broker.rabbitmq import transports
from hub.cli.main import app
from hub.parties import commands, queues_twice, rights_of
from hub.settings import Connection, Destination
from standards.errors import BadConfiguration, UnknownName
from tests.adapters.amqp.rig import PartyClient, Users, settings_of
from tests.hub.city import config
from tests.services.rabbitmq import RabbitNode

PARTIES = ("ecology", "market")
OTHERS = [
    *("in.ecology", "in.market", "in.ecology-2", "answers.ecology", "receipt.market", "deliver.market"),
    *("answers.market", "work.translate.now", "deliver.ecology.now", "hub.dead"),
]
EXCHANGES = ["hub.work", "hub.parcels", "hub.events", "hub.dead", "hub.replies", "amq.topic", "amq.default", ""]


@pytest.fixture
def city(users: Users) -> Users:
    """Everything that two parties and a hub have on a virtual host."""
    wanted = [b for p in PARTIES for b in (*source_bindings(p), *destination_bindings(p, p))]
    transports(users.url)(wanted).check()
    connection = pika.BlockingConnection(pika.URLParameters(users.url))
    channel = connection.channel()
    for name in ("in.ecology-2", "work.translate.now", "deliver.ecology.now"):
        channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
    for name in ("hub.work", "hub.events"):
        channel.exchange_declare(name, "topic", durable=True)
        channel.queue_bind("work.translate.now", name, "#")
    connection.close()
    return users


@pytest.fixture
def ecology(city: Users) -> Iterator[PartyClient]:
    """A client that hands over and receives."""
    client = city.party("ecology", sends=True, receives=True)
    yield client
    client.close()


def test_it_publishes_under_its_own_keys_and_reads_its_own_queues(city: Users, ecology: PartyClient) -> None:
    hub = transports(city.url)([])
    ecology.publish(b"1")
    ecology.publish(b"2", exchange="hub.receipts", key="receipt.ecology")
    ecology.publish(b"3", exchange="hub.receipts", key="receipt.ecology.late")

    assert ecology.get("deliver.ecology") is ecology.get("receipt.ecology") is None
    taken = []
    for queue in ("in.ecology", "answers.ecology", "answers.ecology"):
        message = hub.take(queue)
        assert message is not None
        taken.append(message.body)
        hub.done(queue)
    assert taken == [b"1", b"2", b"3"]


@pytest.mark.parametrize(
    "key", ["in.market", "in.ecology.more", "in.ecology-2", "in.ecologyx", "#", "in.*", "xin.ecology"]
)
def test_another_key_is_refused(ecology: PartyClient, key: str) -> None:
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        ecology.publish(b"x", key=key)


@pytest.mark.parametrize("key", ["receipt.market", "receipt", "receipt.ecologyx", "receipt.#"])
def test_it_cannot_answer_for_another(ecology: PartyClient, key: str) -> None:
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        ecology.publish(b"x", exchange="hub.receipts", key=key)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_no_other_exchange_takes_its_messages(ecology: PartyClient, exchange: str) -> None:
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match=r"ACCESS_REFUSED|NOT_FOUND"):
        ecology.publish(b"x", exchange=exchange, key="work.translate.now")


@pytest.mark.parametrize("queue", OTHERS)
def test_no_other_queue_is_open_to_it(ecology: PartyClient, queue: str) -> None:
    for touch in (
        lambda c: c.basic_get(queue),
        lambda c: c.basic_consume(queue, lambda *_: None),
        lambda c: c.queue_purge(queue),
        lambda c: c.queue_delete(queue),
        lambda c: c.queue_bind(queue, "hub.parcels", "#"),
    ):
        with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
            touch(ecology.connection.channel())


def test_it_declares_binds_and_deletes_nothing_not_even_its_own(ecology: PartyClient) -> None:
    for touch in (
        lambda c: c.queue_declare("mine"),
        lambda c: c.queue_declare("", exclusive=True),
        lambda c: c.exchange_declare("mine", "topic"),
        lambda c: c.exchange_delete("hub.in"),
        lambda c: c.queue_delete("deliver.ecology"),
        lambda c: c.queue_bind("deliver.ecology", "hub.parcels", "#"),
        lambda c: c.queue_unbind("deliver.ecology", "hub.parcels", "*.ecology.*"),
        lambda c: c.exchange_bind("hub.in", "hub.parcels", "#"),
    ):
        with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
            touch(ecology.connection.channel())


def test_it_cannot_say_that_it_is_another_user(ecology: PartyClient) -> None:
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="PRECONDITION_FAILED"):
        ecology.publish(b"x", user_id="hub")


def test_it_has_no_other_virtual_host(city: Users, ecology: PartyClient) -> None:
    url = pika.URLParameters(ecology._url)
    url.virtual_host = "/"

    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(url)


def test_a_sender_has_no_parcels_and_a_receiver_hands_nothing_over(city: Users) -> None:
    sender, receiver = city.party("ecology", sends=True), city.party("market", receives=True)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        sender.get("deliver.ecology")
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        sender.publish(b"x", exchange="hub.receipts", key="receipt.ecology")
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        receiver.publish(b"x")
    sender.close()
    receiver.close()


def test_rights_keep_to_the_prefix_of_the_hub() -> None:
    rights = rights_of(settings_of(sends=("a-b",), receives=("a-b",), prefix="test.city-"), "a-b")

    assert re.match(rights.write, "test.city-hub.in")
    assert not re.match(rights.write, "hub.in")
    assert re.match(rights.read, "test.city-deliver.a-b")
    assert not re.match(rights.read, "testxcity-deliver.a-b")
    assert not re.match(rights.read, "test.city-deliver.a-b.now")
    assert [exchange for exchange, _ in rights.keys] == ["test.city-hub.in", "test.city-hub.receipts"]


def test_a_party_that_speaks_no_amqp_gets_no_user() -> None:
    with pytest.raises(UnknownName, match="did you mean ecology"):
        rights_of(settings_of(sends=("ecology",)), "ecologie")
    other = settings_of(sends=("ecology",))
    moved = other.model_copy(update={"connections": {}})
    with pytest.raises(BadConfiguration, match="no connection and no destination"):
        rights_of(moved, "ecology")


def test_two_connections_of_one_party_need_queues_of_their_own() -> None:
    settings = settings_of(sends=("ecology",), receives=("market",))
    one = Connection(party="ecology", adapter="amqp", dataset="check_action")
    twice = settings.model_copy(
        update={
            "connections": {**settings.connections, "checks": one},
            "destinations": {**settings.destinations, "again": Destination(party="market", adapter="amqp")},
        }
    )
    apart = one.model_copy(update={"settings": {"queue": "checks"}})
    right = settings.model_copy(update={"connections": {**settings.connections, "checks": apart}})

    assert [where for where, _, _ in queues_twice(twice)] == [("connections", "checks"), ("destinations", "again")]
    assert list(queues_twice(right)) == []
    [(_, keys)] = rights_of(right, "ecology").keys
    assert re.match(keys, "in.ecology.checks")


# The command

MORE = """
[connections.ecology-queue]
party = "ecology"
adapter = "amqp"
dataset = "punish_action"

[destinations.market]
party = "market"
adapter = "amqp"
direction = "across"
"""


def hub_toml(folder: Path, broker: str) -> str:
    path = folder / "hub.toml"
    path.write_text(config("http://127.0.0.1:9", broker=broker, more=MORE), "utf-8")
    return str(path)


def called(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["party", "amqp", *words])
    return done.exit_code, done.output


def test_the_commands_are_told(tmp_path: Path) -> None:
    path = hub_toml(tmp_path, "amqp://hub:secret@mq/city")

    code, said = called("ecology", "--config", path)

    assert code == 0
    assert "secret" not in said
    assert "rabbitmqctl add_user ecology" in said
    told = [shlex.split(line)[1:] for line in said.splitlines() if line.startswith("rabbitmqctl set_")]
    rights = rights_of(settings_of(sends=("ecology",)), "ecology")
    assert told == commands(rights, "ecology", "city")


@pytest.mark.parametrize(
    ("broker", "words", "said"),
    [
        ("amqp://hub:secret@mq/city", ("ecologi",), "did you mean ecology?"),
        ("amqp://hub:secret@mq/city", ("centre",), "no connection and no destination"),
        ("amqp://hub:secret@mq/city", ("ecology", "--user", "hub"), "hub's own user"),
        ("amqp://hub:secret@mq/city", ("ecology", "--apply", "--rabbitmqctl", "/no/such/program"), "cannot be run"),
        ("amqp://hub:secret@mq/city", ("ecology", "--apply", "--rabbitmqctl", "false"), "rabbitmqctl list_users"),
        ("", ("ecology",), "broker.url is empty"),
    ],
)
def test_what_cannot_be_done_is_told(tmp_path: Path, broker: str, words: tuple[str, ...], said: str) -> None:
    code, told = called(*words, "--config", hub_toml(tmp_path, broker))

    assert code == 2
    assert said in re.sub(r"\s+", " ", told)


def test_applied_the_user_is_there_and_a_repeat_keeps_its_password(own_rabbitmq: RabbitNode, tmp_path: Path) -> None:
    path = hub_toml(tmp_path, own_rabbitmq.url)
    apply = ("--apply", "--json", "--config", path, "--rabbitmqctl", shlex.join(own_rabbitmq.control()))
    transports(own_rabbitmq.url)(source_bindings("ecology")).check()

    first, again, renewed = (called("ecology", *apply, *more) for more in ((), (), ("--new-password",)))
    taken = called("ecology", *apply, "--user", "guest2")
    own_rabbitmq.management.ask("PUT", "users/boss", {"password": "x", "tags": "administrator"})
    boss = called("ecology", *apply, "--user", "boss")

    assert [code for code, _ in (first, again, renewed, taken)] == [0, 0, 0, 0], first[1]
    passwords = [json.loads(said)["password"] for _, said in (first, again, renewed)]
    assert [bool(p) for p in passwords] == [True, False, True]
    assert passwords[0] != passwords[2]
    parts = urlsplit(own_rabbitmq.url)
    client = PartyClient(f"amqp://ecology:{passwords[2]}@{parts.hostname}:{parts.port}/%2F", "ecology")
    client.publish(b"x")
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        client.publish(b"x", key="in.market")
    client.close()
    assert boss[0] == 2
    assert "管理用户" in boss[1]


# A client that is not ours

CLIENT = Path(__file__).with_name("client.js")


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_client_of_another_make(city: Users, tmp_path: Path) -> None:
    def ran(*words: str) -> str:
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        return done.stdout

    ran("npm", "install", "--silent", "--no-audit", "--no-fund", "amqplib")
    shutil.copy(CLIENT, tmp_path)
    url = city.make(rights_of(settings_of(sends=("ecology",), receives=("ecology",)), "ecology"))
    hub = transports(city.url)([])

    said = json.loads(ran("node", "client.js", url, "ecology", "market"))

    assert said["published"] is True
    assert set(said["refused"].values()) == {403}, said
    message = hub.take("in.ecology")
    assert message is not None
    assert (message.body, message.id, message.reply_to) == ("处罚".encode(), "node-1", "receipt.ecology")
