"""Starts each service once for a whole test run, when it is first asked for, and tells every worker where it is.

The process that pytest was started as (or `python -m tests.services run`) holds the servers; xdist's workers ask it
over a socket in a folder of its own.
"""

import contextlib
import json
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Protocol, TypeVar

from tests.services.mariadb import MariaServer
from tests.services.postgres import PostgresServer
from tests.services.process import ServiceFailed, tell_guard
from tests.services.rabbitmq import RabbitNode, management_beside

#: Where the host listens and what it wants to hear first; inherited by everything that the run starts.
ADDRESS = "HUB_TEST_SERVICES"
KEY = "HUB_TEST_SERVICES_KEY"

Facts = dict[str, str]


class Server(Protocol):
    def start(self) -> None: ...
    def remove(self) -> None: ...


AnyServer = TypeVar("AnyServer", bound=Server)


class ServiceHost:
    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._folder = Path(tempfile.mkdtemp(prefix="hub-services-"))
        tell_guard(folder=str(self._folder))
        self._servers: list[Server] = []
        self._known: dict[str, Facts] = {}
        self._locks: dict[str, threading.Lock] = {name: threading.Lock() for name in _STARTERS}
        key = secrets.token_hex(32)
        self._listener = Listener(str(self._folder / "socket"), family="AF_UNIX", authkey=key.encode())
        os.environ[ADDRESS] = str(self._listener.address)
        os.environ[KEY] = key
        threading.Thread(target=self._serve, name="services", daemon=True).start()

    def need(self, name: str) -> Facts:
        """Where the service is; started now when it is not there yet.  A failure is remembered, not tried again."""
        with self._locks[name]:
            if name not in self._known:
                try:
                    self._known[name] = _STARTERS[name](self)
                except ServiceFailed as error:
                    self._known[name] = {"failed": str(error)}
            return self._known[name]

    def close(self) -> None:
        self._listener.close()
        for server in self._servers:
            server.remove()
        shutil.rmtree(self._folder, ignore_errors=True)
        for name in (ADDRESS, KEY):
            os.environ.pop(name, None)

    def start_postgres(self) -> Facts:
        given = os.environ.get("DATABASE_URL", "")
        if given.startswith("postgres"):
            return {"url": given}
        return {"url": self._started(PostgresServer(durable=self._durable)).url}

    def start_rabbitmq(self) -> Facts:
        given = os.environ.get("AMQP_URL", "")
        if given.startswith("amqp"):
            return {"url": given, "management_url": management_beside(given)}
        node = self._started(RabbitNode())
        return {"url": node.url, "management_url": node.management_url}

    def start_mariadb(self) -> Facts:
        given = os.environ.get("MYSQL_URL", "")
        if given.startswith("mysql"):
            return {"url": given}
        return {"url": self._started(MariaServer()).url}

    def _started(self, server: AnyServer) -> AnyServer:
        self._servers.append(server)
        server.start()
        return server

    def _serve(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except OSError:  # closed
                return
            except Exception:  # a caller that hung up or did not know the key is no reason to end
                continue
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: Connection) -> None:
        with connection, contextlib.suppress(OSError, EOFError):
            connection.send_bytes(json.dumps(self.need(connection.recv_bytes().decode())).encode())


_STARTERS: dict[str, Callable[[ServiceHost], Facts]] = {
    "postgres": ServiceHost.start_postgres,
    "rabbitmq": ServiceHost.start_rabbitmq,
    "mariadb": ServiceHost.start_mariadb,
}


def need(name: str) -> Facts:
    """Asks the host of this run, from whichever process; raises ServiceFailed with its reason."""
    with Client(os.environ[ADDRESS], family="AF_UNIX", authkey=os.environ[KEY].encode()) as connection:
        connection.send_bytes(name.encode())
        facts: Facts = json.loads(connection.recv_bytes())
    if "failed" in facts:
        raise ServiceFailed(facts["failed"])
    return facts
