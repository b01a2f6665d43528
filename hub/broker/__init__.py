"""The carrier: RabbitMQ, or the ledger's own outbox where there is none."""
