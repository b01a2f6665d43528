"""Workbooks: what a damaged or hostile one cannot do."""

import io
import time
import zipfile
from contextlib import suppress

import pytest

from adapters.formats import ReadOptions, bytes_payload, open_records, workbook_process
from standards.errors import HubError
from tests.adapters.formats.reading import read, refused
from tests.adapters.formats.workbooks import minimal_xlsx, workbook

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def test_one_cell_at_the_far_end_is_refused_and_harms_nobody():
    xml = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'

    error = refused(minimal_xlsx(xml), "a.xlsx")

    assert "Ctrl+End" in (error.hint_zh or "")


def test_a_workbook_that_takes_too_much_memory_is_refused():
    xml = "".join(f'<row r="{n}"><c r="{"ABCDEFGHIJ"[n % 10]}{n}"><v>1</v></c></row>' for n in range(1, 200_000))

    assert "内存" in refused(minimal_xlsx(xml), "a.xlsx", max_workbook_mb=40).what_zh


def test_a_sheet_larger_than_allowed_is_refused_from_the_directory():
    data = minimal_xlsx("<row><c><v>1</v></c></row>" * 100_000)

    assert "sheet1.xml" in refused(data, "a.xlsx", max_sheet_mb=1).what


def test_entities_in_a_sheet_are_refused():
    data = minimal_xlsx("")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name.endswith("sheet1.xml"):
                text = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + (
                    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
                    b'<row><c t="str"><v>&b;</v></c></row></sheetData></worksheet>'
                )
            new.writestr(name, text)

    error = refused(out.getvalue(), "a.xlsx")

    assert "无法读取" in error.what_zh


def test_workbooks_with_a_password_are_told():
    assert (
        "有密码" in refused(OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600, "a.xlsx").what_zh
    )


@pytest.mark.parametrize("data", [OLE + b"\0" * 2000, OLE, b"PK\x03\x04" + b"\0" * 100, b"text"])
def test_what_is_no_workbook_is_told(data):
    refused(data, "a.xlsx", format="workbook")


def test_a_truncated_workbook_is_told():
    data = workbook(["a"], ["1"])

    for length in (30, 100, len(data) // 2, len(data) - 10):
        refused(data[:length], "a.xlsx")


def test_any_damage_is_answered():
    data = bytearray(workbook(["a", "b"], *([n, f"甲{n}"] for n in range(50))))
    started = time.monotonic()
    for position in range(0, len(data), max(1, len(data) // 25)):
        broken = bytes(data[:position]) + bytes([data[position] ^ 0xFF]) + bytes(data[position + 1 :])
        with suppress(HubError):
            read(broken, "a.xlsx")
    assert time.monotonic() - started < 60


def test_a_repeated_ods_bomb_is_refused():
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        '<table:table table:name="t"><table:table-row table:number-rows-repeated="1048576">'
        '<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p>'
        "</table:table-cell></table:table-row></table:table></office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")

    refused(out.getvalue(), "a.ods")


def test_secrets_of_the_environment_do_not_reach_the_child(monkeypatch):
    monkeypatch.setenv("HUB_SECRET", "x")
    seen = {}
    popen = workbook_process.subprocess.Popen

    def watch(*args, **kwargs):
        seen.update(kwargs["env"])
        return popen(*args, **kwargs)

    monkeypatch.setattr(workbook_process.subprocess, "Popen", watch)
    read(workbook(["a"], ["1"]), "a.xlsx")

    assert "HUB_SECRET" not in seen


@pytest.mark.parametrize(
    ("program", "word"),
    [
        (r"import sys; sys.stdout.buffer.write(b'\xff\xff\xff\xff')", "无法读取"),
        (r"import sys; sys.stdout.buffer.write(b'\0\0\0\xffabc')", "无法读取"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "内存"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "秒内未能读完"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "无法读取"),
    ],
)
def test_however_the_child_ends_the_sender_is_answered(program, word, tmp_path, monkeypatch):
    child = tmp_path / "child.py"
    child.write_text(program)
    monkeypatch.setattr("adapters.formats.workbook_process._CHILD", child)

    assert word in refused(workbook(["a"], ["1"]), "a.xlsx").what_zh


def test_the_child_ends_when_nobody_wants_its_rows_any_more(monkeypatch):
    made = []
    popen = workbook_process.subprocess.Popen

    def watch(*args, **kwargs):
        made.append(popen(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(workbook_process.subprocess, "Popen", watch)
    rows = [["a"], *([f"甲{n}"] for n in range(5000))]
    _, chunks = open_records(bytes_payload("a.xlsx", workbook(*rows)), ReadOptions(chunk=10))
    next(chunks)

    chunks.close()

    assert [process.returncode is not None for process in made] == [True]
