"""CSV: laws over generated tables."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.formats import bytes_payload
from standards.errors import HubError
from tests.adapters.formats.reading import assert_resumes, read, read_payload

# No NUL, no surrogates, no noncharacters, no lone carriage returns (the writer does not quote these everywhere).
characters = st.characters(exclude_categories=("Cs", "Cn"), exclude_characters="\0\r\ufeff\x1a")
# What the reader takes off on purpose is tested elsewhere.
values = st.text(characters, max_size=12).filter(lambda v: not v.startswith(("=", "'")))


@st.composite
def tables(draw):
    width = draw(st.integers(2, 6))
    rows = draw(
        st.lists(
            st.lists(values, min_size=width, max_size=width).filter(lambda r: any(v.strip(" \t\u3000") for v in r)),
            max_size=12,
        )
    )
    return [f"字段{n}" for n in range(width)], rows


def written(header, rows, delimiter=",", newline="\r\n"):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL)
    writer.writerows([header, *rows])
    return out.getvalue()


@given(
    tables(),
    st.sampled_from([",", "\t", ";", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=300, deadline=None)
def test_what_is_written_is_what_is_read(table, delimiter, codec, newline):
    header, rows = table

    result = read(
        written(header, rows, delimiter, newline).encode(codec),
        "a.csv",
        delimiter=delimiter,
        encoding="gb18030" if codec == "gb18030" else "auto",
    )

    assert result.records == [dict(zip(header, row, strict=True)) for row in rows]
    assert result.broken == {}


@given(tables(), st.integers(1, 5), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
@settings(max_examples=150, deadline=None)
def test_reading_on_behind_any_chunk_gives_the_rest(table, chunk, codec):
    header, rows = table
    payload = bytes_payload("a.csv", written(header, rows).encode(codec))

    assert_resumes(payload, chunk=chunk, encoding="gb18030" if codec == "gb18030" else "auto")


@given(
    st.lists(st.sampled_from(["1", ",", '"', "\n", "\r\n", "\r", "a", '""', "中", "\0", "x,y\n", '="0"']), max_size=60),
    st.integers(1, 4),
)
@settings(max_examples=500, deadline=None)
def test_any_arrangement_of_signs_is_read_or_refused_and_resumes(signs, chunk):
    payload = bytes_payload("a.csv", ("h1,h2\n" + "".join(signs)).encode())

    try:
        read_payload(payload, chunk=chunk)
    except HubError:
        return
    if chunk > 1:
        assert_resumes(payload, chunk=chunk)


@given(st.binary(max_size=300))
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_read_or_refused(data):
    for name in ("a.csv", "a.json", "a.ndjson", "a.xml", "a.html", ""):
        try:
            read(data, name)
        except HubError:
            continue


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_faulty_rows_resume_like_good_ones(chunk):
    rows = ["a,b,c"]
    for n in range(60):
        rows.append({5: '5,"open,x', 9: "9", 13: "13,1,2,3", 17: "", 21: '"2\n1",x,y', 30: "30,1"}.get(n, f"{n},甲,乙"))

    assert_resumes(bytes_payload("a.csv", "\n".join(rows).encode("gb18030")), chunk=chunk)
