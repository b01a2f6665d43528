"""CSV: what is taken, what is broken, and where it stands."""

import pytest

from standards.errors import BadConfiguration
from tests.adapters.formats.reading import read, refused


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiter_and_line_ends_are_found(delimiter, newline):
    rows = [["编号", "名称", "金额"], ["1", "甲", "2.5"], ["2", "乙，丙", ""]]

    result = read(newline.join(delimiter.join(row) for row in rows), "a.csv")

    assert result.records == [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert result.places == ["L2", "L3"]


def test_the_delimiter_is_that_of_the_header_not_that_of_the_texts():
    text = "编号\t经营范围\n1\t批发,零售,服务,咨询\n2\t生产,加工,制造,销售\n"

    assert read(text, "a.txt").records[0] == {"编号": "1", "经营范围": "批发,零售,服务,咨询"}


def test_excels_separator_line_is_obeyed():
    assert read("sep=;\na;b,c\n1;2\n", "a.csv").records == [{"a": "1", "b,c": "2"}]


def test_quotes_hold_delimiters_quotes_and_line_breaks():
    result = read('a,b\n"1,5","say ""hi"""\n"two\nlines",x\r\n3,y\n', "a.csv")

    assert result.records == [{"a": "1,5", "b": 'say "hi"'}, {"a": "two\nlines", "b": "x"}, {"a": "3", "b": "y"}]
    assert result.places == ["L2", "L3", "L5"]


def test_without_a_quote_character_quotes_are_text():
    assert read('a,b\n"1,2"\n', "a.csv", quote="").records == [{"a": '"1', "b": '2"'}]


def test_empty_lines_and_lines_of_delimiters_are_passed_over_and_not_counted():
    result = read("\n\na,b\n\n1,2\n,\n\r\n3,4\n\0\0\0\n", "a.csv")

    assert result.places == ["L5", "L8"]
    assert result.broken == {}


@pytest.mark.parametrize(
    "titles",
    [
        "PRSA_data_2010.1.1-2014.12.31\n",
        "2024年行政处罚信息表\n填报单位：某某局\n",
        '"2024年处罚信息",,,\n',
        "\n标题\n\n",
    ],
)
def test_title_lines_above_the_header_are_found(titles):
    result = read(f"{titles}编号,名称,日期,金额\n1,甲,2024-01-01,5\n2,乙,2024-01-02,6\n", "a.csv")

    assert result.fields == ("编号", "名称", "日期", "金额")
    assert len(result.records) == 2


@pytest.mark.parametrize("text", ["a\n1\n2\n", "a,b\n1,2\n", "a,\n1,\n2,3\n", "编号,名称,备注\n1,甲,\n2,,\n3,,\n"])
def test_a_plain_header_is_never_taken_for_a_title(text):
    result = read(text, "a.csv")

    assert result.places[0] == "L2"


def test_the_number_of_title_lines_can_be_set():
    assert read("x,y\n1,2\na,b\n3,4\n", "a.csv", title_rows=2).records == [{"a": "3", "b": "4"}]
    assert read("x\na,b\n3,4\n", "a.csv", title_rows=0).fields == ("x",)


def test_a_header_can_be_set_for_files_without_one():
    result = read("1,2\n3,4\n", "a.csv", header=("甲", "乙"))

    assert result.records == [{"甲": "1", "乙": "2"}, {"甲": "3", "乙": "4"}]


def test_a_set_header_that_the_file_has_after_all_is_no_record():
    assert read("甲,乙\n3,4\n", "a.csv", header=("甲", "乙")).records == [{"甲": "3", "乙": "4"}]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("统一社会 信用代码", "统一社会信用代码"),
        ('"处罚\n日期"', "处罚日期"),
        ("\u3000罚款 （万元） ", "罚款（万元）"),
        ("Business  Name", "Business Name"),
        ("\ufeff编\u200b号", "编号"),
    ],
)
def test_header_names_are_tidied(written, name):
    assert read(f"{written},x\n1,2\n", "a.csv").fields == (name, "x")


def test_double_and_missing_header_names_get_names_and_notes():
    result = read("名称,名称,,名称\n1,2,3,4\n", "a.csv")

    assert result.fields == ("名称", "名称#2", "列3", "名称#3")
    assert result.notes == [
        ("10004.duplicate_column", "名称"),
        ("10004.unnamed_column", "列3"),
        ("10004.duplicate_column", "名称"),
    ]


def test_a_delimiter_at_the_end_of_every_line_makes_no_column():
    assert read("a,b,\n1,2,\n3,4,\n", "a.csv").fields == ("a", "b")
    assert read("a,b,\n1,2,\n3,4,5\n", "a.csv").fields == ("a", "b", "列3")


def test_the_row_of_element_ids_in_our_own_template_is_no_record():
    text = "处罚文号,处罚日期\ncf_wsh,cf_jdrq\n某罚1号,2024-01-01\n"

    assert read(text, "a.csv").places == ["L3"]


def test_a_row_with_more_fields_is_broken_unless_the_surplus_is_blank():
    result = read("a,b\n1,2,3\n4,5,,\n", "a.csv")

    assert result.broken["L2"].code == "10004.row"
    assert result.broken["L2"].params == {"expected": "2", "found": "3"}
    assert result.good == [{"a": "4", "b": "5"}]


