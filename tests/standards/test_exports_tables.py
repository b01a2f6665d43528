"""DDL of the front-end tables, the Excel template and the handbook page."""

import io
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
import python_calamine
import sqlalchemy
from sqlalchemy import create_engine, inspect

from standards.exports import FORMATS, ddl, handbook, workbook
from standards.exports.columns import RECEIPT_ELEMENTS, Part, columns
from standards.model import DataSet, FilledBy, Kind
from standards.registry import built_in
from standards.samples import Samples

STANDARD = built_in()
ALL = list(STANDARD)
each_dataset = pytest.mark.parametrize("dataset", ALL, ids=lambda d: d.id)
DIALECTS = {"postgresql": ddl.postgresql, "mysql": ddl.mysql, "oracle": ddl.oracle, "dameng": ddl.dameng}
each_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def statements(script: bytes) -> list[str]:
    text = "\n".join(line for line in script.decode().splitlines() if not line.startswith("--"))
    return [s.strip() for s in text.split(";\n") if s.strip()]


# --- DDL


def test_the_tables_can_be_made_filled_and_read_on_postgresql(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    for dataset in ALL:
        with engine.begin() as connection:
            for statement in statements(ddl.postgresql(dataset, STANDARD)):
                driver = connection.connection.driver_connection
                assert driver is not None
                driver.execute(statement)  # as it stands: a % in a comment is no placeholder
    for dataset in ALL:
        held = {c["name"]: c for c in inspect(engine).get_columns(dataset.table)}
        assert list(held) == [c.name for c in columns(dataset, STANDARD)]
        rows = [front_end_row(dataset, record, i) for i, record in enumerate(longest_records(dataset))]
        table = sqlalchemy.Table(dataset.table, sqlalchemy.MetaData(), autoload_with=engine)
        with engine.begin() as connection:
            for row in rows:
                connection.execute(table.insert(), row)
            found = connection.execute(table.select().order_by(table.c.cd_time, table.c.cd_id)).mappings().all()
        for row, read in zip(rows, found, strict=True):
            assert {k: read[k] for k in row} == row
    engine.dispose()


def longest_records(dataset: DataSet) -> list[dict[str, str]]:
    """Valid records, and one whose texts are as long as may be."""
    records = list(Samples(dataset, STANDARD, seed=2, whole=True).records(3))
    full = dict(records[0])
    for element in dataset.elements:
        if element.type in (Kind.TEXT, Kind.LONGTEXT) and element.id in full and element.id not in dataset.natural_key:
            full[element.id] = "监" * (element.max or 0)
    return [*records[1:], full]


def front_end_row(dataset: DataSet, record: dict[str, str], number: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "cd_id": f"id{number}",
        "cd_time": datetime.fromisoformat(f"2025-01-01 00:00:0{number}"),
        "cd_source": "330000",
        "cd_batch": "2025010100001",
        "cd_operation": "i",
        **{name: _column_value(dataset.by_id[name].type, value) for name, value in record.items()},
    }
    return row


def _column_value(kind: Kind, value: str) -> object:
    match kind:
        case Kind.DATE:
            return date.fromisoformat(value)
        case Kind.DATETIME:
            return datetime.fromisoformat(value)
        case Kind.DECIMAL:
            return Decimal(value)
        case Kind.INT:
            return int(value)
    return value


@each_dataset
@each_dialect
def test_every_technical_own_and_receipt_column_is_in_the_table(dataset: DataSet, dialect: str) -> None:
    script = DIALECTS[dialect](dataset, STANDARD).decode().lower()

    for name in ("cd_id", "cd_time", "cd_batch", "cd_operation", "data_up_uuid", "data_up_time", "data_up_status"):
        assert re.search(rf"[\"`]{name}[\"`] ", script)
    for element in (*dataset.elements, *RECEIPT_ELEMENTS):
        assert re.search(rf"[\"`]{element.id}[\"`] ", script)
        assert element.title.lower() in script


@each_dataset
@each_dialect
def test_names_keep_to_the_thirty_bytes_of_old_oracle_and_are_distinct(dataset: DataSet, dialect: str) -> None:
    script = DIALECTS[dialect](dataset, STANDARD).decode()
    names = re.findall(r"[\"`]([A-Za-z0-9_]+)[\"`]", script)
    made = re.findall(r"(?:INDEX|CONSTRAINT) [\"`](\w+)[\"`]", script)

    assert max(map(len, names)) <= 30
    assert len(made) == len(set(made)) >= 3


def test_table_names_and_index_names_do_not_meet_across_data_sets() -> None:
    for make in DIALECTS.values():
        made = [
            n
            for d in ALL
            for n in re.findall(r"(?:INDEX|CONSTRAINT|TABLE) [\"`](\w+)[\"`] ", make(d, STANDARD).decode())
        ]
        made = [n for n in made if not n.upper().startswith("JG_")]
        assert len(made) == len(set(made))
    assert len({d.table for d in ALL}) == len(ALL)


def test_a_long_name_is_cut_and_stays_distinct() -> None:
    assert ddl.short_name("x" * 31) != ddl.short_name("x" * 32)
    assert len(ddl.short_name("x" * 60)) == 30
    assert ddl.short_name("x" * 30) == "x" * 30


@each_dataset
def test_oracle_and_dameng_count_characters_and_move_long_texts_out(dataset: DataSet) -> None:
    for make in (ddl.oracle, ddl.dameng):
        script = make(dataset, STANDARD).decode()
        sizes = [int(n) for n in re.findall(r"VARCHAR2\((\d+) CHAR\)", script)]

        assert max(sizes) <= 1000
        assert not re.search(r"VARCHAR2\(\d+\)", script)
        for element in dataset.elements:
            if element.type in (Kind.TEXT, Kind.LONGTEXT, Kind.LIST) and (element.max or 0) > 1000:
                assert f'"{element.id.upper()}" CLOB' in script


@each_dataset
def test_a_row_of_mysql_stays_within_its_limit(dataset: DataSet) -> None:
    script = ddl.mysql(dataset, STANDARD).decode()

    assert 4 * sum(int(n) for n in re.findall(r"VARCHAR\((\d+)\)", script)) < 65_535


@each_dataset
def test_reading_what_is_new_has_an_index(dataset: DataSet) -> None:
    script = ddl.postgresql(dataset, STANDARD).decode()

    assert f'ON "{dataset.table}" ("cd_time", "cd_id")' in script
    assert f'ON "{dataset.table}" ("data_up_time", "cd_id")' in script
    assert 'PRIMARY KEY ("cd_id")' in script


@each_dataset
def test_only_what_a_deletion_carries_is_never_empty(dataset: DataSet) -> None:
    required = {c.name for c in columns(dataset, STANDARD) if c.required}

    assert required <= {"cd_id", "cd_time", "cd_source", "cd_batch", "cd_operation", *dataset.natural_key}
    assert {c.part for c in columns(dataset, STANDARD)} == set(Part)


# --- the Excel template


def opened(dataset: DataSet) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(workbook.export(dataset, STANDARD)))


