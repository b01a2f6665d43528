"""Every file of the shared corpora is read or refused, in bounded time; nothing escapes."""

import json
import socket
import subprocess
import time

import pytest

from adapters.formats import Join, JoinSide, bytes_payload, file_payload
from standards.errors import BadRecord
from tests.adapters.formats.reading import assert_helpful, read_payload, refused
from tests.adapters.formats.test_zip import zipped
from tests.shared_data import shared, shared_folder


def names(folder, pattern="*"):
    """Files of a shared folder; one name that will skip where there are no shared data."""
    root = shared_folder()
    if root is None:
        return [f"{folder}/?"]
    return sorted(str(p.relative_to(root)) for p in (root / folder).rglob(pattern) if p.is_file())


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def connect(*_):
        raise AssertionError("a reader opened a connection")

    monkeypatch.setattr(socket.socket, "connect", connect)


def answered(name, **options):
    """The records of a shared file, or the error it is refused with; quickly."""
    path = shared(name)
    started = time.monotonic()
    try:
        result = read_payload(file_payload(path), **options)
    except BadRecord as error:
        assert_helpful(error)
        result = error
    assert time.monotonic() - started < 20
    return result


@pytest.mark.parametrize(
    "name", [n for folder in ("hostile", "encoding", "amqp", "soap", "codes", "crypto") for n in names(folder)]
)
def test_every_file_is_read_or_refused(name):
    answered(name)


@pytest.mark.parametrize("name", names("hostile/json_test_suite", "y_*.json"))
def test_what_must_parse_parses(name):
    assert not isinstance(answered(name, format="json"), BadRecord)


@pytest.mark.parametrize("name", names("hostile/json_test_suite", "n_*.json"))
def test_what_must_not_parse_is_refused(name):
    refused(file_payload(shared(name)), format="json")


@pytest.mark.parametrize("name", names("hostile/json_test_suite"))
def test_as_ndjson_a_bad_line_is_one_broken_record(name):
    answered(name, format="ndjson")


@pytest.mark.parametrize("name", names("hostile/csv_spectrum/csvs", "*.csv"))
def test_csv_is_read_as_its_authors_expect(name):
    result = read_payload(file_payload(shared(name)))

    expected = json.loads(shared(name.replace("csvs/", "json/").replace(".csv", ".json")).read_text("utf-8"))
    expected = expected if isinstance(expected, list) else [expected]
    if name.endswith("location_coordinates.csv"):
        # The two files of the corpus name different telephone numbers.
        expected[0]["Contact Phone Number"] = "2095257564"
    assert result.records == expected


@pytest.mark.parametrize("name", names("hostile/xml"))
def test_xml_attacks_are_refused_and_plain_documents_read(name):
    result = answered(name)

    plain = name.rpartition("/")[2].startswith("simple")
    assert isinstance(result, BadRecord) != plain


@pytest.mark.parametrize("name", names("encoding", "GB2312_[a-z]*.xml"))
def test_real_gb2312_feeds_are_read(name):
    result = answered(name)

    assert not isinstance(result, BadRecord)
    assert result.reading.encoding == "gb18030"
    assert len(result.records) >= 8


def test_the_zip_bomb_is_refused_from_its_directory_in_milliseconds():
    path = shared("hostile/zip/zbsm_overlap_546GB_DO_NOT_EXTRACT.zip")
    started = time.monotonic()

    error = refused(file_payload(path))

    assert "重叠" in error.what_zh
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("hostile/excel/1904DateWindowing.xls", 0),
        ("hostile/excel/DateFormatTests.xlsx", 3),
        ("hostile/excel/DateFormats.xls", 4),
        ("hostile/excel/chinese-provinces.xls", 3),
        ("hostile/excel/unicodeNameRecord.xls", 3),
    ],
)
def test_odd_workbooks_are_read(name, count):
    assert len(read_payload(file_payload(shared(name))).records) == count


