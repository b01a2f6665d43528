"""The services themselves: they start, survive what tests do to them, and leave nothing behind."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pika
import psycopg
import pytest
from pika.exceptions import AMQPConnectionError
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.services import guard
from tests.services.ports import answers
from tests.services.postgres import Databases, PostgresServer, plain
from tests.services.rabbitmq import RabbitNode, VirtualHosts
from tests.services.tcp_proxy import TcpProxy


def published(url: str, queue: str = "kept") -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare(queue, durable=True)
    channel.confirm_delivery()
    channel.basic_publish("", queue, b"x", pika.BasicProperties(delivery_mode=2), mandatory=True)
    connection.close()


def fetched(url: str, queue: str = "kept", seconds: float = 0) -> bytes | None:
    """The first message; a queue that was just recovered may need a moment before it gives it."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare(queue, durable=True)
    end = time.monotonic() + seconds
    _, _, body = channel.basic_get(queue, auto_ack=False)
    while body is None and time.monotonic() < end:
        time.sleep(0.2)
        _, _, body = channel.basic_get(queue, auto_ack=False)
    connection.close()
    return body


def test_each_test_gets_an_empty_database_of_its_own(postgres: Databases, postgres_url: str) -> None:
    other = postgres.create()

    with psycopg.connect(plain(postgres_url)) as connection:
        connection.execute("CREATE TABLE here (id int)")
    with psycopg.connect(plain(other)) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'here'").fetchone()

    postgres.drop(other)
    assert found == (0,)


def test_a_template_is_filled_once_and_copied(postgres: Databases) -> None:
    filled = []

    def fill(url: str) -> None:
        filled.append(url)
        with psycopg.connect(plain(url)) as connection:
            connection.execute("CREATE TABLE migrated AS SELECT 7 AS version")

    copies = [postgres.create(template=postgres.template("test-template", fill)) for _ in range(2)]

    for copy in copies:
        with psycopg.connect(plain(copy)) as connection:
            assert connection.execute("SELECT version FROM migrated").fetchone() == (7,)
        postgres.drop(copy)
    assert len(filled) == 1


def test_each_test_gets_an_empty_virtual_host_of_its_own(rabbitmq: VirtualHosts, amqp_url: str) -> None:
    other = rabbitmq.create()

    published(amqp_url)

    assert rabbitmq.management.queues(amqp_url.rpartition("/")[2]) == ["kept"]
    assert rabbitmq.management.queues(other.rpartition("/")[2]) == []
    rabbitmq.delete(other)


def test_a_mariadb_database_takes_chinese_text(mariadb_url: str) -> None:
    engine = create_engine(mariadb_url)

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE here (name varchar(20))"))
        connection.execute(text("INSERT INTO here VALUES ('行政处罚𠮷')"))
        found = connection.execute(text("SELECT name FROM here")).scalar()

    engine.dispose()
    assert found == "行政处罚𠮷"


def test_an_own_broker_keeps_its_queues_when_killed_and_loses_them_when_wiped(own_rabbitmq: RabbitNode) -> None:
    published(own_rabbitmq.url)

    own_rabbitmq.kill()
    with pytest.raises(AMQPConnectionError):
        fetched(own_rabbitmq.url)
    own_rabbitmq.start()
    after_the_kill = fetched(own_rabbitmq.url, seconds=20)
    own_rabbitmq.kill()
    own_rabbitmq.wipe()
    own_rabbitmq.start()

    assert after_the_kill == b"x"
    assert fetched(own_rabbitmq.url) is None


def test_an_own_broker_is_empty_for_the_next_test(own_rabbitmq: RabbitNode) -> None:
    assert own_rabbitmq.management.queues("/") == []


def test_an_own_database_server_keeps_what_was_committed_before_it_was_killed(own_postgres: PostgresServer) -> None:
    with psycopg.connect(plain(own_postgres.url)) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")

    own_postgres.kill()
    refused = not answers(own_postgres.port)
    own_postgres.start()

    with psycopg.connect(plain(own_postgres.url)) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
    assert refused
    own_postgres.stop()
    assert not own_postgres.is_running


def test_the_proxy_passes_a_url_on_and_its_switches_do_what_they_say(
    postgres_url: str, tcp_proxy: Callable[[int], TcpProxy]
) -> None:
    proxy = tcp_proxy(make_url(postgres_url).port or 0)
    url = f"{plain(proxy.url(postgres_url))}?connect_timeout=2"

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        proxy.cut()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")

    proxy.refuse()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(url)

    proxy.heal()
    proxy.hang()
    with pytest.raises(psycopg.OperationalError, match="timeout"):
        psycopg.connect(url)

    proxy.heal()
    proxy.cut_after(20)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)

    proxy.heal()
    proxy.delay(0.05)
    began = time.monotonic()
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
    assert time.monotonic() - began > 0.2
    assert proxy.accepted == 4
    assert proxy.bytes_up
    assert proxy.bytes_down


def test_a_healed_proxy_lets_a_waiting_connection_go_on(
    postgres_url: str, tcp_proxy: Callable[[int], TcpProxy]
) -> None:
    proxy = tcp_proxy(make_url(postgres_url).port or 0)

    with psycopg.connect(plain(proxy.url(postgres_url))) as connection:
        proxy.hang()
        healer = threading.Timer(0.2, proxy.heal)
        healer.start()
        assert connection.execute("SELECT 1").fetchone() == (1,)
        healer.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_no_server_and_no_folder_behind(number: signal.Signals) -> None:
    program = (
        "import os, sys, time\n"
        "from tests.services.postgres import PostgresServer\n"
        "server = PostgresServer(); server.start()\n"
        "print(server._process.pid, server._folder, flush=True)\n"
        "sys.stdin.read()\n"
    )
    run = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    pid, _, folder = run.stdout.readline().strip().partition(" ")
    assert guard.started_at(int(pid))

    run.send_signal(number)
    run.wait()

    deadline = time.monotonic() + 10
    while (guard.started_at(int(pid)) or Path(folder).exists()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert guard.started_at(int(pid)) is None
    assert not Path(folder).exists()
