"""Which queues the parties of these settings have on RabbitMQ, and what their users may do there.  Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.amqp.names import (
    IN,
    RECEIPTS,
    destination_bindings,
    inbox,
    outbox,
    receipts,
    source_bindings,
)
from hub.settings import Settings
from standards.errors import BadConfiguration, UnknownName
from standards.ports import Binding

#: The adapter of parties with an AMQP client of their own.
ADAPTER = "amqp"
_NOTHING = "^$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What RabbitMQ lets a party's user do: regular expressions over names, as RabbitMQ takes them."""

    party: str
    write: str
    read: str
    #: Exchange, and the keys it may publish with; without this a topic exchange would take any key.
    keys: tuple[tuple[str, str], ...]


def bindings_of(settings: Settings) -> tuple[Binding, ...]:
    """Every queue of every party that speaks AMQP."""
    found: dict[tuple[str, str, str], Binding] = {}
    for source in settings.connections.values():
        if source.adapter == ADAPTER:
            for one in source_bindings(source.party, str(source.settings.get("queue", ""))):
                found[one.exchange, one.key, one.queue] = one
    for name, destination in settings.destinations.items():
        if destination.adapter == ADAPTER:
            for one in destination_bindings(destination.party, name):
                found[one.exchange, one.key, one.queue] = one
    return tuple(found.values())


def queues_twice(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Connections or destinations that would take each other's messages: where, what is wrong, what helps."""
    used: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, source in settings.connections.items():
        if source.adapter == ADAPTER:
            used[inbox(source.party, str(source.settings.get("queue", "")))].append(("connections", name))
    for name, destination in settings.destinations.items():
        if destination.adapter == ADAPTER:
            used[outbox(destination.party)].append(("destinations", name))
    for queue, users in used.items():
        for kind, name in users[1:]:
            hint = (
                "give it a 'queue' of its own in its settings (请在 settings 中设置 queue)"
                if kind == "connections"
                else "one destination of adapter amqp for each party (每个接入方只配置一个 amqp 投递目标)"
            )
            yield (kind, name), f"{name} and {users[0][1]} have the same queue {queue}", hint


def rights_of(settings: Settings, party: str) -> Rights:
    """What a party's user needs for its connections and destination, and no more.

    Raises UnknownName, BadConfiguration when it speaks no AMQP here.
    """
    if party not in settings.parties:
        raise UnknownName.of("party", "接入方", party, settings.parties)
    prefix = re.escape(settings.broker.prefix)
    word = re.escape(party)
    inboxes = [
        inbox(party, str(c.settings.get("queue", "")))
        for c in settings.connections.values()
        if c.party == party and c.adapter == ADAPTER
    ]
    receives = any(d.party == party and d.adapter == ADAPTER for d in settings.destinations.values())
    if not inboxes and not receives:
        raise BadConfiguration(
            f"{party} has no connection and no destination of adapter amqp",
            what_zh=f"接入方 {party} 没有 amqp 接入，也没有 amqp 投递目标",
            hint='add [connections.…] or [destinations.…] with adapter = "amqp" first',
            hint_zh='请先配置 adapter = "amqp" 的接入或投递目标',
        )
    keys = []
    if inboxes:
        keys.append((settings.broker.prefix + IN, f"^({'|'.join(re.escape(name) for name in inboxes)})$"))
    if receives:
        keys.append((settings.broker.prefix + RECEIPTS, rf"^receipt\.{word}(\..+)?$"))
    queues = [receipts(party)] * bool(inboxes) + [outbox(party)] * receives
    return Rights(
        party=party,
        write=f"^({'|'.join(re.escape(exchange) for exchange, _ in keys)})$",
        read=f"^{prefix}({'|'.join(re.escape(queue) for queue in queues)})$",
        keys=tuple(keys),
    )


def commands(rights: Rights, user: str, vhost: str) -> list[list[str]]:
    """Arguments of rabbitmqctl that give a user these rights in a virtual host; safe to repeat.

    A user without any right on an exchange cannot publish there with any key, so only `keys` need topic permissions.
    """
    made = [["set_permissions", "-p", vhost, user, _NOTHING, rights.write, rights.read]]
    made += [["set_topic_permissions", "-p", vhost, user, exchange, keys, _NOTHING] for exchange, keys in rights.keys]
    return made
