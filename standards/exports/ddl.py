"""DDL of a data set's front-end table for PostgreSQL, MySQL, Oracle and 达梦.

Lengths of the standard count characters, so Oracle and 达梦 get `VARCHAR2(n CHAR)`; what may pass their limit in bytes
becomes a CLOB.  Names of tables, keys and indexes keep to the 30 bytes of old Oracle versions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from standards.exports.columns import Column, columns
from standards.model import DataSet, Element, Kind
from standards.registry import Standard

#: Names in Oracle before 12.2 have at most 30 bytes.
LONGEST_NAME = 30
#: Bytes one character may need in UTF-8 and GB 18030.
_BYTES = 4
#: What a VARCHAR2 holds, in bytes.
_ORACLE_VARCHAR = 4000
#: What a row of MySQL holds outside of TEXT columns, with room for numbers and dates.
_MYSQL_ROW = 60_000
#: What an index of MySQL holds in bytes.
_MYSQL_INDEX = 3072


@dataclass(frozen=True)
class _Dialect:
    """One database's words."""

    name: str
    quote: str
    capitals: bool
    text: Callable[[int], str]
    long_text: Callable[[int], str]
    date: str
    datetime: str
    decimal: str
    small_int: str
    big_int: str
    comments_inline: bool = False

    def identifier(self, name: str) -> str:
        """A name in quotes, so that LEVEL or DOMAIN need no care."""
        return f"{self.quote}{name.upper() if self.capitals else name}{self.quote}"


def _varchar2(size: int) -> str:
    return f"VARCHAR2({size} CHAR)" if size * _BYTES <= _ORACLE_VARCHAR else "CLOB"


_POSTGRESQL = _Dialect(
    name="PostgreSQL",
    quote='"',
    capitals=False,
    text=lambda size: f"varchar({size})",
    long_text=lambda _size: "text",
    date="date",
    datetime="timestamp(0)",
    decimal="numeric({},{})",
    small_int="integer",
    big_int="bigint",
)
_MYSQL = _Dialect(
    name="MySQL",
    quote="`",
    capitals=False,
    text=lambda size: f"VARCHAR({size})",
    long_text=lambda size: "TEXT" if size * _BYTES <= 65_535 else "MEDIUMTEXT",
    date="DATE",
    datetime="DATETIME",
    decimal="DECIMAL({},{})",
    small_int="INT",
    big_int="BIGINT",
    comments_inline=True,
)
_ORACLE = _Dialect(
    name="Oracle",
    quote='"',
    capitals=True,
    text=_varchar2,
    long_text=_varchar2,
    date="DATE",
    datetime="DATE",
    decimal="NUMBER({},{})",
    small_int="NUMBER(10)",
    big_int="NUMBER(19)",
)
_DAMENG = _Dialect(
    name="达梦",
    quote='"',
    capitals=True,
    text=_varchar2,
    long_text=_varchar2,
    date="DATE",
    datetime="DATETIME(0)",
    decimal="DECIMAL({},{})",
    small_int="INT",
    big_int="BIGINT",
)


def postgresql(dataset: DataSet, standard: Standard) -> bytes:
    """For PostgreSQL."""
    return _script(_POSTGRESQL, dataset, standard)


def mysql(dataset: DataSet, standard: Standard) -> bytes:
    """For MySQL 5.7 and later, and MariaDB."""
    return _script(_MYSQL, dataset, standard)


def oracle(dataset: DataSet, standard: Standard) -> bytes:
    """For Oracle 11g and later."""
    return _script(_ORACLE, dataset, standard)


def dameng(dataset: DataSet, standard: Standard) -> bytes:
    """For 达梦 8."""
    return _script(_DAMENG, dataset, standard)


def short_name(name: str) -> str:
    """The name, cut to what old Oracle takes; a piece of its hash keeps it distinct."""
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: LONGEST_NAME - 7]}_{digest}"


