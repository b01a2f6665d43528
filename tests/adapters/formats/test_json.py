"""JSON documents and NDJSON: numbers as written, nested names flattened, the whole document or nothing."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.formats import bytes_payload
from tests.adapters.formats.reading import assert_resumes, read, refused


def test_numbers_stay_as_they_were_written():
    text = '[{"a": 1.50, "b": 110105194912310021, "c": 1E5, "d": -0, "e": 0.1000000000000000000001}]'

    assert read(text).records == [
        {"a": "1.50", "b": "110105194912310021", "c": "1E5", "d": "-0", "e": "0.1000000000000000000001"}
    ]


def test_truth_values_and_null_become_text():
    assert read('[{"a": true, "b": false, "c": null, "d": ""}]').records == [
        {"a": "true", "b": "false", "c": "", "d": ""}
    ]


def test_nested_objects_become_paths_and_lists_become_text():
    text = (
        '[{"a": {"b": {"c": 1}, "d": {}}, "l": ["x", "y;z", 3], "o": [{"p": 1.0, "q": "中"}], "m": [1, [2]], "e": []}]'
    )

    assert read(text).records == [
        {
            "a/b/c": "1",
            "a/d": "",
            "l": "x;y；z;3",
            "o": '[{"p": 1.0, "q": "中"}]',
            "m": "[1, [2]]",
            "e": "",
        }
    ]


def test_a_list_of_one_keeps_its_semicolons():
    assert read('[{"a": ["x;y"]}]').records == [{"a": "x;y"}]


def test_a_field_that_a_record_lacks_is_empty():
    result = read('[{"a": 1}, {"b": 2}]')

    assert result.records == [{"a": "1", "b": ""}, {"a": "", "b": "2"}]
    assert result.places == ["#/0", "#/1"]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('{"code": 0, "data": {"total": 2, "rows": [{"a": 1}, {"a": 2}]}}', ["#/data/rows/0", "#/data/rows/1"]),
        ('{"a": 1, "b": {"c": 2}}', ["#"]),
        ('{"a": 1, "tags": ["x"]}', ["#"]),
        ('[{"a": 1}]', ["#/0"]),
        ('{"a/b": {"~c": [{"x": 1}]}}', ["#/a~1b/~0c/0"]),
        ("[]", []),
        ("null", []),
    ],
)
def test_the_records_are_found(text, places):
    assert read(text, format="json").places == places


def test_the_array_can_be_set_by_a_pointer():
    text = '{"x": [{"a": 1}], "y": {"z": [[], [{"b": 1}, {"b": 2}]]}}'

    assert read(text, record="/y/z/1").records == [{"b": "1"}, {"b": "2"}]
    assert read(text, record="#/x").records == [{"a": "1"}]
    assert read(text, record="/y/z/1/0").places == ["#/y/z/1/0"]


def test_two_arrays_of_objects_are_not_guessed_between():
    error = refused('{"x": [{"a": 1}], "y": [{"b": 1}]}')

    assert "/x、/y" in error.what_zh
    assert "/x" in (error.hint or "")


def test_a_pointer_that_leads_nowhere_is_told_with_what_there_is():
    error = refused('{"rows": [{"a": 1}]}', record="/data/rows")

    assert "/rows" in error.what


def test_what_is_no_object_is_a_broken_record_and_its_neighbours_are_read():
    result = read('[{"a": 1}, 3, [4], "x", null, {"a": 2}]')

    assert [fault.params["found"] for fault in result.broken.values()] == ["number", "array", "string", "null"]
    assert result.good == [{"a": "1"}, {"a": "2"}]


def test_a_double_name_breaks_the_record_unless_the_values_are_equal():
    result = read('[{"a": 1, "a": 2}, {"b": {"c": 1, "c": 2}}, {"a": 1, "a": 1}, {"l": [{"x": 1, "x": 2}]}]')

    assert {p: (f.code, f.params) for p, f in result.broken.items()} == {
        "#/0": ("10004.duplicate_key", {"item": "a"}),
        "#/1": ("10004.duplicate_key", {"item": "c"}),
        "#/3": ("10004.duplicate_key", {"item": "x"}),
    }


def test_lone_surrogates_and_nul_break_their_record_only():
    result = read(r'[{"a": "\ud800"}, {"a": "x\u0000y"}, {"\udc00": 1}, {"a": "\ud83d\ude00"}]')

    assert {place: fault.code for place, fault in result.broken.items()} == {
        "#/0": "10009.encoding",
        "#/1": "10004.character",
        "#/2": "10009.encoding",
    }
    assert result.good == [{"a": "\U0001f600"}]


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1}, {"b":',
        '[{"a": 1},]',
        '{"a": 1}}',
        '[{"a": NaN}]',
        '[{"a": -Infinity}]',
        "[{'a': 1}]",
        '[{"a": 01}]',
        "{",
    ],
)
def test_what_is_not_json_is_refused_with_its_place(text):
    error = refused(text, "a.json")

    assert "第 1 行" in error.what_zh


def test_the_place_of_a_mistake_is_that_in_the_whole_file():
    lines = ["["] + [f'  {{"name": "某某{n}", "number": {n}}},' for n in range(30_000)] + ['  {"name": x}', "]"]

    error = refused("\n".join(lines), "a.json")

    assert "line 30002, character 12" in error.what


def test_a_document_that_was_cut_off_gives_no_records_at_all():
    text = json.dumps([{"a": n} for n in range(5000)])

    refused(text[:-20], "a.json", chunk=10)


def test_deep_nesting_is_refused_or_breaks_its_record():
    assert "过深" in refused("[" * 100_000, "a.json").what_zh
    assert "过深" in refused('{"a":' * 100_000, "a.json").what_zh
    result = read("[" + '{"a":' * 100 + "1" + "}" * 100 + ', {"b": 1}]')
    assert [fault.code for fault in result.broken.values()] == ["10004.nested"]
    assert result.good == [{"b": "1"}]


def test_too_many_fields_break_the_record():
    result = read(json.dumps([{f"f{n}": n for n in range(1001)}, {"a": 1}]))

    assert {f.code for f in result.broken.values()} == {"10004.too_many_columns"}
    assert result.good == [{"a": "1"}]


def test_records_with_ever_new_names_are_refused_before_they_fill_the_memory():
    error = refused(json.dumps([{f"f{n}": 1} for n in range(20_000)]))

    assert "字段名过多" in error.what_zh


def test_a_long_value_breaks_its_record():
    result = read(json.dumps([{"a": "x" * 2000}, {"a": "y"}]), max_value=1000)

    assert result.broken["#/0"].code == "10004.long_value"


def test_a_gb18030_document_is_read():
    text = json.dumps([{"名称": "某某有限公司"}], ensure_ascii=False)

    assert read(text.encode("gb18030")).records == [{"名称": "某某有限公司"}]


def test_a_damaged_character_breaks_its_record_only():
    rows = [json.dumps({"名称": f"某某有限公司{n}"}, ensure_ascii=False).encode() for n in range(10)]
    rows[3] = rows[3].replace("公".encode(), "公".encode()[:2])

    result = read(b"[" + b",".join(rows) + b"]")

    assert {p: f.code for p, f in result.broken.items()} == {"#/3": "10009.encoding"}
    assert {p: f.code for p, f in read(b"\n".join(rows), "a.ndjson").broken.items()} == {"L4": "10009.encoding"}


def test_ndjson_is_found_by_its_lines():
    result = read('{"a": 1}\n\n{"a": 2}\r\n{"a": 3}')

    assert result.reading.format == "ndjson"
    assert result.places == ["L1", "L3", "L4"]
    assert [record["a"] for record in result.records] == ["1", "2", "3"]


def test_a_bad_line_of_ndjson_is_one_broken_record():
    result = read('{"a": 1}\n{"a": \n[1]\n{"a": 1} x\n{"a": 4}\n', "a.ndjson")

    assert {p: f.code for p, f in result.broken.items()} == {
        "L2": "10004.json_line",
        "L3": "10004.record",
        "L4": "10004.json_line",
    }
    assert result.good == [{"a": "1"}, {"a": "4"}]


def test_ndjson_offsets_are_those_of_the_raw_bytes():
    data = b"".join(json.dumps({"n": n, "名": "某"}, ensure_ascii=False).encode("gb18030") + b"\n" for n in range(20))

    for chunk in read(data, "a.jsonl", chunk=6).chunks:
        assert chunk.raw_offset is not None
        assert data[chunk.raw_offset :].startswith(f'{{"n": {chunk.columns["n"][0]},'.encode())


values = st.one_of(
    st.text(st.characters(exclude_categories=("Cs", "Cn"), exclude_characters="\0")),
    st.integers().map(str),
    st.sampled_from(["", "true", "中文"]),
)
records = st.lists(
    st.dictionaries(st.text("abc甲乙", min_size=1, max_size=2), values, min_size=1, max_size=5), max_size=15
)


@given(records, st.booleans(), st.integers(1, 4), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
@settings(max_examples=200, deadline=None)
def test_what_is_written_is_what_is_read_and_resumes(rows, lines, chunk, codec):
    if lines:
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    else:
        text = json.dumps(rows, ensure_ascii=False)
    if not text:
        return
    payload = bytes_payload("a.ndjson" if lines else "a.json", text.encode(codec))
    encoding = "gb18030" if codec == "gb18030" else "auto"

    result = read(payload.data, payload.name, encoding=encoding, chunk=chunk)

    assert [{k: v for k, v in r.items() if v} for r in result.records] == [
        {k: v for k, v in row.items() if v} for row in rows
    ]
    assert_resumes(payload, encoding=encoding, chunk=chunk)
