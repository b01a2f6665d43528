"""Zips: members in order, files joined, and bombs refused from the directory alone."""

import io
import struct
import time
import zipfile
import zlib
from contextlib import suppress

import pytest

from adapters.formats import Join, JoinSide, bytes_payload
from adapters.formats.archive import open_member, read_directory
from standards.errors import HubError, UnreadablePayload
from standards.places import in_words
from tests.adapters.formats.reading import assert_resumes, read, refused
from tests.adapters.formats.workbooks import workbook


def zipped(files, method=zipfile.ZIP_DEFLATED):
    """A zip of names and contents."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def raw_zip(names, *, data=b"a\n1\n", flags=0, method=0, packed=None, size=None, offset=None, extra=b""):
    """A zip written by hand, so that its directory can lie."""
    body, directory, count = b"", b"", 0
    packed = data if packed is None else packed
    for name in names:
        start = len(body)
        fields = (20, flags, method, 0, 0, zlib.crc32(data), len(packed), len(data) if size is None else size)
        body += struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields, len(name), len(extra)) + name + extra + packed
        directory += struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            20,
            *fields,
            len(name),
            len(extra),
            0,
            0,
            0,
            0,
            start if offset is None else offset,
        )
        directory += name + extra
        count += 1
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


def test_members_are_read_in_the_order_of_their_names_each_by_its_format():
    data = zipped(
        {
            "c.json": '[{"x": 5}]',
            "目录/b.csv": "a\n1\n2\n".encode("gb18030"),
            "a.xlsx": workbook(["a"], ["0"]),
            "d.xml": "<r><i><a>6</a></i><i/></r>",
        }
    )

    result = read(data, "x.zip")

    assert [c.member for c in result.chunks] == ["a.xlsx", "c.json", "d.xml", "目录/b.csv"]
    assert result.places == [
        "a.xlsx|Sheet1!2",
        "c.json|#/0",
        "d.xml|/r/i[1]",
        "d.xml|/r/i[2]",
        "目录/b.csv|L2",
        "目录/b.csv|L3",
    ]
    assert in_words(result.places[0]) == "文件“a.xlsx”工作表“Sheet1”第 2 行"
    assert result.reading.format == "zip"


def test_reading_on_behind_any_chunk_gives_the_rest():
    files = {f"{n}.csv": "a,b\n" + "".join(f"{n},{i}\n" for i in range(5)) for n in range(3)}

    assert_resumes(bytes_payload("x.zip", zipped(files)), chunk=2)


def test_notes_say_in_which_file():
    result = read(zipped({"a.csv": "x,x\n1,2\n"}), "x.zip")

    assert result.note("10004.duplicate_column").place == "a.csv|L1"


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        ("处罚.csv".encode("gbk"), 0, "处罚.csv"),
        ("处罚.csv".encode(), 0x800, "处罚.csv"),
        ("处罚.csv".encode(), 0, "处罚.csv"),
        (b"..\\..\\etc\\a.csv", 0, "../../etc/a.csv"),
        (b"/etc/passwd.csv", 0, "/etc/passwd.csv"),
        (b"a\x00b\n.csv", 0, "a\ufffdb\ufffd.csv"),
    ],
)
def test_names_are_decoded_and_never_more_than_names(raw, flags, name):
    assert read(raw_zip([raw], flags=flags), "x.zip").chunks[0].member == name


def test_junk_is_passed_over_and_companions_are_noted():
    files = {"__MACOSX/._a.csv": "x", ".DS_Store": "x", "~$a.xlsx": "x", "说明.docx": "x", "盖章.pdf": "x"}

    result = read(zipped({**files, "a.csv": "a\n1\n"}), "x.zip")

    assert result.records == [{"a": "1"}]
    assert result.notes == [("10004.member_skipped", "盖章.pdf"), ("10004.member_skipped", "说明.docx")]


def test_a_zip_without_records_is_refused():
    assert "没有数据文件" in refused(zipped({"说明.docx": "x"}), "x.zip").what_zh
    assert "没有数据文件" in refused(zipped({}), "x.zip").what_zh


def test_the_fault_of_a_member_names_the_member():
    error = refused(zipped({"a.csv": "a\n1\n", "b.json": "[1,"}), "x.zip")

    assert "b.json" in error.what
    assert "b.json" in error.what_zh


def test_archives_in_the_zip_are_refused():
    inner = zipped({"a.csv": "a\n1\n"})

    assert "又有压缩包" in refused(zipped({"b.zip": inner}), "x.zip").what_zh
    assert "又有压缩包" in refused(zipped({"b.dat": inner}), "x.zip").what_zh
    assert "又有压缩包" in refused(zipped({"b.rar": b"Rar!"}), "x.zip").what_zh


def test_encrypted_members_and_unknown_methods_are_refused():
    assert "有密码" in refused(raw_zip([b"a.csv"], flags=1), "x.zip").what_zh
    assert "有密码" in refused(raw_zip([b"a.csv"], method=99), "x.zip").what_zh
    assert "压缩方法" in refused(raw_zip([b"a.csv"], method=14), "x.zip").what_zh


def test_overlapping_members_are_refused_from_the_directory():
    started = time.monotonic()

    error = refused(raw_zip([b"a.csv", b"b.csv"], offset=0), "x.zip")

    assert "重叠" in error.what_zh
    assert time.monotonic() - started < 0.5


def test_limits_are_decided_from_the_directory():
    many = raw_zip([f"{n}.csv".encode() for n in range(1001)])
    bomb = zipped({"a.csv": b"a\n" + b"1\n" * 6_000_000})

    assert "1001" in refused(many, "x.zip").what_zh
    assert "压缩比" in refused(bomb, "x.zip", max_ratio=50).what_zh
    assert "11 MB" in refused(bomb, "x.zip", max_unpacked_mb=5).what_zh
    assert "4096 MB" in refused(raw_zip([b"a.csv"], size=0xFFFF_FFF0), "x.zip").what_zh


@pytest.mark.parametrize("size", [1, 3, 5, 100])
def test_unpacking_stops_at_the_promised_size(size):
    data = b"a\n1\n"

    error = refused(raw_zip([b"a.csv"], data=data, size=size, method=8, packed=zlib.compress(data)[2:-4]), "x.zip")

    assert "损坏" in error.what_zh


def test_a_wrong_checksum_is_told():
    data = zipped({"a.csv": "a\n1\n"}, zipfile.ZIP_STORED).replace(b"a\n1\n", b"a\n2\n")

    assert "损坏" in refused(data, "x.zip").what_zh


def test_a_self_extracting_zip_and_a_comment_are_no_obstacle():
    out = io.BytesIO(b"MZ" + b"x" * 100)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.comment = "说明".encode()

    entries = read_directory(out, 10, "gbk")

    assert open_member(out, entries[0]).read() == b"a\n1\n"


def test_zip64_is_read():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a.csv", "w", force_zip64=True) as member:
        member.write(b"a\n1\n")

    assert read(out.getvalue(), "x.zip").records == [{"a": "1"}]


def test_any_damage_is_answered():
    data = zipped({"a.csv": "a,b\n" + "1,甲\n" * 200, "b.json": '[{"a": 1}]'})
    for position in range(len(data)):
        broken = data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
        with suppress(HubError):
            read(broken, "x.zip")
    for length in range(0, len(data), 7):
        with suppress(HubError):
            read(data[:length], "x.zip")


def test_several_streams_of_one_zip_do_not_disturb_each_other():
    file = io.BytesIO(zipped({"a": b"a" * 300_000, "b": b"b" * 300_000}))
    first, second = (open_member(file, entry) for entry in read_directory(file, 10, "gbk"))

    for _ in range(30):
        assert set(first.read(10_000)) == {ord("a")}
        assert set(second.read(10_000)) == {ord("b")}


FILES = {
    "data/inspections.csv": "id,date,score\n10,20140114,92\n10,20140729,94\n11,20140101,\n12,20140101,80\n",
    "data/businesses.csv": "id,name,score\n10,Tiramisu,A\n11,Café,B\n11,Other,C\n",
    "data/violations.csv": "id,date,text\n10,20140114,floor\n10,20140114,storage\n10,20140729,\n",
    "readme.txt": "nothing",
}
JOIN = Join(
    main="inspections*.csv",
    sides=(
        JoinSide(member="businesses.csv", on=("id",)),
        JoinSide(member="data/violations.csv", on=("id", "date"), many=True, prefix="v_"),
    ),
)


def test_files_are_joined_to_one_record():
    result = read(zipped(FILES), "x.zip", join=JOIN)

    assert result.records == [
        {"id": "10", "date": "20140114", "score": "92", "name": "Tiramisu", "score#2": "A", "v_text": "floor；storage"},
        {"id": "10", "date": "20140729", "score": "94", "name": "Tiramisu", "score#2": "A", "v_text": ""},
        {"id": "11", "date": "20140101", "score": "", "name": "Café", "score#2": "B", "v_text": ""},
        {"id": "12", "date": "20140101", "score": "80", "name": "", "score#2": "", "v_text": ""},
    ]
    assert result.places[0] == "data/inspections.csv|L2"
    assert result.notes == [
        ("10004.member_skipped", "readme.txt"),
        ("10004.join_doubled", "businesses.csv"),
        ("10004.join_unmatched", "businesses.csv"),
    ]
    assert result.note("10004.join_unmatched").params == {"found": "1"}
    assert_resumes(bytes_payload("x.zip", zipped(FILES)), join=JOIN, chunk=1)


def test_a_join_that_lacks_a_file_or_a_column_is_told():
    without = {k: v for k, v in FILES.items() if "violations" not in k}
    renamed = {**FILES, "data/businesses.csv": "nr,name\n10,T\n"}

    assert "data/violations.csv" in refused(zipped(without), "x.zip", join=JOIN).what
    assert "“id”" in refused(zipped(renamed), "x.zip", join=JOIN).what_zh


def test_a_single_file_where_a_zip_of_several_was_agreed_is_told():
    assert "压缩包" in refused("id,date\n1,2\n", "inspections.csv", join=JOIN).what_zh


def test_a_broken_row_of_a_side_file_is_noted():
    files = {**FILES, "data/businesses.csv": "id,name\n10,T,extra\n11,B\n"}

    result = read(zipped(files), "x.zip", join=JOIN)

    assert result.note("10004.row").place == "data/businesses.csv|L2"
    assert result.records[0]["name"] == ""


def test_a_damaged_member_header_is_told():
    data = bytearray(zipped({"a.csv": "a\n1\n"}))
    data[0:4] = b"PK\x03\x05"
    file = io.BytesIO(bytes(data))
    (entry,) = read_directory(file, 10, "gbk")

    with pytest.raises(UnreadablePayload):
        open_member(file, entry)
