"""The pytest fixtures of the services.  Each starts its server when the first test asks for it, once for the whole run.

A test that needs a service and finds none fails: ServiceFailed says why.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.services import host
from tests.services.mariadb import MariaDatabases
from tests.services.postgres import Databases, PostgresServer
from tests.services.rabbitmq import RabbitNode, VirtualHosts
from tests.services.sshd import SshServer
from tests.services.tcp_proxy import TcpProxy


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """Fresh databases and templates on the server of this run."""
    databases = Databases(host.need("postgres")["url"])
    yield databases
    databases.drop_templates()


@pytest.fixture
def postgres_url(postgres: Databases) -> Iterator[str]:
    """SQLAlchemy's URL of an empty database of this test's own."""
    url = postgres.create()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="module")
def module_postgres_url(postgres: Databases) -> Iterator[str]:
    """The same, shared by the tests of one file."""
    url = postgres.create()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def rabbitmq() -> VirtualHosts:
    """Fresh virtual hosts on the broker of this run, and its management API."""
    facts = host.need("rabbitmq")
    return VirtualHosts(facts["url"], facts["management_url"])


@pytest.fixture
def amqp_url(rabbitmq: VirtualHosts) -> Iterator[str]:
    """The AMQP URL of an empty virtual host of this test's own."""
    url = rabbitmq.create()
    yield url
    rabbitmq.delete(url)


@pytest.fixture(scope="module")
def module_amqp_url(rabbitmq: VirtualHosts) -> Iterator[str]:
    """The same, shared by the tests of one file."""
    url = rabbitmq.create()
    yield url
    rabbitmq.delete(url)


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    """SQLAlchemy's URL of an empty MariaDB database of this test's own."""
    databases = MariaDatabases(host.need("mariadb")["url"])
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture
def ssh_server() -> Iterator[SshServer]:
    """A running OpenSSH server of this test's own, for the account the tests run as."""
    server = SshServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _rabbit_node() -> Iterator[RabbitNode]:
    node = RabbitNode()
    yield node
    node.remove()


@pytest.fixture
def own_rabbitmq(_rabbit_node: RabbitNode) -> RabbitNode:
    """A running, empty node that a test may stop, kill, wipe and start again; nobody else is on it."""
    _rabbit_node.make_fresh()
    return _rabbit_node


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def own_postgres(_postgres_server: PostgresServer) -> PostgresServer:
    """A running server that a test may stop, kill and start again; `Databases(server.url)` makes databases on it."""
    if not _postgres_server.is_running:
        _postgres_server.start()
    return _postgres_server


@pytest.fixture
def tcp_proxy() -> Iterator[Callable[[int], TcpProxy]]:
    """Makes a proxy in front of a port of this machine: `proxy = tcp_proxy(port)`, then `proxy.url(url)`."""
    proxies: list[TcpProxy] = []

    def make(target_port: int) -> TcpProxy:
        proxies.append(TcpProxy(target_port))
        return proxies[-1]

    yield make
    for proxy in proxies:
        proxy.close()
