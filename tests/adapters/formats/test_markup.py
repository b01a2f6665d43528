"""Files named .xls that are HTML or Excel's XML of 2003, as web systems export them."""

import pytest

from adapters.formats import bytes_payload
from tests.adapters.formats.reading import assert_resumes, read, refused

PAGE = """<html><head><meta http-equiv=Content-Type content="text/html; charset={charset}"><style>td{{x}}</style></head>
<body><table><tr><td>logo</td></tr></table>
<table border=1><tr><td colspan=3>处罚信息表</td></tr>
<tr><th>单位<br>名称<th>代码</th><th>日期</th></tr>
<tr><td rowspan=2>甲&amp;公司</td><td>00123&nbsp;</td><td> 2020-01-02
</td></tr><tr><td>002</td><td>x<br>y</td></tr></table></body></html>"""

EXCEL = """<?xml version="1.0"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Worksheet ss:Name="空"><Table/></Worksheet>
<Worksheet ss:Name="数据"><Table>
<Row><Cell><Data ss:Type="String">名称</Data></Cell><Cell><Data ss:Type="String">日期</Data></Cell>
<Cell><Data ss:Type="String">额</Data></Cell><Cell><Data ss:Type="String">是否</Data></Cell></Row>
<Row ss:Index="4"><Cell ss:MergeDown="1"><Data ss:Type="String">甲</Data></Cell>
<Cell><Data ss:Type="DateTime">2020-01-02T00:00:00.000</Data></Cell></Row>
<Row><Cell ss:Index="3"><Data ss:Type="Number">12.0</Data></Cell><Cell><Data ss:Type="Boolean">1</Data></Cell></Row>
</Table></Worksheet>
<Worksheet ss:Name="二"><Table><Row><Cell><Data ss:Type="String">b</Data></Cell></Row>
<Row><Cell><Data ss:Type="DateTime">2020-01-02T03:04:05.000</Data></Cell></Row></Table></Worksheet></Workbook>"""


@pytest.mark.parametrize(("charset", "codec"), [("gb2312", "gb18030"), ("utf-8", "utf-8"), ("gbk", "utf-8")])
@pytest.mark.parametrize("options", [{}, {"format": "workbook"}, {"format": "html"}])
def test_an_html_table_called_xls_is_read_like_a_sheet(charset, codec, options):
    result = read(PAGE.format(charset=charset).encode(codec), "导出.xls", **options)

    assert result.reading.format == "html"
    assert result.records == [
        {"单位名称": "甲&公司", "代码": "00123", "日期": "2020-01-02"},
        {"单位名称": "甲&公司", "代码": "002", "日期": "x\ny"},
    ]
    assert result.places == ["Sheet1!3", "Sheet1!4"]
    assert result.chunks[0].letters["日期"] == "C"


def test_a_page_without_a_table_or_with_several_is_refused():
    assert "没有数据表格" in refused("<html><body><p>出错了，请登录</p></body></html>", "a.xls").what_zh
    two = "<table><tr><td>1</td></tr><tr><td>2</td></tr></table>" * 2
    assert "2 个表格" in refused(f"<html>{two}</html>", "a.xls").what_zh


def test_a_table_within_a_table_belongs_to_its_cell():
    inner = "<table><tr><td>i</td></tr><tr><td>j</td></tr></table>"
    page = f"<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>{inner}</td></tr></table>"

    assert read(page, "a.xls").records == [{"a": "1", "b": "ij"}]


def test_a_page_nested_without_end_is_refused():
    refused("<html>" + "<div>" * 100_000, "a.xls")


def test_spans_without_bounds_are_bounded():
    page = (
        "<table><tr><td colspan=99999>t</td></tr><tr><td>a</td><td>b</td></tr><tr><td rowspan=99999>1</td></tr></table>"
    )

    assert read(page, "a.xls").records == [{"a": "1", "b": ""}]


def test_a_page_of_many_comments_is_answered_at_once():
    refused("<!---->" * 9000 + "x", "a.xls", format="html")
    refused("<!---->" * 9000 + "<!DOCTYPE", "a.xml")


def test_excels_own_xml_is_read_like_a_workbook():
    result = read(EXCEL, "a.xls")

    assert result.reading.format == "workbook"
    assert result.records == [
        {"名称": "甲", "日期": "2020-01-02", "额": "", "是否": ""},
        {"名称": "甲", "日期": "", "额": "12", "是否": "true"},
    ]
    assert result.places == ["数据!4", "数据!5"]
    assert read(EXCEL, "a.xls", sheet="二").records == [{"b": "2020-01-02 03:04:05"}]
    assert len(read(EXCEL, "a.xls", sheet="all").chunks) == 2
    assert "是空的" in refused(EXCEL, "a.xls", sheet="空").what_zh


def test_reading_on_behind_any_chunk_gives_the_rest():
    assert_resumes(bytes_payload("a.xls", EXCEL.encode()), sheet="all", chunk=1)
    assert_resumes(bytes_payload("a.xls", PAGE.format(charset="utf-8").encode()), chunk=1)
