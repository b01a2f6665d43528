"""What an error of a database means, by who must act.  Its own text is never told: it often holds values.

The codes of PostgreSQL, MySQL and SQLite were met in tests on real servers; those of Oracle, SQL Server and 达梦 are
from their manuals and not run here.
"""

from __future__ import annotations

import re
import sqlite3
from enum import Enum
from typing import Any

from sqlalchemy import exc

from standards.errors import (
    BadConfiguration,
    BadSetup,
    HubError,
    NotAllowed,
    ReceiverRefused,
    SystemBusy,
    SystemUnreachable,
)


class Kind(Enum):
    """What is the matter."""

    AWAY = "away"
    BUSY = "busy"
    FULL = "full"
    SETUP = "setup"
    RIGHTS = "rights"
    LONG = "too long"
    EMPTY = "must not be empty"
    VALUE = "wrong value"
    UNIQUE = "key is there"


_POSTGRES = {
    "08": Kind.AWAY,
    "57P": Kind.AWAY,
    "25006": Kind.AWAY,  # a replica, while the primary moves
    "28": Kind.RIGHTS,
    "42501": Kind.RIGHTS,
    "3D": Kind.SETUP,
    "3F": Kind.SETUP,
    "42": Kind.SETUP,
    "53": Kind.BUSY,
    "53100": Kind.FULL,
    "40": Kind.BUSY,
    "55": Kind.BUSY,
    "57014": Kind.BUSY,
    "22001": Kind.LONG,
    "22": Kind.VALUE,
    "23502": Kind.EMPTY,
    "23505": Kind.UNIQUE,
    "23": Kind.VALUE,
}
_MYSQL = {
    **dict.fromkeys((2002, 2003, 2005, 2006, 2013, 2014, 2055, 1053, 1077, 1079, 1158, 1159, 1160, 1161), Kind.AWAY),
    **dict.fromkeys((1040, 1203, 1205, 1206, 1213, 3024, 1969, 1290, 1836), Kind.BUSY),
    **dict.fromkeys((1021, 1114), Kind.FULL),
    **dict.fromkeys((1044, 1045, 1142, 1143, 1227, 1698), Kind.RIGHTS),
    **dict.fromkeys((1046, 1049, 1051, 1054, 1064, 1109, 1136, 1146), Kind.SETUP),
    1406: Kind.LONG,
    **dict.fromkeys((1048, 1364), Kind.EMPTY),
    **dict.fromkeys((1062, 1586), Kind.UNIQUE),
    **dict.fromkeys((1264, 1265, 1292, 1366, 1411, 1441, 3140, 4025), Kind.VALUE),
}
_SQLITE = {
    sqlite3.SQLITE_BUSY: Kind.BUSY,
    sqlite3.SQLITE_LOCKED: Kind.BUSY,
    sqlite3.SQLITE_FULL: Kind.FULL,
    sqlite3.SQLITE_CANTOPEN: Kind.AWAY,
    sqlite3.SQLITE_IOERR: Kind.AWAY,
    sqlite3.SQLITE_READONLY: Kind.RIGHTS,
    sqlite3.SQLITE_PERM: Kind.RIGHTS,
    sqlite3.SQLITE_AUTH: Kind.RIGHTS,
    sqlite3.SQLITE_NOTADB: Kind.SETUP,
    sqlite3.SQLITE_ERROR: Kind.SETUP,
    sqlite3.SQLITE_TOOBIG: Kind.LONG,
    sqlite3.SQLITE_MISMATCH: Kind.VALUE,
}
_ORACLE = {
    **dict.fromkeys(
        (28, 1012, 1033, 1034, 1089, 3113, 3114, 3135, 12170, 12514, 12537, 12541, 12543, 12547), Kind.AWAY
    ),
    **dict.fromkeys((18, 20, 54, 60, 1013, 8177, 30006), Kind.BUSY),
    **dict.fromkeys((1536, 1653, 1654, 1691), Kind.FULL),
    **dict.fromkeys((1017, 1031, 1045, 28000, 28001), Kind.RIGHTS),
    **dict.fromkeys((904, 942, 947, 972, 4043), Kind.SETUP),
    12899: Kind.LONG,
    **dict.fromkeys((1400, 1407), Kind.EMPTY),
    1: Kind.UNIQUE,
    **dict.fromkeys((1438, 1722, 1830, 1843, 1858, 1861, 2290, 2291), Kind.VALUE),
}
#: The thin driver's own words for "nobody there".
_ORACLE_DRIVER = {1001, 4011, 4024, 6000, 6001, 6005}
_MSSQL = {
    **dict.fromkeys((20002, 20003, 20004, 20006, 20009, 20047, 10054, 10060, 40613), Kind.AWAY),
    **dict.fromkeys((1205, 1222, 40197, 40501), Kind.BUSY),
    **dict.fromkeys((1101, 1105, 9002), Kind.FULL),
    **dict.fromkeys((229, 230, 262, 4060, 18452, 18456), Kind.RIGHTS),
    **dict.fromkeys((207, 208, 2812, 102), Kind.SETUP),
    **dict.fromkeys((2628, 8152), Kind.LONG),
    515: Kind.EMPTY,
    **dict.fromkeys((2601, 2627), Kind.UNIQUE),
    **dict.fromkeys((241, 242, 245, 547, 8114, 8115), Kind.VALUE),
}
_DAMENG = {
    **dict.fromkeys((-70019, -70025, -70028, -6001, -6003, -6007, -6010), Kind.AWAY),
    **dict.fromkeys((-6403, -6407, -7120), Kind.BUSY),
    -523: Kind.FULL,
    **dict.fromkeys((-2501, -5502, -5503, -5504, -5505, -5506, -5507), Kind.RIGHTS),
    **dict.fromkeys((-2103, -2106, -2111, -2207), Kind.SETUP),
    -6169: Kind.LONG,
    **dict.fromkeys((-6609, -6614), Kind.EMPTY),
    **dict.fromkeys((-6602, -6604), Kind.UNIQUE),
    **dict.fromkeys((-6101, -6103, -6118, -6133), Kind.VALUE),
}