@each_dataset
def test_the_template_opens_and_shows_titles_over_hidden_ids(dataset: DataSet) -> None:
    sheet = opened(dataset).worksheets[0]
    elements = workbook.elements_of(dataset)

    assert sheet.title == workbook.sheet_name(dataset)
    assert [c.value for c in sheet[1]] == [e.title for e in elements]
    assert [c.value for c in sheet[2]] == [e.id for e in elements]
    assert sheet.row_dimensions[2].hidden
    assert sheet.freeze_panes == "A3"
    assert sheet.max_row == 2, "no sample row stands where data belong"
    assert workbook.is_id_row([c.value for c in sheet[2]], dataset)
    assert not workbook.is_id_row([c.value for c in sheet[1]], dataset)


@each_dataset
def test_the_other_reader_sees_the_same_two_rows(dataset: DataSet) -> None:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(workbook.export(dataset, STANDARD)))
    elements = workbook.elements_of(dataset)

    assert book.sheet_names == [workbook.sheet_name(dataset), workbook.EXPLANATIONS, workbook.CODES]
    assert book.get_sheet_by_index(0).to_python() == [[e.title for e in elements], [e.id for e in elements]]


@each_dataset
def test_every_code_has_a_drop_down_with_the_choices_of_its_list(dataset: DataSet) -> None:
    book = opened(dataset)
    sheet, codes = book.worksheets[0], book[workbook.CODES]
    held = {str(v.sqref).split(":")[0]: v for v in sheet.data_validations.dataValidation}

    for column, element in enumerate(workbook.elements_of(dataset), 1):
        cell = f"{openpyxl.utils.get_column_letter(column)}3"
        if element.list is None:
            assert cell not in held
            continue
        _, _, area = held[cell].formula1.partition("!")
        shown = [c[0].value for c in codes[area.replace("$", "")]] if ":" in area else []
        shown = shown or [codes[area.replace("$", "")].value]
        assert shown == [workbook.choice(c, n) for c, n in STANDARD.codes(element.list).items()]
        assert held[cell].errorStyle in (None, "stop")
        assert bool(held[cell].showErrorMessage) == (element.type is Kind.CODE)


