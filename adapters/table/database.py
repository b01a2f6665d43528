"""A database of the other side: opened when first needed, with time limits, its errors in our words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, exc, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.reflection import Inspector

from adapters.table.faults import Kind, in_our_words, kind_of, no_driver
from adapters.table.settings import DatabaseSettings
from standards.errors import ReceiverRefused, SystemBusy

T = TypeVar("T")

_RECYCLE_SECONDS = 1800


class Collided(Exception):
    """A row changed between looking and writing: the work is done again from the start."""


class Database:
    """One connection for one thread."""

    def __init__(self, settings: DatabaseSettings, secret: Callable[[str], str]) -> None:
        self._settings = settings
        self._secret = secret
        self._engine: Engine | None = None
        url = make_url(settings.url)
        #: Where it is, without user and password.
        self.where = f"{url.host}{f':{url.port}' if url.port else ''}/{url.database}" if url.host else str(url.database)

    @property
    def schema(self) -> str | None:
        """The schema its tables are in."""
        return self._settings.db_schema or None

    def engine(self) -> Engine:
        """The engine; nothing is connected yet.  Raises BadConfiguration when there is no driver."""
        if self._engine is None:
            url = make_url(self._settings.url)
            if self._settings.password:
                url = url.set(password=self._secret(self._settings.password))
            try:
                self._engine = create_engine(
                    url,
                    pool_size=1,
                    max_overflow=1,
                    pool_pre_ping=True,
                    pool_recycle=_RECYCLE_SECONDS,
                    hide_parameters=True,
                    connect_args=_time_limits(url, self._settings),
                )
            except (ImportError, exc.NoSuchModuleError, exc.ArgumentError) as error:
                raise no_driver(error, self._settings.url) from error
        return self._engine

    def read(self, work: Callable[[Connection], T]) -> T:
        """Look something up."""
        try:
            with self.engine().connect() as connection:
                return work(connection)
        except exc.SQLAlchemyError as error:
            raise in_our_words(error, self.where) from error

    def look(self, work: Callable[[Inspector], T]) -> T:
        """Ask about tables and columns."""
        return self.read(lambda connection: work(inspect(connection)))

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do the work in one transaction; once more when a row changed under it.

        SystemUnreachable has `answer_lost` exactly when the commit was sent and not answered.
        """
        for last in (False, True):
            try:
                return self._once(work)
            except Collided as error:
                if last:
                    raise SystemBusy(
                        f"rows in {self.where} change while they are written",
                        what_zh=f"前置库 {self.where} 的行在写入时被他方修改",
                    ) from error
            except exc.SQLAlchemyError as error:
                if kind_of(error) is not Kind.UNIQUE or last:
                    raise in_our_words(error, self.where) from error
            except UnicodeEncodeError as error:
                raise ReceiverRefused(
                    f"{self.where} cannot hold a character ({error.encoding})",
                    what_zh=f"前置库字符集（{error.encoding}）无法表示记录中的某个字符",
                    hint="the table's character set should be utf8mb4, UTF-8 or GB18030",
                    hint_zh="建议前置库使用 utf8mb4、UTF-8 或 GB18030 字符集",
                    params={"code": "10004"},
                ) from error
        raise AssertionError

    def _once(self, work: Callable[[Connection], T]) -> T:
        with self.engine().connect() as connection:
            transaction = connection.begin()
            try:
                result = work(connection)
            except BaseException:
                with suppress(exc.SQLAlchemyError):  # what led here is told, not that the rollback found nobody
                    transaction.rollback()
                raise
            try:
                transaction.commit()
            except exc.SQLAlchemyError as error:
                raise in_our_words(error, self.where, committing=True) from error
            return result

    def close(self) -> None:
        """Let go of the connection."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _time_limits(url: URL, settings: DatabaseSettings) -> dict[str, Any]:
    """How each driver is told to give up."""
    connect, statement = settings.connect_seconds, settings.statement_seconds
    match url.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return {"timeout": connect}
        case "postgresql+psycopg" | "postgresql":
            return {
                "connect_timeout": connect,
                "options": f"-c statement_timeout={statement * 1000}",
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": statement * 1000,
            }
        case "mysql+pymysql" | "mariadb+pymysql":
            return {"connect_timeout": connect, "read_timeout": statement, "write_timeout": statement}
        case "oracle+oracledb":
            return {"tcp_connect_timeout": float(connect)}
        case "dm+dmPython" | "dm":
            # Milliseconds: 10 would be 10 ms and look like a dead server.
            return {"login_timeout": connect * 1000, "connection_timeout": statement * 1000}
        case "mssql+pymssql":
            return {"login_timeout": connect, "timeout": statement}
    return {}
