"""However large and however strange: memory stays flat, and an answer comes in time.  Each in a process of its own."""

import json
import subprocess
import sys

import pytest

from tests.shared_data import REPOSITORY


def run(name, megabytes):
    """What came of reading a payload that is made while it is read."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.adapters.formats.big_streams", name, str(megabytes)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_csv_of_300_megabytes_takes_less_than_60_megabytes_of_memory():
    result = run("csv", 300)

    assert result["mb"] >= 290
    assert result["count"] > 1_000_000
    assert result["broken"] == 0
    assert result["grown_mb"] < 60


@pytest.mark.parametrize(("name", "megabytes"), [("ndjson", 60), ("json", 60), ("json_inner", 40), ("xml", 60)])
def test_other_formats_stream_as_flatly(name, megabytes):
    result = run(name, megabytes)

    assert result["count"] > 40_000
    assert result["broken"] == 0
    assert result["grown_mb"] < 60


@pytest.mark.parametrize(
    ("name", "megabytes", "word"),
    [
        ("csv_no_line_at_all", 100, "过长"),
        ("csv_million_column_header", 100, "列数过多"),
        ("csv_million_columns", 100, "列数过多"),
        ("csv_quotes", 100, "引号不配对"),
        ("json_string", 200, "超过"),
        ("json_one_record", 100, "超过"),
        ("json_digits", 100, "超过"),
        ("json_brackets", 100, "过深"),
        ("xml_comment", 100, "XML"),
        ("xml_prolog", 100, "没有任何元素"),
        ("xml_attribute", 100, "XML"),
        ("xml_name", 100, "XML"),
        ("html", 100, "网页"),
    ],
)
def test_what_cannot_be_read_is_refused_in_bounded_memory_and_time(name, megabytes, word):
    result = run(name, megabytes)

    assert word in result["error"]
    assert result["grown_mb"] < 60
    assert result["seconds"] < 20


@pytest.mark.parametrize(
    ("name", "megabytes", "broken"),
    [
        ("csv_one_line", 100, 1),
        ("csv_returns", 100, 1),
        ("csv_unclosed_quote", 20, 1),
        ("csv_empty_lines", 10, 0),
        ("csv_multiline", 20, 0),
        ("csv_ragged", 20, 0),
        ("nul", 100, 1),
        ("json_blanks", 100, 0),
        ("xml_text", 100, 1),
        ("xml_one_record", 50, 1),
        ("xml_groups", 20, 0),
        ("html", 10, 0),
    ],
)
def test_what_is_strange_is_read_in_bounded_memory_and_time(name, megabytes, broken):
    result = run(name, megabytes)

    assert result["error"] == ""
    assert result["broken"] == broken
    assert result["grown_mb"] < 60
    assert result["seconds"] < 60


def test_an_object_with_millions_of_names_is_bounded_by_the_largest_record():
    result = run("json_names", 30)

    assert "超过" in result["error"]
    assert result["grown_mb"] < 200


@pytest.mark.full
def test_a_csv_of_two_gigabytes_takes_no_more_memory():
    result = run("csv", 2048)

    assert result["count"] > 7_000_000
    assert result["grown_mb"] < 60
