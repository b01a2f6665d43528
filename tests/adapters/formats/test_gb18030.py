"""The characters that newer editions of GB 18030 gave a place in Unicode arrive as themselves in every format."""

from __future__ import annotations

import io

import pytest

from adapters.formats import lines as lines_module
from adapters.formats.archive import read_directory
from adapters.formats.encoding import Decoding, text_blocks
from adapters.formats.lines import Batch, Lines
from adapters.formats.payload import bytes_payload
from standards import xml
from tests.adapters.formats.reading import Read, read
from tests.adapters.formats.test_zip import raw_zip
from tests.standards.gb_codes import BYTES, CODES, TEXT

COMMON = "大同市云冈区环保科技有限公司".encode("gbk")
GB = Decoding("gb18030", "given")
#: Name of the file -> the bytes around the values of one column of text.
FORMATS = {
    "a.csv": ("名称,号\n".encode("gbk"), b"%s,1\n", b""),
    "a.tsv": ("名称\t号\n".encode("gbk"), b"%s\t1\n", b""),
    "a.ndjson": (b"", '{"名称": "%s", "号": 1}\n'.encode("gbk"), b""),
    "a.json": ('{"记录": ['.encode("gbk"), '{"名称": "%s", "号": "1"},'.encode("gbk"), b"{}]}"),
    "a.xml": (b'<?xml version="1.0" encoding="GBK"?><r>', "<i><名称>%s</名称><号>1</号></i>".encode("gbk"), b"</r>"),
    "undeclared.xml": (b"<r>", "<i><名称>%s</名称><号>1</号></i>".encode("gbk"), b"</r>"),
    "a.xls": ("<html><table><tr><td>名称<td>号".encode("gbk"), b"<tr><td>%s<td>1", b"</table></html>"),
}


def of(name: str, values: list[bytes]) -> Read:
    head, each, tail = FORMATS[name]
    return read(head + b"".join(each.replace(b"%s", value) for value in values) + tail, name)


def names_of(result: Read) -> list[str]:
    assert not result.broken
    return [record["名称"] for record in result.records if record.get("号")]


@pytest.mark.parametrize("name", FORMATS)
def test_every_code_arrives_as_its_character(name: str) -> None:
    result = of(name, [COMMON + code + b"1" for code, _ in CODES])

    assert names_of(result) == [f"{COMMON.decode('gbk')}{character}1" for _, character in CODES]
    assert result.reading.encoding == "gb18030"


@pytest.mark.parametrize("name", FORMATS)
def test_the_checker_is_asked_to_look_only_when_a_private_character_is_left(name: str) -> None:
    assert all(chunk.clean for chunk in of(name, [COMMON + BYTES, "䶮𠮷".encode("gb18030"), COMMON]).chunks)
    assert not all(chunk.clean for chunk in of(name, [COMMON, COMMON + b"\xaa\xa1"]).chunks)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_users_own_character_stays_in_every_encoding_and_the_checker_looks(codec: str) -> None:
    result = read("名称,号\n王\ue863,1\n李\uf8ff,2\n".encode(codec), "a.csv")

    assert [record["名称"] for record in result.records] == ["王\ue863", "李\uf8ff"]
    assert not result.chunks[0].clean


@pytest.mark.parametrize("block", [1, 2, 3, 5, 7])
def test_a_character_may_lie_across_two_blocks(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"".join(COMMON[:4] + code + b"\n" + "𠮷\n".encode("gb18030") for code, _ in CODES)
    text = "".join(f"大同{character}\n𠮷\n" for _, character in CODES)
    monkeypatch.setattr(lines_module, "_BLOCK", block)

    assert "".join(text_blocks(bytes_payload("a", data), GB, block)) == text
    assert "".join(line for batch in batches(data) for line in batch.texts) == text


def batches(data: bytes) -> list[Batch]:
    lines = Lines(io.BytesIO(data), GB, 1000)
    return list(iter(lambda: lines.read(10), None))


def test_damage_beside_a_rare_character_breaks_its_own_line_only() -> None:
    lines = [COMMON + b",1"] * 30
    lines[10] = b"\xfe\x59" + COMMON + b",2"
    lines[20] = COMMON + b"\xff,3"

    result = read("名称,号\n".encode("gbk") + b"\n".join(lines), "a.csv", encoding="gb18030")

    assert {place: fault.code for place, fault in result.broken.items()} == {"L22": "10009.encoding"}
    assert result.records[10]["名称"] == "龴" + COMMON.decode("gbk")


def test_lengths_of_lines_are_those_of_the_raw_bytes() -> None:
    (batch,) = batches(b"\xfe\x51,1\n\xaa\xa1\n")

    assert (batch.texts, batch.lengths, batch.private) == (["\U00020087,1\n", "\ue000\n"], [5, 3], True)


@pytest.mark.parametrize("name_encoding", ["gbk", "GB18030", "cp936"])
def test_names_in_a_zip_are_read_as_well(name_encoding: str) -> None:
    (entry,) = read_directory(io.BytesIO(raw_zip([BYTES + b".csv"])), 10, name_encoding)

    assert entry.name == f"{TEXT}.csv"


def test_a_small_document_is_read_as_well() -> None:
    assert xml.parse(b"<?xml version='1.0' encoding='GB2312'?><a>" + BYTES + b"</a>").text == TEXT
    assert xml.parse(b"<a>" + BYTES + b"</a>").text == TEXT
