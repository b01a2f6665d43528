"""How RabbitMQ is connected to, and its silence in our words."""

from __future__ import annotations

import pika

from standards.errors import SystemUnreachable

_HEARTBEAT = 30


def parameters_of(url: str) -> pika.URLParameters:
    """Parameters of an address; a heartbeat in it counts (`?heartbeat=5`)."""
    parameters = pika.URLParameters(url)
    if "heartbeat=" not in url:
        parameters.heartbeat = _HEARTBEAT
    parameters.blocked_connection_timeout = 60
    parameters.socket_timeout = 10
    return parameters


def unreachable(error: BaseException, *, answer_lost: bool = False) -> SystemUnreachable:
    """A foreign error in our words."""
    return SystemUnreachable(
        f"RabbitMQ does not answer: {type(error).__name__} {error}".rstrip(),
        what_zh="RabbitMQ 无法连接",
        hint="is it running, and is broker.url right?",
        hint_zh="请检查 RabbitMQ 是否运行、broker.url 是否正确",
        answer_lost=answer_lost,
    )
