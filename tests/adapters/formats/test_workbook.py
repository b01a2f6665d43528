"""Workbooks: what cells become, and where records stand."""

import datetime
import io
import zipfile

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.formats import bytes_payload
from adapters.formats.sheet_rows import column_letters
from adapters.formats.workbook_child import number_text, text_of
from standards.exports import workbook as template
from standards.registry import built_in
from tests.adapters.formats.reading import assert_resumes, read, refused
from tests.adapters.formats.workbooks import minimal_xlsx, several_sheets, workbook


def test_cells_become_the_text_a_person_would_expect():
    header = ["整数", "小数", "浮点", "日期", "时刻", "真", "长数字", "文本", "空", "末"]
    row = [
        24.0,
        4.54,
        0.1 + 0.2,
        datetime.date(2020, 1, 2),
        datetime.datetime(2020, 1, 2, 3, 4, 5),  # noqa: DTZ001 - Excel knows no zones
        True,
        110105194912310021,
        "00123",
        None,
        "x",
    ]

    result = read(workbook(header, row), "a.xlsx")

    assert list(result.records[0].values()) == [
        "24",
        "4.54",
        "0.3",
        "2020-01-02",
        "2020-01-02 03:04:05",
        "true",
        "1.1010519491231E+17",
        "00123",
        "",
        "x",
    ]
    assert result.places == ["Sheet1!2"]
    assert result.chunks[0].letters["末"] == "J"
    assert result.reading.format == "workbook"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e15, "1E+15"),
        (999999999999999.0, "999999999999999"),
        (-1234567890123456.0, "-1.23456789012346E+15"),
        (1e-9, "0.000000001"),
        (0.0, "0"),
        (-0.5, "-0.5"),
        (1e300, "1E+300"),
        (float("nan"), ""),
        (float("inf"), ""),
        (123456.789, "123456.789"),
    ],
)
def test_numbers_are_shown_as_excel_shows_them(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime.time(3, 4, 5), "03:04:05"),
        (datetime.timedelta(hours=30, minutes=5), "30:05:00"),
        (-datetime.timedelta(minutes=5), "-00:05:00"),
        (datetime.datetime(2020, 1, 2, 23, 59, 59, 999_900), "2020-01-03 00:00:00"),  # noqa: DTZ001
        (datetime.date(1999, 1, 2), "1999-01-02"),
        (10**17, "1E+17"),
        (False, "false"),
        (None, ""),
    ],
)
def test_other_values_become_text(value, text):
    assert text_of(value) == text


def test_errors_are_empty():
    xml = '<row r="1"><c r="A1" t="str"><v>名称</v></c><c r="B1" t="str"><v>额</v></c></row>'
    xml += '<row r="2"><c r="A2" t="str"><v>甲</v></c><c r="B2" t="e"><v>#N/A</v></c></row>'

    assert read(minimal_xlsx(xml), "a.xlsx").records == [{"名称": "甲", "额": ""}]


def test_empty_rows_are_passed_over_wherever_they_stand():
    rows = [["a", "b"], ["1", "x"], [], [None, "  "], ["2", "y"], [], []]

    result = read(workbook(*rows), "a.xlsx")

    assert result.places == ["Sheet1!2", "Sheet1!5"]


def test_sixty_five_thousand_ghost_rows_cost_nothing():
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page = book.add_worksheet("留言")
    red = book.add_format({"bg_color": "red"})
    page.write_row(0, 0, ["编号", "标题"])
    page.write_row(1, 0, [1, "甲"])
    for row in range(2, 65_202):
        page.write_blank(row, 0, None, red)
        page.write_blank(row, 1, None, red)
    book.close()

    result = read(out.getvalue(), "a.xlsx")

    assert result.records == [{"编号": "1", "标题": "甲"}]


@pytest.mark.parametrize(
    "titles",
    [
        [["2024年处罚信息表"]],
        [["2024年处罚信息表"], ["填报单位：某局", None, None, "2024-01-01"]],
        [[], ["标题"], []],
        [],
    ],
)
def test_title_rows_above_the_header_are_found(titles):
    rows = [
        *titles,
        ["序号", "单位", "日期", "金额", "备注"],
        [1, "甲", "2024-01-01", 5],
        [2, "乙", "2024-01-02", 6, "x"],
    ]

    result = read(workbook(*rows), "a.xlsx")

    assert result.fields == ("序号", "单位", "日期", "金额", "备注")
    assert [r["单位"] for r in result.records] == ["甲", "乙"]


def test_the_header_can_be_set_by_number_and_by_name():
    rows = [["x", "y"], ["1", "2"], ["a", "b"], ["3", "4"]]

    assert read(workbook(*rows), "a.xlsx", title_rows=2).records == [{"a": "3", "b": "4"}]
    assert len(read(workbook(*rows), "a.xlsx", header=("p", "q")).records) == 4
    assert read(workbook(*rows), "a.xlsx", header=("p", "q"), title_rows=3).records == [{"p": "3", "q": "4"}]
    assert len(read(workbook(*rows), "a.xlsx", header=("x", "y")).records) == 3


