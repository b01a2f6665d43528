"""XML: the element that repeats is the record; nothing but plain elements comes through the door."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.formats import bytes_payload
from standards import xml
from standards.errors import BadConfiguration, PayloadTooLarge, UnreadablePayload
from tests.adapters.formats.reading import assert_resumes, read, refused
from tests.standards.gb_codes import GONE, TEXT

CASES = "<cases><case><no>1</no><name>甲</name></case><case><no>2</no><name>乙</name></case></cases>"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (CASES, "/cases/case"),
        ("<ROWDATA><ROW><A>1</A></ROW><ROW><A>2</A></ROW></ROWDATA>", "/ROWDATA/ROW"),
        ("<DATAS><HEAD><N>2</N></HEAD><DATA><A>1</A></DATA><DATA><A>2</A></DATA></DATAS>", "/DATAS/DATA"),
        ("<r><head><t>1</t></head><list><i><a>1</a><b>1</b></i></list></r>", "/r/list/i"),
        ('<r><i k="1"/><i k="2"/></r>', "/r/i"),
        ("<r xmlns='urn:x'><x:i xmlns:x='urn:y'><a>1</a></x:i><i><a>2</a></i></r>", "/r/i"),
        ("<one><a>1</a><b>2</b></one>", "/one"),
        ("<one><a>1</a><tag>x</tag><tag>y</tag></one>", "/one"),
    ],
)
def test_the_record_is_found(text, path):
    result = read(text)

    assert result.places[0] == f"{path}[1]"
    assert result.reading.format == "xml"


def test_what_stands_in_a_record_becomes_fields():
    text = """<r><i id="7" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
      <名称>甲 &amp; 乙</名称><addr><city>A</city><street no="3">B</street></addr>
      <tag>x</tag><tag>y;z</tag><part><n>1</n></part><part><n>2</n></part><empty/><nil xsi:nil="true"/></i><i/></r>"""

    assert read(text).records[0] == {
        "@id": "7",
        "名称": "甲 & 乙",
        "addr/city": "A",
        "addr/street": "B",
        "addr/street/@no": "3",
        "tag": "x;y；z",
        "part": '[{"n": "1"}, {"n": "2"}]',
        "empty": "",
        "nil": "",
    }


def test_a_list_of_one_is_a_list_where_it_is_said():
    text = "<r><i><p><o><n>1</n></o></p></i><i><p><o><n>2</n></o><o><n>3</n></o></p></i></r>"

    assert read(text, record="//i", lists=("o",)).records == [
        {"p/o": '[{"n": "1"}]'},
        {"p/o": '[{"n": "2"}, {"n": "3"}]'},
    ]


def test_missing_elements_are_empty():
    assert read("<r><i><a>1</a></i><i><b>2</b></i></r>").records == [{"a": "1", "b": ""}, {"a": "", "b": "2"}]


@pytest.mark.parametrize("record", ["//case", "/cases/case", "case", "/*/x:case", "cases/case"])
def test_the_record_can_be_set(record):
    assert [r["no"] for r in read(CASES, record=record).records] == ["1", "2"]


def test_places_count_repeated_parents_too():
    text = "<a><b><c><d>1</d></c><c><d>2</d></c></b><b><c><d>3</d></c></b></a>"

    assert read(text, record="//c").places == ["/a/b/c[1]", "/a/b/c[2]", "/a/b[2]/c[1]"]


def test_a_path_that_is_more_than_a_path_is_a_mistake_of_the_setup():
    with pytest.raises(BadConfiguration):
        read(CASES, record="//case[1]")


def test_no_record_at_all_is_noted():
    assert read(CASES, record="//nothing").notes == [("10004.no_record", "//nothing")]
    assert read("<cases></cases>").notes == [("10004.no_record", "")]


def test_two_elements_that_repeat_are_not_guessed_between():
    error = refused("<r><a><x>1</x></a><a><x>1</x></a><b><x>1</x></b><b><x>1</x></b></r>")

    assert "//a" in (error.hint_zh or "")


@pytest.mark.parametrize(
    ("declared", "codec", "found", "how"),
    [
        ("GBK", "gb18030", "gb18030", "declared"),
        ("gb2312", "gb18030", "gb18030", "declared"),
        ("UTF-8", "utf-8", "utf-8", "declared"),
        ("UTF-8", "gb18030", "gb18030", "gb18030"),
        ("gb2312", "utf-8", "utf-8", "utf-8"),
        ("utf-16", "utf-8", "utf-8", "utf-8"),
        ("utf-16", "utf-16", "utf-16-le", "bom"),
        ("nonsense", "utf-8", "utf-8", "utf-8"),
    ],
)
def test_declarations_are_believed_when_the_bytes_bear_them_out(declared, codec, found, how):
    body = CASES.replace("甲", "某某环保科技有限公司㐂")
    result = read(f'<?xml version="1.0" encoding="{declared}"?>\n{body}'.encode(codec))

    assert result.records[0]["name"] == "某某环保科技有限公司㐂"
    assert (result.reading.encoding, result.reading.decoded_by) == (found, how)
    assert bool(result.reading.notes) == (how not in ("declared", "bom"))


def test_control_characters_break_their_record_only():
    text = "<r><i><a>1</a></i><i><a>x\x0by</a></i><i><a>&#x1F;</a></i><i><a>&#65;</a></i></r>"

    result = read(text)

    assert {p: f.code for p, f in result.broken.items()} == {
        "/r/i[2]": "10004.character",
        "/r/i[3]": "10004.character",
    }
    assert result.good == [{"a": "1"}, {"a": "A"}]


def test_records_that_are_too_large_are_broken_and_their_neighbours_read():
    big = "<i><a>" + "x" * 9000 + "</a><b><c/></b></i>"
    many = "<i>" + "<a>1</a>" * 30_000 + "</i>"
    long = "<i><a>" + "x" * 1500 + "</a></i>"

    result = read(f"<r><i><a>1</a></i>{big}{many}{long}<i><a>2</a></i></r>", max_value=1000)

    assert [f.code for f in result.broken.values()] == ["10004.long_row", "10004.long_row", "10004.long_value"]
    assert [r["a"] for r in result.good] == ["1", "2"]


@pytest.mark.parametrize(
    "text", ["<a><b></a>", "<a>", "<a/><b/>", "<a>&nbsp;</a>", "<a b='1' b='2'/>", "<1/>", "<a>" * 5000, "<"]
)
def test_what_is_not_well_formed_is_refused_with_its_place(text):
    assert "行" in refused(text, "a.xml").what_zh


def test_a_document_that_was_cut_off_gives_no_records_at_all():
    text = "<r>" + "<i><a>1</a></i>" * 5000

    refused(text, "a.xml", chunk=10)


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><l><i><x>&b;</x></i></l>'


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        '<!DOCTYPE r SYSTEM "http://192.0.2.1/x.dtd"><r/>',
        '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r><i>&e;</i></r>',
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://192.0.2.1/x"> %p;]><r/>',
        f"<?xml version='1.0'?><!-- {'-' * 0}{'x' * 300_000} -->\n<?pi?><!doctype r><r/>",
    ],
)
def test_a_doctype_is_refused_before_the_parser_sees_it(text):
    started = time.monotonic()

    error = refused(text, "a.xml", format="xml")

    assert "DOCTYPE" in error.what_zh
    assert time.monotonic() - started < 2
    with pytest.raises(UnreadablePayload, match="DOCTYPE"):
        xml.parse(text.encode())


def test_a_doctype_in_the_middle_is_no_doctype():
    refused("<r><!DOCTYPE r><i/></r>", "a.xml")


def test_ever_new_element_names_are_refused():
    refused("<r>" + "".join(f"<e{n}/>" for n in range(20_000)) + "</r>", "a.xml")
    refused("<r>" + "".join(f"<e{n}/>" for n in range(20_000)) + "</r>", "a.xml", record="//x")


def test_an_element_with_a_million_attributes_is_answered_in_time():
    started = time.monotonic()

    result = read("<r><i " + " ".join(f'a{n}="1"' for n in range(200_000)) + "/><i/></r>", "a.xml", record="//i")

    assert [f.code for f in result.broken.values()] == ["10004.too_many_columns"]
    assert time.monotonic() - started < 20


names = st.text("abc名", min_size=1, max_size=3)
# The private-use characters that GB 18030 gave up cannot be written in it; all that took their place can.
texts = st.text(
    st.characters(exclude_categories=("Cs", "Cn", "Cc"), exclude_characters=GONE) | st.sampled_from(TEXT), max_size=8
)


@given(
    st.lists(st.dictionaries(names, texts, min_size=1, max_size=4), min_size=2, max_size=10),
    st.integers(1, 3),
    st.sampled_from(["utf-8", "gb18030", "utf-16"]),
)
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_what_is_read_and_resumes(rows, chunk, codec):
    root = etree.Element("root")
    for row in rows:
        item = etree.SubElement(root, "item")
        for name, value in row.items():
            etree.SubElement(item, name).text = value
    payload = bytes_payload("a.xml", etree.tostring(root, encoding=codec, xml_declaration=True))

    result = read(payload.data, payload.name, record="//item", chunk=chunk)

    assert [{k: v for k, v in r.items() if v} for r in result.records] == [
        {k: v for k, v in row.items() if v} for row in rows
    ]
    assert_resumes(payload, record="//item", chunk=chunk)


def test_the_door_reads_a_small_document_as_a_tree():
    root = xml.parse("<?xml version='1.0' encoding='GB2312'?><a><b>中㐂</b></a>".encode("gb18030"))

    assert root.findtext("b") == "中㐂"
    assert xml.parse("<a>中</a>".encode("utf-16")).text == "中"
    assert xml.parse(b"  \n<a/>").tag == "a"


def test_the_door_bounds_trees_and_tells_what_is_wrong():
    with pytest.raises(PayloadTooLarge):
        xml.parse(b"<a>" + b"x" * 200 + b"</a>", limit=100)
    with pytest.raises(UnreadablePayload, match="line 1, column"):
        xml.parse(b"<a>")
    with pytest.raises(UnreadablePayload):
        xml.parse(b"<a>\xff\xff</a>")
    with pytest.raises(UnreadablePayload):
        xml.parse(b"")
