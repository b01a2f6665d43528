"""Everything that speaks AMQP: the one home of pika."""

from hub.broker.rabbitmq.broker import RabbitBroker
from hub.broker.rabbitmq.transport import RabbitTransport, foreign, transports

__all__ = ["RabbitBroker", "RabbitTransport", "foreign", "transports"]
