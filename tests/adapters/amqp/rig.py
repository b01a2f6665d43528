"""A virtual host with the hub's side and a party's client on it, which is another user and may do its own work only."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import pika

from adapters.base import Surroundings
from adapters.conformance.parcels import PROVIDER, around
from hub.broker.rabbitmq import transports
from hub.parties import Rights, rights_of
from hub.settings import Connection, Destination, Hub, Party, Settings
from tests.services.rabbitmq import Management


def settings_of(*, sends: tuple[str, ...] = (), receives: tuple[str, ...] = (), prefix: str = "") -> Settings:
    """Settings in which these parties speak AMQP."""
    names = dict.fromkeys((*sends, *receives))
    return Settings(
        hub=Hub(name="city-hub", title="市枢纽", level="city", region="140200", code=PROVIDER),
        broker={"url": "amqp://x/", "prefix": prefix},  # type: ignore[arg-type]
        parties={name: Party(title=name, code=PROVIDER) for name in names},
        connections={f"{n}-data": Connection(party=n, adapter="amqp", dataset="punish_action") for n in sends},
        destinations={n: Destination(party=n, adapter="amqp") for n in receives},
    )


def surroundings(url: str, party: str, name: str, prefix: str = "") -> Surroundings:
    """What an adapter of this party is told."""
    return replace(around(name), party=party, transports=transports(url, prefix))


@dataclass
class Users:
    """Users of one virtual host, with the rights that `hub party amqp` gives."""

    url: str
    management: Management
    made: list[str] = field(default_factory=list)

    def make(self, rights: Rights) -> str:
        """The AMQP URL of a new user with these rights."""
        parts = urlsplit(self.url)
        vhost = quote(unquote(parts.path.removeprefix("/")), safe="")
        user, password = f"{rights.party}-{secrets.token_hex(4)}", secrets.token_hex(8)
        self.management.ask("PUT", f"users/{user}", {"password": password, "tags": ""})
        self.made.append(user)
        allowed = {"configure": "^$", "write": rights.write, "read": rights.read}
        self.management.ask("PUT", f"permissions/{vhost}/{user}", allowed)
        for exchange, keys in rights.keys:
            topic = {"exchange": exchange, "write": keys, "read": "^$"}
            self.management.ask("PUT", f"topic-permissions/{vhost}/{user}", topic)
        return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}"))

    def party(self, name: str, *, sends: bool = False, receives: bool = False) -> PartyClient:
        """A client of a party."""
        settings = settings_of(sends=(name,) * sends, receives=(name,) * receives)
        return PartyClient(self.make(rights_of(settings, name)), name)

    def remove(self) -> None:
        for user in self.made:
            self.management.ask("DELETE", f"users/{user}")


class PartyClient:
    """A party's own client: publishes with confirms, and reads its queues."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self._url = url
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self._channel()

    def _channel(self) -> Any:
        channel = self.connection.channel()
        channel.confirm_delivery()
        return channel

    def publish(self, body: bytes, *, exchange: str = "hub.in", key: str = "", **properties: Any) -> None:
        """Hand over; raises pika's errors."""
        if self.channel.is_closed:
            self.channel = self._channel()
        made = pika.BasicProperties(delivery_mode=2, **properties)
        self.channel.basic_publish(exchange, key or f"in.{self.name}", body, made, mandatory=True)

    def answer(self, said: dict[str, Any]) -> None:
        """Say what became of a parcel."""
        self.publish(json.dumps(said).encode(), exchange="hub.receipts", key=f"receipt.{self.name}")

    def get(self, queue: str) -> tuple[pika.BasicProperties, bytes] | None:
        """The next message of a queue, acknowledged."""
        if self.channel.is_closed:
            self.channel = self._channel()
        method, properties, body = self.channel.basic_get(queue, auto_ack=True)
        return None if method is None else (properties, body)

    def replies(self) -> list[tuple[str, str, dict[str, Any]]]:
        """What is said of its hand-overs: kind, correlation, document."""
        found = []
        while (got := self.get(f"receipt.{self.name}")) is not None:
            found.append((str(got[0].type), str(got[0].correlation_id), json.loads(got[1])))
        return found

    def close(self) -> None:
        if self.connection.is_open:
            self.connection.close()


def dead(url: str) -> list[bytes]:
    """What lies with the dead letters."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    found = []
    channel = connection.channel()
    while (got := channel.basic_get("hub.dead", auto_ack=True))[0] is not None:
        found.append(got[2])
    connection.close()
    return found
