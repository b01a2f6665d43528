"""Everything that speaks AMQP: the one home of pika."""

from hub.broker.rabbitmq.broker import RabbitBroker

__all__ = ["RabbitBroker"]
