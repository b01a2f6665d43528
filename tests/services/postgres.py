"""A private PostgreSQL server, and fresh databases on it or on the one that DATABASE_URL names."""

import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from tests.services.ports import LOOPBACK, free_port
from tests.services.process import Servant, ServerProcess, ServiceFailed

USER = "hub"
START_SECONDS = 60


def programs() -> Path:
    """The folder of the newest server that Debian has installed (it is not on PATH), or of one that is on PATH."""
    folders = sorted(
        (path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")),
        key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0),
    )
    if folders:
        return folders[-1]
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise ServiceFailed("no PostgreSQL server is installed: './run setup' brings it")


class PostgresServer:
    """One server with its own folder and port.  It survives stop and kill with its data, like a real one."""

    def __init__(self, *, durable: bool = False) -> None:
        """`durable`: it writes through, as in production; tests only kill its processes and need not wait for that."""
        self._durable = durable
        self._servant = Servant("postgres")
        self._programs = programs()
        self._folder = self._servant.new_folder("pg")
        self._password = secrets.token_hex(16)
        self._process: ServerProcess | None = None
        self.port = free_port()
        self._make_cluster()

    def _make_cluster(self) -> None:
        password = self._folder / "password"
        password.write_text(self._password)
        self._servant.own(password)
        made = subprocess.run(
            self._servant.command(
                *(self._programs / "initdb", "--pgdata", self._folder / "data", "--username", USER),
                *("--pwfile", password, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
            ),
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise ServiceFailed(f"initdb ended with {made.returncode}:\n{made.stdout}{made.stderr}")

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the database `postgres`, with the right to make others."""
        url = URL.create("postgresql+psycopg", USER, self._password, LOOPBACK, self.port, "postgres")
        return url.render_as_string(hide_password=False)

    def start(self) -> None:
        # Without fsync it loses nothing when its processes are killed, only when the machine is.
        settings = {
            "port": self.port,
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "max_connections": 200,
            "fsync": "on" if self._durable else "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process = ServerProcess(
            self._servant.command(self._programs / "postgres", "-D", self._folder / "data", *options),
            log=self._folder / "server.log",
            farewell=signal.SIGINT,
        )
        self._process.wait_until(self._is_ready, seconds=START_SECONDS, what="PostgreSQL")

    def _is_ready(self) -> bool:
        try:
            with psycopg.connect(plain(self.url), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running

    def stop(self) -> None:
        """A fast shutdown: open transactions are rolled back, everything is written."""
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """SIGKILL for every process of the server."""
        if self._process:
            self._process.kill()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def plain(url: str) -> str:
    """The same database in psycopg's own words."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Databases:
    """Fresh databases on one server, by a URL that may create them."""

    def __init__(self, admin_url: str) -> None:
        self._admin = make_url(admin_url).set(drivername="postgresql+psycopg")
        self._templates: dict[str, str] = {}

    def create(self, *, template: str = "template0") -> str:
        """SQLAlchemy's URL of a new database: empty, or a copy of a template of ours."""
        name = f"hub_test_{secrets.token_hex(6)}"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return self._url_of(name)

    def drop(self, url: str) -> None:
        """Also when somebody is still connected."""
        name = make_url(url).database or ""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def template(self, key: str, fill: Callable[[str], object]) -> str:
        """A database filled once (with a migrated schema, say), to make others from at the price of a copy.

        `fill` gets its URL and leaves no connection behind.
        """
        if key not in self._templates:
            url = self.create()
            fill(url)
            self._templates[key] = make_url(url).database or ""
        return self._templates[key]

    def drop_templates(self) -> None:
        for name in self._templates.values():
            self.drop(self._url_of(name))
        self._templates.clear()

    def _url_of(self, name: str) -> str:
        return self._admin.set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(plain(self._admin.render_as_string(hide_password=False)), autocommit=True) as connection:
            connection.execute(statement)
