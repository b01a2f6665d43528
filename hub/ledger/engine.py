"""The ledger's door: reading, and writing in transactions that are tried again when the database asks for it.

PostgreSQL: any number of processes, each write its own transaction.  SQLite: one process; every write goes through
one writer thread, which puts those that wait into one transaction (group commit), each behind its own savepoint.
"""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidatePoolError, OperationalError
from sqlalchemy.pool import NullPool, QueuePool

from hub.ledger.lanes import Lanes
from hub.ledger.remembered import Remembered
from standards.errors import BadConfiguration, LedgerBusy

T = TypeVar("T")
Work = Callable[[Connection], T]
_Waiting = tuple[Work[Any], Future[Any]]

#: PostgreSQL: serialization failure, deadlock.  Tried again at once, a few times.
_AGAIN = {"40001", "40P01"}
_TRIES = 8


class Ledger:
    """One database; `hub.ledger.*` modules hold what is read and written in it."""

    def __init__(self, url: str | URL, *, pool: int = 12) -> None:
        self.url = make_url(url)
        self.name = self.url.get_backend_name()
        self.engine = _sqlite_engine(self.url) if self.name == "sqlite" else _postgres_engine(self.url, pool)
        self._writer = _Writer(self.engine) if self.name == "sqlite" else None
        #: What pages read dearly, for a while.
        self.remembered = Remembered()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading: one consistent picture on PostgreSQL and SQLite alike."""
        with _translated(), self.engine.connect() as connection:
            yield connection

    def write(self, work: Work[T], *, bulk: bool = False) -> T:
        """Run `work` in a transaction and return what it returns, once it is committed.

        `work` may run more than once and must do nothing but read and write through its connection; `bulk`: it is
        long, and what is short goes before it.  Raises LedgerBusy when the database cannot be written now.
        """
        if self._writer is not None:
            return self._writer.run(work, bulk)
        for attempt in range(_TRIES):
            try:
                with _translated(), self.engine.begin() as connection:
                    return work(connection)
            except Conflict:
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter
        raise LedgerBusy("the ledger had too many conflicting writes", what_zh="台账写入冲突过多")

    def close(self) -> None:
        """End the writer thread and all connections."""
        if self._writer is not None:
            self._writer.close()
        self.engine.dispose()


class Conflict(Exception):
    """The transaction must be run again: the database asks for it, or somebody else was faster."""


@contextmanager
def _translated() -> Iterator[None]:
    """Foreign errors get our names here."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _AGAIN:
            raise Conflict from error
        if error.connection_invalidated or isinstance(error, OperationalError):
            raise LedgerBusy(
                f"the ledger does not answer: {type(error.orig).__name__}", what_zh="台账数据库无法访问"
            ) from error
        raise
    except psycopg.Error as error:  # from COPY, which goes past SQLAlchemy
        if error.sqlstate in _AGAIN:
            raise Conflict from error
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            raise LedgerBusy("the ledger does not answer", what_zh="台账数据库无法访问") from error
        raise


def _postgres_engine(url: URL, pool: int) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=pool,
        max_overflow=pool,
        pool_timeout=30,
        connect_args={"connect_timeout": 10, "application_name": f"hub {os.getpid()}"},
    )
    event.listen(engine, "checkout", _ping_when_idle)
    event.listen(engine, "checkin", _note_use)
    return engine


#: Seconds after which an unused connection is tried before it is handed out.
_IDLE = 2.0


def _ping_when_idle(connection: psycopg.Connection[Any], record: Any, _proxy: object) -> None:
    """Try a connection that was idle: the server may have been restarted since.  The pool then makes a new one."""
    if time.monotonic() - record.info.get("used", 0.0) < _IDLE:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _note_use(_connection: object, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise BadConfiguration(
            "a SQLite ledger needs a file: several threads read and write it",
            what_zh="SQLite 台账必须是文件",
            hint="sqlite:////var/lib/hub/ledger.db",
        )
    _use_wal(url.database)
    engine = create_engine(
        url, hide_parameters=True, poolclass=QueuePool, pool_size=20, max_overflow=20, connect_args=_SQLITE_ARGS
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


_SQLITE_ARGS: dict[str, Any] = {"check_same_thread": False, "timeout": 30}


def _use_wal(path: str) -> None:
    """WAL is a property of the file.  The change waits for nobody by itself: others may be opening the file too."""
    end = time.monotonic() + 30
    while True:
        try:
            with closing(sqlite3.connect(path, timeout=30)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise LedgerBusy(f"cannot open {path}: {error}", what_zh=f"无法打开台账文件 {path}") from error
            time.sleep(0.05)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA temp_store=MEMORY")
    # Of each of up to forty connections; what one does not find, the system's own cache holds.
    cursor.execute("PRAGMA cache_size=-4096")
    cursor.execute("PRAGMA wal_autocheckpoint=4000")
    cursor.close()


class _Writer:
    """The one thread that writes to SQLite."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lanes = Lanes[_Waiting]()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def run(self, work: Work[T], bulk: bool) -> T:
        if threading.current_thread() is self._thread:
            raise RuntimeError("a write inside a write would wait for itself")
        future: Future[T] = Future()
        if not self._lanes.put((work, future), bulk):
            raise LedgerBusy("the ledger is closed", what_zh="台账已关闭")
        return future.result()

    def close(self) -> None:
        self._lanes.close()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        # The writer keeps a connection of its own, so that readers never take it away.
        engine = create_engine(self._engine.url, hide_parameters=True, poolclass=NullPool, connect_args=_SQLITE_ARGS)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA cache_size=-65536")
            connection.rollback()
            while group := self._lanes.take():
                self._commit(connection, group)
        engine.dispose()

    def _commit(self, connection: Connection, group: list[_Waiting]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        failed: list[tuple[Future[Any], BaseException]] = []
        try:
            with _translated(), connection.begin():
                for work, future in group:
                    savepoint = connection.begin_nested()
                    try:
                        result = work(connection)
                    except Exception as why:  # its own savepoint only; the others of the group go on
                        savepoint.rollback()
                        failed.append((future, why))
                    else:
                        savepoint.commit()
                        done.append((future, result))
        except BaseException as error:
            with suppress(Exception):
                connection.rollback()
            busy = LedgerBusy("the ledger is locked", what_zh="台账被占用")
            cause = busy if isinstance(error, Conflict) else error
            failed.extend((future, cause) for future, _ in done)
            done = []
            told = {id(future) for future, _ in failed}
            failed.extend((future, cause) for _, future in group if id(future) not in told)
        for future, result in done:
            future.set_result(result)
        for future, reason in failed:
            future.set_exception(reason)


def ping(ledger: Ledger) -> None:
    """Raise LedgerBusy unless the ledger answers."""
    with ledger.read() as connection:
        connection.execute(text("SELECT 1"))
