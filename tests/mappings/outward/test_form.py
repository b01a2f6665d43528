"""A form makes rows and messages; what it cannot hold is refused for its record alone; its mistakes are all told."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.simulators.unpacking import rows_in
from mappings.load import MappingFolders
from mappings.outward import OutFile, OutForm, Unfit, Words, body, lint_form, load_form, read_form
from mappings.outward.load import form_names
from standards.clock import SHANGHAI
from standards.errors import BadConfiguration, UnknownName
from standards.registry import built_in
from tests.standards.gb_codes import DOUBLED, SWAPPED, TEXT

WORDS = Words(count=1, moment=datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI), sender="S", receiver="R", batch="B")


def form(columns: dict[str, object], **more: object) -> OutForm:
    return OutForm.of(
        "t/x", OutFile.model_validate({"form": "x", "dataset": "punish_action", "columns": columns, **more})
    )


@pytest.mark.parametrize(
    ("spec", "values", "expected"),
    [
        ("a", {"a": "x"}, "x"),
        ({"const": "1"}, {}, "1"),
        ({"first": ["a", "b"]}, {"b": "y"}, "y"),
        ({"join": ["a", "b"], "with": "-"}, {"a": "x", "b": "y"}, "x-y"),
        ({"from": "a", "with": ","}, {"a": "01;02"}, "01,02"),
        ({"from": "a", "codes": "c"}, {"a": "01;02"}, "警告;罚款"),
        ({"from": "a", "codes": "c", "unknown": "keep"}, {"a": "99"}, "99"),
        ({"from": "a", "codes": "c", "unknown": "empty", "default": "无"}, {"a": "99"}, "无"),
        ({"from": "a", "date": "%Y/%m/%d"}, {"a": "2026-03-05"}, "2026/03/05"),
        ({"from": "a", "date": "%Y%m%d%H%M%S"}, {"a": "2026-03-05 10:11:12"}, "20260305101112"),
        ({"from": "a", "date": "%Y/%m/%d", "open_end": "长期"}, {"a": "2099-12-31"}, "长期"),
        ({"from": "a", "unit": "元", "to": "万元", "places": 6}, {"a": "2000"}, "0.200000"),
        ({"from": "a", "unit": "元", "to": "万元"}, {"a": "125000.00"}, "12.5"),
        ({"from": "a", "default": "/"}, {}, "/"),
    ],
)
def test_a_column(spec: object, values: dict[str, str], expected: str) -> None:
    made = form({"X": spec}, crosswalks={"c": {"01": "警告", "02": "罚款"}})
    assert made.row(values) == {"X": expected}


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ({"from": "a", "codes": "c"}, "99"),
        ({"from": "a", "date": "%Y"}, "soon"),
        ({"from": "a", "unit": "元", "to": "万元"}, "much"),
        ({"from": "a", "max": 2}, "abc"),
    ],
)
def test_what_does_not_fit_is_refused_and_never_cut(spec: object, value: str) -> None:
    with pytest.raises(Unfit) as caught:
        form({"X": spec}, crosswalks={"c": {}}).row({"a": value})
    assert caught.value.element == "a"
    assert caught.value.zh


def test_names_with_slashes_stand_inside_each_other() -> None:
    made = form({"head/no": "a", "head/name": "b", "c": "c"}, wire={"rows": "xml", "row": "r"})
    row = made.row({"a": "1", "b": "<二>", "c": "3"})
    assert row == {"head": {"no": "1", "name": "<二>"}, "c": "3"}
    assert (
        body([row], made.file.wire, WORDS).decode() == "<r><head><no>1</no><name>&lt;二&gt;</name></head><c>3</c></r>"
    )


def test_a_removal_that_the_form_cannot_tell_goes_to_a_person() -> None:
    with pytest.raises(Unfit):
        form({"X": "a"}).row({"a": "1", "cd_operation": "d"})
    told = form({"X": "a", "op": {"from": "cd_operation", "codes": "c"}}, crosswalks={"c": {"d": "3", "i": "1"}})
    assert told.row({"a": "1", "cd_operation": "d"}) == {"X": "1", "op": "3"}


def test_envelopes() -> None:
    made = form(
        {"a": "a"},
        wire={
            "rows": "json",
            "wrap": '{"from":"{sender}","rows":[{rows}]}',
            "pack": "base64",
            "envelope": "<m><to>{receiver}</to><d>{date}</d><data>{body}</data></m>",
        },
    )
    said = body([made.row({"a": "一"})], made.file.wire, WORDS).decode()
    assert said.startswith("<m><to>R</to><d>2026-11-23</d><data>")
    inner = base64.b64decode(said.partition("<data>")[2].removesuffix("</data></m>"))
    assert json.loads(inner) == {"from": "S", "rows": [{"a": "一"}]}


@given(
    values=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn")), max_size=30),
        min_size=1,
        max_size=4,
    ),
    rows=st.sampled_from(["xml", "json", "ndjson", "csv"]),
    pack=st.sampled_from(["none", "base64", "escape"]),
)
def test_what_is_written_can_be_read_back(values: list[str], rows: str, pack: str) -> None:
    made = form(
        {"a": "a", "b": {"const": "x"}}, wire={"rows": rows, "pack": pack, "envelope": "<e n='{count}'>{body}</e>"}
    )
    written = [made.row({"a": value}) for value in values]
    assert rows_in(body(written, made.file.wire, WORDS), made.file.wire) == written


@pytest.mark.parametrize("rows", ["xml", "json", "ndjson", "csv"])
@pytest.mark.parametrize("pack", ["none", "base64", "escape"])
def test_a_message_in_gb18030_has_the_bytes_of_the_newest_edition(rows: str, pack: str) -> None:
    made = form({"a": "a"}, wire={"rows": rows, "row": "r", "pack": pack, "encoding": "gb18030"})
    row = made.row({"a": TEXT})

    written = body([row], made.file.wire, WORDS)

    if pack != "base64" and rows not in ("json", "ndjson"):
        assert b"".join(code for code, _, _ in SWAPPED) + b"".join(long for _, _, long in DOUBLED) in written
    assert rows_in(written, made.file.wire) == [row]


def test_every_mistake_is_told_with_line_and_near_name(tmp_path: Path) -> None:
    path = tmp_path / "x.out.yaml"
    path.write_text(
        "form: x\ndataset: credit_penalty\nkey: [CF_WHS]\ncolumns:\n  CF_WSH: cf_whs\n"
        "  CF_LB: {from: cf_cflb, codes: 种类}\ncrosswalks:\n  别的: {}\nomit: [cf_xdr*]\n"
        "answer: {read: xml, lines: a/b}\n",
        "utf-8",
    )
    standard = built_in()
    told = [str(p) for p in lint_form(read_form("t/x", path), standard.dataset("credit_penalty"), standard.common)]
    assert "x.out.yaml:5: credit_penalty has no element cf_whs (did you mean cf_wsh?)" in told
    assert any("no crosswalk 种类" in t for t in told)
    assert any("别的 is not used" in t for t in told)
    assert any("no column CF_WHS (did you mean CF_WSH?)" in t for t in told)
    assert any("cf_sy is neither a column nor left out" in t for t in told)
    assert any("a line must name its row" in t for t in told)


def test_a_word_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.out.yaml"
    path.write_text("form: x\ndataset: credit_penalty\ncolumns:\n  A: {form: cf_sy}\n", "utf-8")
    with pytest.raises(BadConfiguration, match="unknown word form"):
        read_form("t/x", path).compiled()


@pytest.mark.parametrize("name", form_names(MappingFolders()))
def test_every_form_of_ours_is_sound(name: str) -> None:
    standard = built_in()
    loaded = load_form(MappingFolders(), name)
    assert loaded.file is not None, loaded.document.problems
    dataset = standard.dataset(loaded.file.dataset)
    assert lint_form(loaded, dataset, standard.common) == []


def test_an_unknown_form_is_told_with_the_near_name() -> None:
    with pytest.raises(UnknownName) as caught:
        load_form(MappingFolders(), "credit_china/penalty_2061")
    assert "penalty_2016" in str(caught.value.hint)
