"""The ladder: BOM, strict UTF-8, strict GB18030; what was declared, what was set, and what is damaged."""

import pytest

from adapters.formats.encoding import codec_of
from standards.errors import BadConfiguration
from tests.adapters.formats.reading import read, refused

TABLE = "企业名称,罚款\n" + "".join(f"某某环保科技有限公司第{n}分公司,{n}\n" for n in range(50))


@pytest.mark.parametrize(
    ("codec", "bom", "found", "how"),
    [
        ("utf-8", b"", "utf-8", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8", "bom"),
        ("gb18030", b"", "gb18030", "gb18030"),
        ("gbk", b"", "gb18030", "gb18030"),
        ("gb18030", b"\x84\x31\x95\x33", "gb18030", "bom"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le", "bom"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be", "bom"),
        ("utf-32-le", b"\xff\xfe\0\0", "utf-32-le", "bom"),
    ],
)
def test_each_step_of_the_ladder_reads_the_same_table(codec, bom, found, how):
    result = read(bom + TABLE.encode(codec), "a.csv")

    assert result.fields == ("企业名称", "罚款")
    assert result.records[49] == {"企业名称": "某某环保科技有限公司第49分公司", "罚款": "49"}
    assert (result.reading.encoding, result.reading.decoded_by) == (found, how)


def test_ascii_is_read_as_utf8():
    assert read("a,b\n1,2\n", "a.csv").reading.encoding == "utf-8"


def test_gb18030_is_found_although_the_first_megabytes_are_ascii():
    data = b"a,b\n" + b"1,2\n" * 500_000 + "中,文\n".encode("gb18030")

    result = read(data, "a.csv", chunk=20000)

    assert result.reading.encoding == "gb18030"
    assert result.records[-1] == {"a": "中", "b": "文"}


def test_four_byte_characters_of_gb18030_are_read():
    rare = "𠮷㐂䶮"  # names that GBK cannot write

    assert read(f"姓名\n{rare}王某某\n".encode("gb18030"), "a.csv").records[0]["姓名"] == rare + "王某某"


def test_one_cut_off_character_does_not_turn_a_utf8_file_into_gb18030():
    lines = TABLE.encode().split(b"\n")
    lines[7] = lines[7].replace("公司".encode(), "公司".encode()[:-1], 1)

    result = read(b"\n".join(lines), "a.csv")

    assert result.reading.encoding == "utf-8"
    assert {place: fault.code for place, fault in result.broken.items()} == {"L8": "10009.encoding"}
    assert result.broken["L8"].params == {"field": "企业名称", "encoding": "UTF-8"}
    assert len(result.good) == 49


def test_one_cut_off_character_breaks_one_record_of_a_gb18030_file():
    lines = TABLE.encode("gb18030").split(b"\n")
    lines[7] = lines[7].replace(b",", b"\xb9,", 1)

    result = read(b"\n".join(lines), "a.csv")

    assert result.reading.encoding == "gb18030"
    assert [fault.code for fault in result.broken.values()] == ["10009.encoding"]
    assert len(result.good) == 49


def test_what_is_neither_is_refused_with_byte_and_line():
    error = refused(b"a,b\n1,2\n\xff\xff\xff,\xfe\xfe\n", "a.csv")

    assert "第 3 行" in error.what_zh
    assert "byte 8" in error.what
    assert "line 3" in error.what


def test_two_encodings_in_one_file_are_told():
    error = refused(TABLE.encode() + TABLE.encode("gb18030"), "a.csv")

    assert "混用了两种编码" in error.what_zh
    assert "line 52" in error.what


def test_a_set_encoding_is_obeyed():
    result = read("name,city\nCafé Crème,Zürich\n".encode("iso-8859-1"), "a.csv", encoding="iso-8859-1")

    assert result.records == [{"name": "Café Crème", "city": "Zürich"}]
    assert result.reading.decoded_by == "given"


def test_a_set_encoding_that_does_not_fit_is_told():
    error = refused(TABLE.encode("gb18030"), "a.csv", encoding="utf-8")

    assert "不是该接入所设的 UTF-8 编码" in error.what_zh


def test_a_bom_is_believed_more_than_a_setting_and_the_difference_is_noted():
    result = read(b"\xef\xbb\xbf" + TABLE.encode(), "a.csv", encoding="gbk")

    assert result.reading.encoding == "utf-8"
    assert result.note("10009.declared").params == {"expected": "GB18030", "found": "UTF-8"}


def test_utf16_without_bom_is_refused_unless_it_is_set():
    data = TABLE.encode("utf-16-le")

    assert "utf-16-le" in str(refused(data, "a.csv").hint)
    assert len(read(data, "a.csv", encoding="utf-16-le").records) == 50


def test_an_unknown_encoding_in_the_settings_is_a_mistake_of_the_setup():
    with pytest.raises(BadConfiguration, match="gb18030"):
        read("a\n1\n", "a.csv", encoding="gb18300")


@pytest.mark.parametrize("name", ["GB2312", "gbk", "x-gbk", "cp936", "GB_2312"])
def test_the_older_names_mean_gb18030(name):
    assert codec_of(name) == "gb18030"


@pytest.mark.parametrize("name", ["rot13", "zlib", "unicode_escape", "idna", "utf-7", "hex", "undefined"])
def test_codecs_that_are_no_encodings_are_not_known(name):
    assert codec_of(name) is None
