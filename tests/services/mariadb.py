"""A private MariaDB server (the MySQL kind of front-end database), and fresh databases on it or on MYSQL_URL's."""

import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import pymysql
from sqlalchemy.engine import URL, make_url

from tests.services.ports import LOOPBACK, free_port
from tests.services.process import Servant, ServerProcess, ServiceFailed

USER = "hub"
START_SECONDS = 60
SERVER = Path("/usr/sbin/mariadbd")
INSTALLER = Path("/usr/bin/mariadb-install-db")


class MariaServer:
    """One server with its own folder and port."""

    def __init__(self) -> None:
        if not (SERVER.exists() and INSTALLER.exists()):
            raise ServiceFailed("no MariaDB server is installed: './run setup' brings it, or set MYSQL_URL")
        self._servant = Servant("mysql")
        self._folder = self._servant.new_folder("my")
        self._password = secrets.token_hex(16)
        self._process: ServerProcess | None = None
        self.port = free_port()
        self._make_data()

    def _make_data(self) -> None:
        data = f"--datadir={self._folder / 'data'}"
        made = subprocess.run(
            self._servant.command(
                INSTALLER, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"
            ),
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise ServiceFailed(f"mariadb-install-db ended with {made.returncode}:\n{made.stdout}{made.stderr}")
        login = self._folder / "login.sql"
        login.write_text(
            f"CREATE USER IF NOT EXISTS '{USER}'@'{LOOPBACK}' IDENTIFIED BY '{self._password}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'{LOOPBACK}' WITH GRANT OPTION;\n"
            "DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1', ''@'localhost';\n"
        )
        self._servant.own(login)

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the server, with the right to make databases."""
        url = URL.create("mysql+pymysql", USER, self._password, LOOPBACK, self.port, query={"charset": "utf8mb4"})
        return url.render_as_string(hide_password=False)

    def start(self) -> None:
        folder = self._folder
        self._process = ServerProcess(
            self._servant.command(
                *(SERVER, "--no-defaults", f"--datadir={folder / 'data'}", f"--socket={folder / 'socket'}"),
                *(f"--bind-address={LOOPBACK}", f"--port={self.port}", f"--pid-file={folder / 'pid'}"),
                *(f"--init-file={folder / 'login.sql'}", "--character-set-server=utf8mb4"),
                "--innodb-flush-log-at-trx-commit=2",
            ),
            log=folder / "server.log",
            farewell=signal.SIGTERM,
        )
        self._process.wait_until(self._is_ready, seconds=START_SECONDS, what="MariaDB")

    def _is_ready(self) -> bool:
        try:
            connect(self.url).close()
        except pymysql.MySQLError:
            return False
        return True

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        if self._process:
            self._process.kill()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def connect(url: str) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    parts = make_url(url)
    return pymysql.connect(
        host=parts.host or LOOPBACK,
        port=parts.port or 3306,
        user=parts.username,
        password=str(parts.password or ""),
        charset="utf8mb4",
        connect_timeout=2,
    )


class MariaDatabases:
    """Fresh databases on one server, by a URL that may create them."""

    def __init__(self, admin_url: str) -> None:
        self._admin = make_url(admin_url).set(drivername="mysql+pymysql")

    def create(self) -> str:
        name = f"hub_test_{secrets.token_hex(6)}"
        self._run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return self._admin.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {make_url(url).database}")

    def _run(self, statement: str) -> None:
        connection = connect(self._admin.render_as_string(hide_password=False))
        try:
            connection.cursor().execute(statement)
        finally:
            connection.close()
