"""What a payload is: bytes first, name second."""

import io
import zipfile

import pytest

from adapters.formats import ReadOptions, bytes_payload
from adapters.formats.detect import detect
from tests.adapters.formats.reading import read, refused
from tests.adapters.formats.test_zip import zipped
from tests.adapters.formats.workbooks import workbook


@pytest.mark.parametrize(
    ("data", "name", "found"),
    [
        (b"a,b\n1,2\n", "a.csv", "csv"),
        (b"a,b\n1,2\n", "a.xls", "csv"),
        (b"a,b\n1,2\n", "", "csv"),
        (b"[1]", "a.txt", "csv"),
        (b"[1]", "", "json"),
        (b' \n{"a":1}', "a.dat", "json"),
        (b'{"a":1}\n{"a":2}\n', "", "ndjson"),
        (b'{"a":1}\n{"a":2}\n', "a.json", "json"),
        (b'{"a":1}\n', "a.jsonl", "ndjson"),
        (b"x", "a.json", "json"),
        (b"<?xml version='1.0'?><r/>", "a.csv", "xml"),
        (b"\xef\xbb\xbf<r/>", "", "xml"),
        ("<r/>".encode("utf-16"), "", "xml"),
        ('[{"a":1}]'.encode("utf-16"), "", "json"),
        (b"<!-- x --><HTML><body>", "a.xls", "html"),
        (b"<table><tr>", "a.xls", "html"),
        (workbook(["a"]), "a.csv", "workbook"),
        (zipped({"a.csv": "a"}), "a.xlsx", "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls", "workbook"),
    ],
)
def test_the_format_is_found(data, name, found):
    assert detect(bytes_payload(name, data), ReadOptions()) == found


def test_the_content_type_helps_where_bytes_and_name_say_nothing():
    payload = bytes_payload("", b'"x"', "application/json; charset=utf-8")

    assert detect(payload, ReadOptions()) == "json"


@pytest.mark.parametrize("data", [b"", b"  \r\n\t", b"\xef\xbb\xbf", b"\xff\xfe", b"\0\0\0"])
@pytest.mark.parametrize("options", [{}, {"format": "csv"}, {"format": "xml"}, {"format": "workbook"}])
def test_nothing_is_refused(data, options):
    assert "空" in refused(data, "a.csv", **options).what_zh


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.4 ...",
        b"\x89PNG\r\n",
        b"Rar!\x1a\x07",
        b"7z\xbc\xaf\x27\x1c",
        b"\x1f\x8b\x08\0",
        b"SQLite format 3\0",
        bytes(range(1, 9)) * 100,
        zipped({"[Content_Types].xml": "<x/>", "word/document.xml": "<x/>"}),
    ],
)
def test_what_holds_no_records_is_refused_by_its_name(data):
    refused(data, "a.dat")


def test_a_workbook_where_csv_was_agreed_is_told():
    assert "Excel" in refused(workbook(["a"], ["1"]), "a.csv", format="csv").what_zh


def test_a_zip_where_a_workbook_was_agreed_is_read():
    assert read(zipped({"a.xlsx": workbook(["a"], ["1"])}), "a.zip", format="workbook").records == [{"a": "1"}]


def test_a_damaged_zip_is_told():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", "a")

    assert "损坏" in refused(out.getvalue()[:-30], "a.zip").what_zh