def test_the_dates_of_old_workbooks_are_right():
    result = read_payload(file_payload(shared("hostile/excel/1904DateWindowing.xls")), header=("a", "b"))

    assert result.records == [{"a": "2000-01-01", "b": "2000-01-01"}]


def test_a_password_and_a_bomb_in_a_workbook_are_told():
    assert "有密码" in refused(file_payload(shared("hostile/excel/password.xls"))).what_zh
    assert "无法读取" in refused(file_payload(shared("hostile/excel/poc-xmlbomb.xlsx"))).what_zh


@pytest.mark.parametrize(
    ("name", "records", "first_field"),
    [
        ("iot/beijing_pm25_hourly_first3000.csv", 3000, "No"),
        ("complaint_cn/messages_labelled_ghost_rows.xlsx", 495, "留言编号"),
        ("complaint_cn/messages_votes_mixed_dates.xlsx", 4326, "留言编号"),
        ("penalty_cn/env_key_enterprises_2017.xlsx", 171, "时间"),
        ("penalty_cn/dishonest_ecommerce_91855.xlsx", 500, "企业名称"),
        ("penalty_cn/drug_sampling_failed_114802.xlsx", 39, "药品品名"),
        ("penalty_cn/finance_dishonest_orgs_ocr_93512_4.masked.xlsx", 144, "序号"),
        ("licence_cn/nmpa_cosmetics_licence_detail.masked.json", 60, "businessLicenseNumber"),
        ("enterprise_cn/registry_2018_hunan_first1500.masked.csv", 1500, "企业名称"),
        ("enterprise_cn/registry_2005_guangdong_first1500.masked.csv", 1500, "企业名称"),
        ("enterprise_cn/registry_1985_guizhou.masked.csv", 85, "企业名称"),
        ("inspection_foreign/FHRS336en-GB.xml", 113, "FHRSID"),
        ("inspection_foreign/FHRS648en-GB.xml", 7, "FHRSID"),
        ("inspection_foreign/fhrs_api_cases/establishments_valid.xml", 3, "FHRSID"),
        ("inspection_foreign/fhrs_api_cases/establishments_null_name.xml", 1, "FHRSID"),
        ("codes/enterprise_type_codes.csv", 283, "comp_type"),
    ],
)
def test_real_files_are_read_whole_without_any_setting(name, records, first_field):
    result = read_payload(file_payload(shared(name)))

    assert len(result.records) == records
    assert result.fields[0] == first_field
    assert result.broken == {}


def test_the_header_of_an_ocr_table_is_put_together():
    result = read_payload(file_payload(shared("penalty_cn/finance_dishonest_orgs_ocr_93512_4.masked.xlsx")))

    assert "统一社会信用代码" in result.fields
    assert "法定代表人" in result.fields


def test_three_files_of_san_francisco_are_joined():
    parts = {
        f"sf_{n}.csv": shared(f"inspection_foreign/sf_{n}.csv").read_bytes()
        for n in (
            "businesses_first1200_plus_nonascii.masked",
            "inspections_for_those_businesses",
            "violations_for_those_businesses",
        )
    }
    join = Join(
        main="sf_inspections*",
        sides=(
            JoinSide(member="sf_businesses*", on=("business_id",), prefix="business_"),
            JoinSide(member="sf_violations*", on=("business_id", "date"), many=True),
        ),
    )

    result = read_payload(bytes_payload("sf.zip", zipped(parts)), join=join, encoding="iso-8859-1")

    assert len(result.records) == 6166
    assert result.records[3]["business_name"] == "Tiramisu Kitchen"
    assert result.records[3]["description"].count("；") == 2
    assert result.broken == {}


def test_no_child_is_left_behind(monkeypatch):
    made = []
    popen = subprocess.Popen

    def watch(*args, **kwargs):
        made.append(popen(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr("adapters.formats.workbook_process.subprocess.Popen", watch)
    for name in names("hostile/excel"):
        answered(name)

    assert all(process.returncode is not None for process in made)