@each_dataset
def test_every_column_is_text_and_every_must_element_is_marked(dataset: DataSet) -> None:
    sheet = opened(dataset).worksheets[0]

    for column, element in enumerate(workbook.elements_of(dataset), 1):
        assert sheet.cell(2, column).number_format == "@"
        fill = sheet.cell(1, column).fill.start_color.rgb
        must = element.need == "must" and element.filled_by is FilledBy.SENDER
        assert (fill == "FFB3261E") == must
        assert sheet.cell(1, column).comment is not None


@each_dataset
def test_the_explanations_tell_every_element_and_hold_a_sample(dataset: DataSet) -> None:
    sheet = opened(dataset)[workbook.EXPLANATIONS]
    rows = list(sheet.iter_rows(min_row=5, values_only=True))
    elements = workbook.elements_of(dataset)

    assert [r[1] for r in rows] == [e.id for e in elements]
    for row, element in zip(rows, elements, strict=True):
        assert row[2], "what is demanded is said"
        assert row[3], "the form is said"
        if element.need == "must" and element.filled_by is FilledBy.SENDER:
            assert row[2] == "必填"
            assert row[7], "a must element has a sample"


def test_the_template_says_which_data_set_and_version_it_is() -> None:
    book = opened(STANDARD.dataset("check_action"))
    held = {p.name: p.value for p in book.custom_doc_props.props}

    assert held == {"hub_dataset": "check_action", "hub_version": "1"}


def test_a_template_is_the_same_bytes_every_time() -> None:
    dataset = STANDARD.dataset("punish_action")

    assert workbook.export(dataset, STANDARD) == workbook.export(dataset, STANDARD)


def test_a_choice_becomes_its_code_again_and_nothing_else_is_touched() -> None:
    codes = STANDARD.codes("CL_PUNISH_TYPE")

    assert workbook.code_of("02 罚款", codes) == "02"
    assert workbook.code_of("02 罚款; 01 警告", codes) == "02;01"
    assert workbook.code_of("02", codes) == "02"
    assert workbook.code_of("02 罚金", codes) == "02 罚金"
    assert workbook.code_of("警告", STANDARD.codes("CL_CF_LB")) == "警告"
    assert workbook.choice("警告", "警告") == "警告"


@each_dataset
def test_a_filled_template_reads_back_as_it_was_filled(dataset: DataSet) -> None:
    book = opened(dataset)
    sheet = book.worksheets[0]
    records = list(Samples(dataset, STANDARD, seed=9).records(5))
    elements = workbook.elements_of(dataset)
    for number, record in enumerate(records, 3):
        for column, element in enumerate(elements, 1):
            value = record.get(element.id)
            if value is not None:
                shown = (
                    workbook.choice(value, STANDARD.codes(element.list)[value])
                    if element.type is Kind.CODE and element.list
                    else value
                )
                sheet.cell(number, column, shown)
    held = io.BytesIO()
    book.save(held)
    held.seek(0)

    rows = python_calamine.CalamineWorkbook.from_filelike(held).get_sheet_by_index(0).to_python()
    read = []
    for row in rows[workbook.FIRST_DATA_ROW :]:
        cells = zip(elements, row, strict=True)
        read.append(
            {e.id: workbook.code_of(str(v), STANDARD.codes(e.list)) if e.list else str(v) for e, v in cells if v != ""}
        )

    assert read == records


# --- the handbook


@each_dataset
def test_the_handbook_page_tells_everything(dataset: DataSet) -> None:
    page = handbook.export(dataset, STANDARD).decode()

    assert page.startswith(f"# {dataset.title}\n")
    for element in dataset.elements:
        assert f"| `{element.id}` |" in page
    for rule in dataset.rules:
        assert rule.says in page
        assert rule.fix in page
    for name in {e.list for e in dataset.elements if e.list}:
        assert f"`{name}`" in page
    assert "本规范" in page or not dataset.profile
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert not [line for line in rows if "==" in line], "conditions stand in words"


def test_the_page_of_the_common_elements_names_all_of_them() -> None:
    page = handbook.common_page(STANDARD).decode()

    assert all(f"`{e.id}`" in page for e in STANDARD.common)


# --- all formats


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_makes_every_data_set(name: str) -> None:
    made = {FORMATS[name].file_name(d): FORMATS[name].export(d, STANDARD) for d in ALL}

    assert len(made) == len(ALL)
    assert all(made.values())
    assert FORMATS[name].title
    assert FORMATS[name].title_en