_NO_LOGIN = re.compile(
    r"password authentication failed|no password supplied|role .* does not exist|pg_hba", re.IGNORECASE
)
_NO_DATABASE = re.compile(r'database ".*" does not exist', re.IGNORECASE)
_COLUMN = re.compile(
    r"(?:[Cc]olumn|Field|constraint failed:|列\[)\s*['\"`]?(?:[\w$]+\.)*(?P<plain>[\w$]+)['\"`]?"
    r"|ORA-\d+:.*?(?:\"[\w$]+\"\.)+\"(?P<ora>[\w$]+)\"",
)


def kind_of(error: exc.SQLAlchemyError) -> Kind:
    """What is the matter, by the database's own code, else by the kind of exception."""
    if isinstance(error, exc.DBAPIError):
        found = _by_code(error.orig)
        if found is not None:
            return found
        if error.connection_invalidated:
            return Kind.AWAY
    for base, kind in _BY_CLASS:
        if isinstance(error, base):
            return kind
    return Kind.BUSY


_BY_CLASS: tuple[tuple[type[exc.SQLAlchemyError], Kind], ...] = (
    (exc.IntegrityError, Kind.VALUE),
    (exc.DataError, Kind.VALUE),
    (exc.ProgrammingError, Kind.SETUP),
    (exc.NotSupportedError, Kind.SETUP),
    (exc.OperationalError, Kind.AWAY),
    (exc.InterfaceError, Kind.AWAY),
    (exc.DisconnectionError, Kind.AWAY),
    (exc.NoSuchTableError, Kind.SETUP),
    (exc.CompileError, Kind.SETUP),
    (exc.StatementError, Kind.VALUE),
)


def _by_code(orig: Any) -> Kind | None:
    if orig is None:
        return None
    if isinstance(orig, sqlite3.Error):
        return _of_sqlite(orig)
    module = type(orig).__module__.lower()
    # Other drivers have a sqlstate too, but one that says little.
    if "psycopg" in module and isinstance(state := getattr(orig, "sqlstate", None), str):
        return next((_POSTGRES[state[:n]] for n in (5, 3, 2) if state[:n] in _POSTGRES), None)
    first = orig.args[0] if getattr(orig, "args", None) else None
    if isinstance(code := getattr(first, "full_code", None), str):
        number = int(re.sub(r"\D", "", code) or 0)
        if code.startswith("DPY-"):
            return Kind.AWAY if number in _ORACLE_DRIVER else None
        return _ORACLE.get(number)
    if isinstance(first, int):
        return (_MSSQL if "mssql" in module else _MYSQL).get(first)
    if isinstance(first, tuple) and first and isinstance(first[0], int):
        return _MSSQL.get(first[0])
    text = str(orig)
    if found := re.search(r"\[CODE:(-\d+)\]", text):
        return _DAMENG.get(int(found[1]))
    if "psycopg" in module:
        if _NO_LOGIN.search(text):
            return Kind.RIGHTS
        return Kind.SETUP if _NO_DATABASE.search(text) else None
    return None