def _script(dialect: _Dialect, dataset: DataSet, standard: Standard) -> bytes:
    held = columns(dataset, standard)
    kinds = _column_types(dialect, held)
    lines = [
        f"-- {dataset.title} ({dataset.id}) 版本 {dataset.version}，前置库表，{dialect.name}",
        f"-- 表名{'为国家表名' if dataset.table_mark == 'a' else '为本规范自定'}；字符长度按字符计",
        f"CREATE TABLE {dialect.identifier(dataset.table)} (",
    ]
    for column in held:
        lines.append(f"  {_column(dialect, column, kinds[column.name])},")
    key = dialect.identifier(short_name(f"pk_{dataset.table}"))
    constraint = "" if dialect is _MYSQL else f"CONSTRAINT {key} "
    lines.append(f"  {constraint}PRIMARY KEY ({dialect.identifier('cd_id')})")
    lines.append(f"){_after_table(dialect, dataset)};")
    lines += _indexes(dialect, dataset, held)
    if not dialect.comments_inline:
        lines += _comments(dialect, dataset, held)
    return ("\n".join(lines) + "\n").encode()


def _column(dialect: _Dialect, column: Column, kind: str) -> str:
    words = f"{dialect.identifier(column.name)} {kind}"
    if column.required:
        words += " NOT NULL"
    if dialect.comments_inline:
        words += f" COMMENT {_text(_comment(column.element))}"
    return words


def _column_types(dialect: _Dialect, held: tuple[Column, ...]) -> dict[str, str]:
    """The type of each column; MySQL's rows are limited, so its longest texts move out of the row."""
    kinds = {c.name: _type(dialect, c.element) for c in held}
    if dialect is _MYSQL:
        texts = {c.name: c.element.max or 0 for c in held if kinds[c.name].startswith("VARCHAR") and not c.required}
        room = _MYSQL_ROW - sum((c.element.max or 0) * _BYTES for c in held if kinds[c.name].startswith("VARCHAR"))
        for name in sorted(texts, key=lambda n: (-texts[n], n)):
            if room >= 0:
                break
            room += texts[name] * _BYTES
            kinds[name] = dialect.long_text(texts[name])
    return kinds


def _type(dialect: _Dialect, element: Element) -> str:
    size = element.max or 4000
    match element.type:
        case Kind.DATE:
            return dialect.date
        case Kind.DATETIME:
            return dialect.datetime
        case Kind.DECIMAL:
            return dialect.decimal.format(size, element.scale)
        case Kind.INT:
            return dialect.small_int if size <= 9 else dialect.big_int
        case Kind.LONGTEXT | Kind.JSON:
            return dialect.long_text(size)
    return dialect.text(size) if size <= 10_000 else dialect.long_text(size)


def _after_table(dialect: _Dialect, dataset: DataSet) -> str:
    if dialect is _MYSQL:
        return f" ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COMMENT={_text(dataset.title)}"
    if dialect is _DAMENG:
        return " STORAGE (USING LONG ROW)"  # a row may be longer than half a page
    return ""


def _indexes(dialect: _Dialect, dataset: DataSet, held: tuple[Column, ...]) -> Iterator[str]:
    """For reading what is new (by time and key, so that equal times lose no row), and for the natural key."""
    table = dialect.identifier(dataset.table)
    for word, names in (("t", ("cd_time", "cd_id")), ("u", ("data_up_time", "cd_id"))):
        listed = ", ".join(dialect.identifier(n) for n in names)
        yield f"CREATE INDEX {dialect.identifier(short_name(f'ix_{dataset.table}_{word}'))} ON {table} ({listed});"
    key = [c for c in held if c.name in dataset.natural_key]
    provider = [c for c in held if c.name == "provider_code" and c not in key]
    unique = [*provider, *sorted(key, key=lambda c: dataset.natural_key.index(c.name))]
    listed = ", ".join(dialect.identifier(c.name) for c in unique)
    name = dialect.identifier(short_name(f"uk_{dataset.table}"))
    kind = "UNIQUE INDEX" if sum((c.element.max or 20) * _BYTES for c in unique) <= _MYSQL_INDEX else "INDEX"
    yield f"CREATE {kind} {name} ON {table} ({listed});"


def _comments(dialect: _Dialect, dataset: DataSet, held: tuple[Column, ...]) -> Iterator[str]:
    table = dialect.identifier(dataset.table)
    yield f"COMMENT ON TABLE {table} IS {_text(dataset.title)};"
    for column in held:
        yield f"COMMENT ON COLUMN {table}.{dialect.identifier(column.name)} IS {_text(_comment(column.element))};"


def _comment(element: Element) -> str:
    codes = f"，码表 {element.list}" if element.list else ""
    return f"{element.title}{codes}"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