def test_the_row_of_element_ids_in_our_own_template_is_no_record():
    rows = [["处罚文号", "处罚日期"], ["cf_wsh", "cf_jdrq"], ["某罚1号", "2024-01-01"]]

    result = read(workbook(*rows), "a.xlsx")

    assert result.places == ["Sheet1!3"]
    assert result.fields == ("处罚文号", "处罚日期")


def test_a_table_that_does_not_begin_in_a1_keeps_its_places():
    rows = [[], [], [None, None, "编号", "名称"], [None, None, "1", "甲"]]

    result = read(workbook(*rows), "a.xlsx")

    assert result.places == ["Sheet1!4"]
    assert result.chunks[0].letters == {"编号": "C", "名称": "D"}


def test_the_value_of_merged_cells_stands_in_each_of_their_rows():
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in (["处罚信息表", None, None], ["区域", "单位", "额"], ["甲区", "a", 1], [None, "b", 2], [None, "c", 3]):
        page.append(row)
    page.merge_cells("A1:C1")
    page.merge_cells("A3:A4")
    out = io.BytesIO()
    book.save(out)

    assert [r["区域"] for r in read(out.getvalue(), "a.xlsx").records] == ["甲区", "甲区", ""]


def test_sheets_are_chosen():
    data = several_sheets()

    assert read(data, "a.xlsx").places == ["码｜表!2", "码｜表!3"]
    assert read(data, "a.xlsx", sheet="数据").records == [{"b": "3", "c": "4"}]
    assert read(data, "a.xlsx", sheet="隐藏").records == [{"h": "9"}]
    assert read(data, "a.xlsx", sheet="all").places == ["码｜表!2", "码｜表!3", "数据!2"]


def test_reading_on_behind_any_chunk_gives_the_rest():
    assert_resumes(bytes_payload("a.xlsx", several_sheets()), sheet="all", chunk=1)
    rows = [["a", "b"], *([n, f"甲{n}"] for n in range(25))]
    assert_resumes(bytes_payload("a.xlsx", workbook(*rows)), chunk=7)


def test_a_sheet_that_is_not_there_or_empty_is_told():
    assert "数据、隐藏" in refused(several_sheets(), "a.xlsx", sheet="没有").what_zh
    assert "是空的" in refused(several_sheets(), "a.xlsx", sheet="空").what_zh
    assert "是空的" in refused(workbook(), "a.xlsx").what_zh


def test_a_row_that_is_wider_than_the_header_is_broken():
    rows = [["a", "b"], *([["1", "2"]] * 150), ["3", "4", None, "stray"], ["5", "6"]]

    result = read(workbook(*rows), "a.xlsx")

    assert {p: f.params for p, f in result.broken.items()} == {"Sheet1!152": {"expected": "2", "found": "4"}}


def test_dates_of_the_1904_system_are_right():
    data = workbook(["日期"], [datetime.date(2000, 1, 1)], date_1904=True)

    assert read(data, "a.xlsx").records == [{"日期": "2000-01-01"}]


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_columns_have_letters(index, letters):
    assert column_letters(index) == letters


cells = st.text(st.characters(exclude_categories=("Cs", "Cn", "Cc"), exclude_characters="\ufeff"), max_size=8)


@given(st.lists(st.lists(cells, min_size=3, max_size=3).filter(lambda r: any(v.strip() for v in r)), max_size=8))
@settings(max_examples=25, deadline=None)
def test_what_is_written_is_what_is_read(rows):
    header = ["字段一", "字段二", "字段三"]

    result = read(workbook(header, *rows, strings_to_formulas=False, strings_to_urls=False), "a.xlsx", title_rows=0)

    assert result.records == [dict(zip(header, row, strict=True)) for row in rows]


def test_other_formats_of_workbooks_are_read():
    """An .ods is made by hand; .xls and .xlsb are among the shared files."""
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        '<table:table table:name="表"><table:table-row>'
        '<table:table-cell office:value-type="string"><text:p>名称</text:p></table:table-cell></table:table-row>'
        '<table:table-row><table:table-cell office:value-type="string"><text:p>甲</text:p></table:table-cell>'
        "</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")

    assert read(out.getvalue(), "a.ods").records == [{"名称": "甲"}]


@pytest.mark.parametrize("dataset", built_in().ids())
def test_our_own_template_is_read_by_its_titles_and_its_row_of_ids_is_no_record(dataset):
    data = template.export(built_in().dataset(dataset), built_in())

    assert read(data, "模板.xlsx").records == []

    filled = openpyxl.load_workbook(io.BytesIO(data))
    page = filled.worksheets[0]
    titles = [cell.value for cell in page[1]]
    page.append([f"值{n}" for n in range(len(titles))])
    out = io.BytesIO()
    filled.save(out)
    result = read(out.getvalue(), "模板.xlsx")
    assert [place.rpartition("!")[2] for place in result.places] == ["3"]
    assert list(result.records[0].values()) == [f"值{n}" for n in range(len(titles))]