def test_a_row_with_half_of_the_fields_is_taken_and_one_with_fewer_is_broken():
    result = read("a,b,c,d\n1,2,3,4\n5,6\n7,8,9,10\n合计\n", "a.csv")

    assert result.good == [
        {"a": "1", "b": "2", "c": "3", "d": "4"},
        {"a": "5", "b": "6", "c": "", "d": ""},
        {"a": "7", "b": "8", "c": "9", "d": "10"},
    ]
    assert result.broken["L5"].params == {"expected": "4", "found": "1"}


@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
def test_a_record_torn_by_a_line_break_is_broken_in_both_parts(chunk):
    result = read("a,b,c,d\n1,2,3,4\n5,6,7\nrest,8\n9,9,9,9\n", "a.csv", chunk=chunk)

    broken = {"L3", "L4"} if chunk > 1 else {"L4"}  # with one row a chunk the first part is gone already
    assert set(result.broken) == broken


def test_a_torn_record_whose_first_part_is_short_does_not_shift_the_second():
    result = read("a,b,c,d,e,f\n1,2\nrest,3,4,5,6\n1,2,3,4,5,6\n", "a.csv")

    assert set(result.broken) == {"L2", "L3"}


def test_an_unclosed_quote_breaks_its_own_line_only():
    rows = [f"{n},text {n}\n" for n in range(2000)]
    rows[500] = '500,"open\n'

    result = read("a,b\n" + "".join(rows), "a.csv")

    assert {place: fault.code for place, fault in result.broken.items()} == {"L502": "10004.quote"}
    assert len(result.good) == 1999


def test_an_unclosed_quote_that_a_later_one_closes_loses_no_record():
    result = read('a,b\n1,"open\n2,"two"\n3,three\n', "a.csv")

    assert set(result.broken) == {"L2"}
    assert [record["a"] for record in result.good] == ["2", "3"]


def test_a_quote_that_is_open_at_the_end_is_told():
    result = read('a,b\n1,2\n3,"4', "a.csv")

    assert {place: fault.code for place, fault in result.broken.items()} == {"L3": "10004.quote"}


def test_many_unclosed_quotes_give_the_file_up():
    blank = "1,2\n" * 1000
    text = "a,b\n" + "".join(f'{n},"open{n}\n{blank}x",y\n' for n in range(0, 100))
    odd = "a,b\n" + 'p","x\n' * 60_000

    assert read(text, "a.csv", max_value=1000, chunk=20000).broken
    assert "引号不配对" in refused(odd, "a.csv", max_value=10_000).what_zh


def test_a_value_that_is_too_long_breaks_its_row():
    result = read("a,b\n1," + "x" * 2000 + "\n2,y\n", "a.csv", max_value=1000)

    assert result.broken["L2"].code == "10004.long_value"
    assert result.broken["L2"].params == {"field": "b", "length": "2000", "max": "1000"}
    assert result.good == [{"a": "2", "b": "y"}]


def test_a_line_that_is_too_long_is_passed_over():
    result = read("a,b\n1,2\n3," + "x" * 5_000_000 + "\n5,6\n", "a.csv", max_value=1000)

    assert result.broken["L3"].code == "10004.long_row"
    assert [record["a"] for record in result.good] == ["1", "5"]
    assert result.places == ["L2", "L3", "L4"]


def test_excel_artefacts_are_taken_off_and_scientific_numbers_are_left():
    result = read('a,b,c,d\n"=""00123""",\'00123,1.1E+17,\'Til late\n="7",=1+1,\'x,5\n', "a.csv")

    assert result.records[0] == {"a": "00123", "b": "00123", "c": "1.1E+17", "d": "'Til late"}
    assert result.records[1] == {"a": "7", "b": "=1+1", "c": "'x", "d": "5"}


def test_nul_padding_is_cut_off_and_nul_within_a_value_breaks_the_row():
    result = read(b"a,b\nx\0\0,1\ny\0z,2\n", "a.csv")

    assert result.records[0] == {"a": "x", "b": "1"}
    assert result.broken["L3"].code == "10004.character"
    assert result.broken["L3"].params == {"field": "a"}


def test_a_carriage_return_within_a_line_is_text():
    result = read('a,b\r\n1,x\ry\r\n"2","p\r\nq"\r\r\n', "a.csv")

    assert result.records == [{"a": "1", "b": "x\ry"}, {"a": "2", "b": "p\r\nq"}]


def test_clean_is_only_said_of_chunks_without_control_characters():
    assert read("a\n中文\tx\n", "a.csv", delimiter=",").chunks[0].clean
    assert not read("a,b\n\x0b,x\n", "a.csv").chunks[0].clean
    assert not read("a,b\n1,x\u200b\n", "a.csv").chunks[0].clean


def test_too_many_columns_are_refused():
    error = refused(",".join(f"c{n}" for n in range(1001)) + "\n1\n", "a.csv")

    assert "1001" in error.what_zh


def test_a_delimiter_of_several_characters_is_a_mistake_of_the_setup():
    with pytest.raises(BadConfiguration):
        read("a||b\n", "a.csv", delimiter="||")


def test_a_header_alone_gives_no_records():
    assert read("a,b\n", "a.csv").chunks == []


def test_offsets_are_those_of_the_raw_bytes():
    data = "编号,名称\n".encode("gb18030") + b"".join(f"{n},名称{n}\n".encode("gb18030") for n in range(10))

    for chunk in read(data, "a.csv", chunk=3).chunks:
        assert chunk.raw_offset is not None
        assert data[chunk.raw_offset :].startswith(f"{chunk.columns['编号'][0]},".encode())
