"""Private PostgreSQL, RabbitMQ and MariaDB servers for tests, and the things that break networks between them."""
