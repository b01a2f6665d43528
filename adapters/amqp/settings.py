"""Settings of the channel `amqp`, and the connection both of its directions need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from adapters.base import AdapterSettings, Surroundings
from standards.errors import BadConfiguration
from standards.ports import Binding, MessageTransport


class AmqpSourceSettings(AdapterSettings):
    """Settings of a queue that a party publishes into."""

    queue: str = Field(
        "",
        pattern=r"^([a-z0-9][a-z0-9-]*)?$",
        description="Tells several connections of one party apart: its queue is in.<party>.<queue>; empty: in.<party>.",
    )
    pause_seconds: PositiveFloat = Field(0.2, description="Rest when the queue was empty.")
    at_once: PositiveInt = Field(200, description="Messages taken before other connections have their turn.")


class AmqpDestinationSettings(AdapterSettings):
    """Settings of a party that takes its parcels from its own queue."""

    mode: Literal["structured", "binary"] = Field("structured", description="Form of the CloudEvent.")
    level: str = Field("", description="Level that speaks in the answers: district, city, province, nation.")


def transport_of(around: Surroundings, bindings: Sequence[Binding]) -> MessageTransport:
    """A connection to the hub's RabbitMQ.  Raises BadConfiguration when the hub has none."""
    if around.transports is None:
        raise BadConfiguration(
            f"{around.name}: the channel amqp needs RabbitMQ, and broker.url is empty",
            what_zh=f"{around.name}：amqp 通道需要 RabbitMQ，而 broker.url 为空",
            hint="set url or url_secret in [broker]",
            hint_zh="请在 [broker] 中设置 url 或 url_secret",
        )
    return around.transports(bindings)
