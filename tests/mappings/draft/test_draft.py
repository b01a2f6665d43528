"""`hub adapter draft`: what an integrator gets from a sample."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demo import ecology
from hub.cli.main import app
from mappings.draft import Draft, draft
from standards.checker import Checker
from standards.model import FilledBy
from standards.yaml_text import read
from tests.mappings.draft.measure import HERE, STANDARD, sample_of
from tools.real.expected import REAL, RealInput

HELD_OUT = HERE / "held_out"


def test_a_sample_becomes_a_mapping_that_lints_and_whose_cases_run(tmp_path: Path) -> None:
    sample = tmp_path / "处罚导出.csv"
    sample.write_bytes(b"".join(ecology.pieces(ecology.rows(60))))
    folder = tmp_path / "site" / "mappings" / "sthj"
    words = ["adapter", "draft", str(sample), "--dataset", "punish_action", "--into", str(folder)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "处罚决定日期" in done.output

    site = ["--site", str(tmp_path / "site")]
    for verb in ("lint", "test"):
        checked = CliRunner().invoke(app, ["mapping", verb, "sthj/punish_action", *site])
        assert checked.exit_code == 0, checked.output
    text = (folder / "punish_action.yaml").read_text("utf-8")
    assert 'fine: {from: "罚款金额(万元)", unit: 万元, to: 元}' in text
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2, "nothing is overwritten"


def test_without_a_data_set_the_ones_that_fit_are_named(tmp_path: Path) -> None:
    sample = tmp_path / "处罚导出.csv"
    sample.write_bytes(b"".join(ecology.pieces(ecology.rows(60))))
    done = CliRunner().invoke(app, ["adapter", "draft", str(sample), "--json"])
    assert json.loads(done.output)[0]["dataset"] == "punish_action"


def test_the_adapters_are_listed() -> None:
    done = CliRunner().invoke(app, ["adapter", "list", "--json"])
    listed = {one["name"]: one["ways"] for one in json.loads(done.output)}
    assert listed["table"] == ["入 in", "出 out"]
    assert listed["soap"] == ["入 in"]


@pytest.mark.parametrize("name", sorted(p.name for p in HELD_OUT.glob("*.csv")))
def test_every_draft_lints_and_its_cases_run(name: str, tmp_path: Path) -> None:
    dataset = read((HERE / "held_out.yaml").read_text("utf-8"), "held_out").value[name]["dataset"]
    folder = tmp_path / "site" / "mappings" / "sample"
    words = ["adapter", "draft", str(HELD_OUT / name), "--dataset", dataset, "--into", str(folder)]
    assert CliRunner().invoke(app, words).exit_code == 0

    assert_sound(f"sample/{dataset}", tmp_path / "site")


#: In every run one of each kind; all of them with --full (test_measure looks at each in every run).
_EVERY_TIME = ("petitions-labelled", "registry-guizhou-1985", "drug-sampling", "air-quality", "finance-dishonest-ocr")
_DRAFTED = [pytest.param(one, id=one.name, marks=[] if one.name in _EVERY_TIME else pytest.mark.full) for one in REAL]


@pytest.mark.parametrize("real", _DRAFTED)
def test_a_draft_of_a_real_file_lints_and_its_cases_run(real: RealInput, tmp_path: Path) -> None:
    options, dataset, columns = sample_of(real)
    found = STANDARD.dataset(dataset)
    common = STANDARD.common_for(found)
    checker = Checker(found, STANDARD, frozenset({FilledBy.SENDER}), common)

    made = draft(real.name, columns, found, common, STANDARD.codes, checker, options)

    folder = tmp_path / "site" / "mappings" / "sample"
    folder.mkdir(parents=True)
    (folder / f"{dataset}.yaml").write_text(made.mapping, "utf-8")
    if made.cases:
        (folder / f"{dataset}.cases.yaml").write_text(made.cases, "utf-8")
    assert bool(made.cases) == bool(made.placements)
    assert_sound(f"sample/{dataset}", tmp_path / "site")


def assert_sound(mapping: str, site: Path) -> None:
    # A sample of which nothing could be placed has no cases to run.
    has_cases = (site / "mappings" / f"{mapping}.cases.yaml").exists()
    for verb in ("lint", "test") if has_cases else ("lint",):
        checked = CliRunner().invoke(app, ["mapping", verb, mapping, "--site", str(site)])
        assert checked.exit_code == 0, checked.output


def drafted(columns: dict[str, list[str]], dataset: str) -> Draft:
    found = STANDARD.dataset(dataset)
    common = STANDARD.common_for(found)
    checker = Checker(found, STANDARD, frozenset({FilledBy.SENDER}), common)
    return draft("样例", columns, found, common, STANDARD.codes, checker)


def test_behind_each_line_stand_its_confidence_and_the_reason() -> None:
    made = drafted({"处罚文号": ["株天市监罚〔2024〕12号", "株天市监罚〔2024〕13号"] * 3}, "punish_action")

    line = next(text for text in made.mapping.splitlines() if "punish_document_code" in text)

    assert re.search(r"# 行政处罚决定书文号 · 高 0\.\d\d · 名称 name: 处罚文号 ~ .+；取值 values: 100% 文号", line), (
        line
    )


def test_words_of_the_sample_get_the_code_whose_label_they_match() -> None:
    columns = {"处罚种类": ["罚款", "责令停产停业整顿", "没收违法所得、罚款", "训诫"], "是否听证": ["Y", "N", "N", "Y"]}

    made = drafted(columns, "punish_action")

    assert made.pairs["punish_type"]["责令停产停业整顿"] == ("04", "责令停产停业")
    assert made.pairs["punish_type"]["训诫"] == ("", "")
    assert made.pairs["if_hearing_witnesses"] == {"Y": ("1", "是"), "N": ("0", "否")}
    assert '# "训诫": 待定 not known' in made.mapping


def test_dates_of_other_countries_and_signs_for_nothing_are_said_in_the_draft() -> None:
    columns = {"Inspection Date": ["08/30/2023", "01/18/2024", "12/31/2024"], "Remarks": ["/", "N/A", "late"]}

    made = drafted(columns, "check_action")

    assert 'check_date: {from: "Inspection Date", date: ["%m/%d/%Y"]}' in made.mapping
    assert 'nulls: ["/", "N/A"]' in made.mapping


def test_dates_whose_day_and_month_cannot_be_told_are_said_to_be_doubtful() -> None:
    made = drafted({"Inspection Date": ["08/03/2023", "01/02/2024", "12/11/2024"]}, "check_action")

    assert "日月次序不明 day and month may be swapped" in made.mapping


def test_certificates_of_several_kinds_feed_one_element_and_its_type() -> None:
    columns = {"工商注册号": ["110105010247558", ""] * 3, "组织机构代码": ["", "663128478"] * 3}

    made = drafted(columns, "list_record")

    assert 'cert_no: {first: ["工商注册号", "组织机构代码"]}' in made.mapping
    assert "'003' if given(field('工商注册号')) else '002' if given(field('组织机构代码')) else ''" in made.mapping