def _of_sqlite(error: sqlite3.Error) -> Kind | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    names = {
        sqlite3.SQLITE_CONSTRAINT_UNIQUE: Kind.UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: Kind.UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_NOTNULL: Kind.EMPTY,
    }
    if code in names:
        return names[code]
    return Kind.VALUE if code & 0xFF == sqlite3.SQLITE_CONSTRAINT else _SQLITE.get(code & 0xFF)


def column_of(error: exc.SQLAlchemyError) -> str:
    """The column the database complains about, in lower case; '' when it does not say."""
    orig = getattr(error, "orig", None)
    named = getattr(getattr(orig, "diag", None), "column_name", None)
    if named:
        return str(named).lower()
    if found := _COLUMN.search(str(orig)):
        return (found["plain"] or found["ora"] or "").lower()
    return ""


_MODULES = {
    "psycopg": "psycopg[binary]",
    "pymysql": "pymysql",
    "oracledb": "oracledb",
    "dmPython": "dmPython dmSQLAlchemy",
}


def no_driver(error: Exception, url: str) -> HubError:
    """The library for this kind of database is not installed, or the URL names none."""
    module = getattr(error, "name", None) or url.partition(":")[0]
    return BadConfiguration(
        f"no driver for {url.partition(':')[0]}: {module}",
        what_zh=f"缺少数据库驱动：{url.partition(':')[0]}（{module}）",
        hint=f"install {_MODULES.get(str(module), 'the extra oracle, dm or mssql of this package')}",
        hint_zh="请安装相应驱动（本软件包的 oracle、dm、mssql 附加项）",
    )


def in_our_words(error: exc.SQLAlchemyError, where: str, *, committing: bool = False) -> HubError:
    """The error in our own names.  `committing`: the answer to a commit is what is missing."""
    kind = kind_of(error)
    orig = getattr(error, "orig", None)
    code = _code_text(orig)
    column = column_of(error)
    at, at_zh = (f", column {column}", f"，字段 {column}") if column else ("", "")
    match kind:
        case Kind.AWAY:
            return SystemUnreachable(
                f"the database {where} does not answer{' to the commit' if committing else ''} ({code})",
                what_zh=f"前置库 {where} {'提交后未收到应答' if committing else '无法连接'}（{code}）",
                answer_lost=committing,
            )
        case Kind.BUSY:
            return SystemBusy(f"the database {where} is busy ({code})", what_zh=f"前置库 {where} 繁忙（{code}）")
        case Kind.FULL:
            return SystemBusy(
                f"the database {where} has no room left ({code})",
                what_zh=f"前置库 {where} 存储空间已满（{code}）",
                hint="its owner must make room",
                hint_zh="请对方扩充表空间",
            )
        case Kind.RIGHTS:
            return NotAllowed(
                f"the database {where} does not allow this ({code})",
                what_zh=f"前置库 {where} 拒绝登录或无权操作（{code}）",
                hint="check user, password and the rights to select, insert and update",
                hint_zh="请检查账号、口令以及查询、插入、更新权限",
            )
        case Kind.SETUP:
            return BadSetup(
                f"a table or column is not as agreed in {where} ({code}{at})",
                what_zh=f"前置库 {where} 的表或字段与约定不符（{code}{at_zh}）",
                hint="run the connection test; it tells every difference",
                hint_zh="请运行连接测试，会逐项列出差异",
            )
        case _:
            return _refused(kind, where, column, code)


def _refused(kind: Kind, where: str, column: str, code: str) -> HubError:
    words = {
        Kind.LONG: ("10003", "值过长", "a value is too long"),
        Kind.EMPTY: ("10001", "必填字段为空", "a required column is empty"),
        Kind.UNIQUE: ("20002", "主键或唯一键已存在", "a key is there already"),
    }
    finding, zh, en = words.get(kind, ("10004", "值不符合字段类型或约束", "a value does not fit its column"))
    at, at_zh = (f", column {column}", f"，字段 {column}") if column else ("", "")
    return ReceiverRefused(
        f"the database {where} refused: {en} ({code}{at})",
        what_zh=f"前置库拒绝写入：{zh}（{code}{at_zh}）",
        params={"code": finding, "element": column},
    )


def _code_text(orig: Any) -> str:
    """Name and code of the driver's error, without its text."""
    if orig is None:
        return "no connection"
    first = orig.args[0] if getattr(orig, "args", None) else None
    code = (
        (first if isinstance(first, int) else None)
        or getattr(orig, "sqlstate", None)
        or getattr(orig, "sqlite_errorname", None)
        or getattr(first, "full_code", None)
    )
    return f"{type(orig).__name__} {code}" if code else type(orig).__name__
