"""The connection test tells every difference between a real table and the standard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text, types

from adapters.conformance.parcels import around, clock, some
from adapters.table import FrontTable, TableSettings
from adapters.table.cells import text_of
from adapters.table.compare import Difference, compare
from adapters.table.definition import front_table
from adapters.table.shape import RealColumn, RealTable, _measure
from standards.errors import BadSetup
from standards.exports import ddl
from standards.registry import built_in
from tests.adapters.passwords import without_password

STANDARD = built_in()
DATASET = STANDARD.dataset("punish_action")
SETTINGS = TableSettings(url="sqlite://")


def real() -> RealTable:
    from sqlalchemy import MetaData

    model = front_table(DATASET, STANDARD, MetaData())
    columns = tuple(RealColumn(c.name, c.type, bool(c.nullable)) for c in model.columns)
    return RealTable(model.name, None, columns, (frozenset({"cd_id"}),))


def changed(name: str, **to: object) -> RealTable:
    table = real()
    columns = tuple(replace(c, **to) if c.name == name else c for c in table.columns)  # type: ignore[arg-type]
    return replace(table, columns=columns)


def without(name: str) -> RealTable:
    table = real()
    return replace(table, columns=tuple(c for c in table.columns if c.name != name))


def differences(table: RealTable, settings: TableSettings = SETTINGS) -> list[Difference]:
    return compare(DATASET, STANDARD, table, settings)


def test_a_table_made_by_the_standard_has_no_difference() -> None:
    assert differences(real()) == []


@pytest.mark.parametrize(
    ("table", "column", "grave", "words"),
    [
        (without("set_date"), "set_date", True, "缺少字段“处罚决定日期”"),
        (without("data_up_uuid"), "data_up_uuid", True, "缺少字段“前置库主键”"),
        (without("trace_id"), "trace_id", False, "写入时略去"),
        (changed("punish_action_name", type=types.String(100)), "punish_action_name", True, "标准 500，实为 100"),
        (changed("punish_action_name", type=types.String(2000)), "punish_action_name", False, "字段长度设置过长"),
        (changed("set_date", type=types.String(10)), "set_date", False, "按文本写入"),
        (changed("set_date", type=types.String(8)), "set_date", True, "标准 10，实为 8"),
        (changed("submitted_date", type=types.Date()), "submitted_date", True, "应含时分秒"),
        (changed("set_date", type=types.Integer()), "set_date", True, "字段类型不符合要求"),
        (changed("area_number", type=types.Integer()), "area_number", True, "字段类型不符合要求"),
        (changed("penalty_result", type=types.Date()), "penalty_result", True, "字段类型不符合要求"),
        (changed("fine", type=types.Numeric(10, 2)), "fine", True, "数值位数不足：标准 (18,2)，实为 (10,2)"),
        (changed("fine", type=types.Numeric(18, 0)), "fine", True, "数值位数不足"),
        (changed("fine", type=types.Float()), "fine", False, "浮点"),
        (changed("fine", type=types.Integer()), "fine", True, "2 位小数"),
        (changed("entrust_dept", nullable=False), "entrust_dept", False, "在该表必填"),
        (changed("punish_action_name", type=types.LargeBinary()), "punish_action_name", True, "应为文本"),
        (replace(real(), unique=()), "cd_id", False, "没有主键或唯一索引"),
    ],
)
def test_a_difference_is_told_with_its_column_and_weight(
    table: RealTable, column: str, grave: bool, words: str
) -> None:
    (found,) = differences(table)

    assert (found.column, found.grave) == (column, grave)
    assert words in found.in_words("zh")
    assert found.in_words("en").startswith(f"jg_jgxw_punish_action.{column}: ")


def test_a_foreign_column_that_demands_a_value_is_grave() -> None:
    table = real()
    table = replace(table, columns=(*table.columns, RealColumn("sjly_id", types.Integer(), nullable=False)))

    (found,) = differences(table)

    assert found.grave
    assert "标准中没有" in found.zh


def test_a_column_too_short_for_chinese_in_bytes_is_told() -> None:
    settings = TableSettings(url="sqlite://", length_in="gb18030")

    found = {d.column for d in differences(real(), settings) if "个汉字" in d.zh}

    assert {"punish_action_name", "penalty_result"} <= found
    assert "area_number" not in found


def test_a_rare_character_takes_the_two_bytes_of_the_newest_edition() -> None:
    measure = _measure("gb18030")

    assert (measure("王龴"), measure("王𠮷"), measure("ab")) == (4, 6, 2)


@pytest.mark.parametrize(("cell", "text"), [(b"\xcd\xf5\xfe\x59", "王龴"), ("王龴".encode(), "王龴"), (b"\xff", "ff")])
def test_a_cell_of_bytes_is_read_as_utf8_or_gb18030(cell: bytes, text: str) -> None:
    assert text_of(cell) == text


def test_without_the_serial_number_the_verdict_cannot_be_read_back() -> None:
    settings = TableSettings(url="sqlite://", verdict="judged")

    (found,) = differences(without("cd_lsh"), settings)

    assert found.grave


@pytest.mark.parametrize("dataset", STANDARD.ids())
def test_the_ddl_of_the_standard_makes_tables_without_a_difference(postgres_tables: FrontTable, dataset: str) -> None:
    table = STANDARD.dataset(dataset).table
    found = postgres_tables._find(STANDARD.dataset(dataset), unique=True)

    assert found is not None
    assert found.name == table
    assert compare(STANDARD.dataset(dataset), STANDARD, found, SETTINGS) == []


@pytest.fixture(scope="module")
def postgres_tables(module_postgres_url: str) -> FrontTable:
    engine = create_engine(module_postgres_url)
    with engine.begin() as connection:
        for name in STANDARD.ids():
            connection.execute(text(ddl.postgresql(STANDARD.dataset(name), STANDARD).decode()))
    engine.dispose()
    url, password = without_password(module_postgres_url)
    return FrontTable(TableSettings(url=url, password="env:pw"), around(pw=password), clock=clock())


def test_rows_are_written_into_the_tables_of_the_ddl(postgres_tables: FrontTable) -> None:
    for dataset in ("punish_action", "check_action", "supervise_object", "supervise_item_sub"):
        assert not postgres_tables.deliver(some(20, dataset)).lines
    assert f"{len(STANDARD.ids())} 张表符合标准" in postgres_tables.check()


def test_the_same_on_mariadb(mariadb_url: str) -> None:
    engine = create_engine(mariadb_url)
    datasets = ("punish_action", "check_action", "hotline_work_order")
    for dataset in datasets:
        script = ddl.mysql(STANDARD.dataset(dataset), STANDARD).decode()
        with engine.begin() as connection:
            for statement in script.split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement.replace("%", "%%"))
    engine.dispose()
    url, password = without_password(mariadb_url)
    settings = TableSettings(url=url, password="env:pw", datasets=datasets)
    destination = FrontTable(settings, around(pw=password), clock=clock())

    said = destination.check()

    assert "3 张表符合标准" in said
    for dataset in datasets:
        parcel = some(20, dataset)
        assert not destination.deliver(parcel).lines
        assert len(destination.deliver(parcel).lines) == 20


def test_every_grave_difference_is_in_the_error(tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/front.db"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE jg_jgxw_punish_action (cd_id VARCHAR(20) PRIMARY KEY, fine NUMERIC(8,2))")
        )

    with pytest.raises(BadSetup) as caught:
        FrontTable(TableSettings(url=url), around(), clock=clock()).check()

    for column in ("cd_id", "fine", "punish_action_name", "data_up_time"):
        assert f"jg_jgxw_punish_action.{column}" in caught.value.what
        assert f"jg_jgxw_punish_action.{column}：" in caught.value.what_zh
    assert "处不符" in caught.value.what_zh
