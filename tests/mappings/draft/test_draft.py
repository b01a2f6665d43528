"""Drafting a mapping from a sample, measured against answers a person gave."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from typer.testing import CliRunner

from adapters.formats import open_records
from adapters.formats.base import ReadOptions
from adapters.formats.payload import BytesPayload
from demo import ecology
from hub.cli.main import app
from mappings.draft import HIGH, place, profile
from mappings.grammar import ElementSpec
from mappings.load import MappingFolders
from standards.registry import built_in
from standards.yaml_text import read
from tests.shared_data import shared
from tools.real.expected import REAL, RealInput

STANDARD = built_in()
KEY = Path(__file__).with_name("catalogue.yaml")
CATALOGUE = "catalogue_cn/ningbo_catalogue_tables.csv"
#: Right as well: the mapping keeps these words as a remark, because too few of them are in our code list.
ALSO = {"enterprise_registry/supervise_object": {"企业类型": ["ent_type"]}}
Answers = Mapping[str, Sequence[str]]


@dataclass
class Score:
    """How a draft did against the answers."""

    #: Fields that have a right element.
    answerable: int = 0
    right_and_sure: int = 0
    sure: int = 0
    wrong: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)

    def add(self, where: str, answers: Answers, columns: Answers, dataset: str) -> None:
        """Draft and compare."""
        profiles = {name: profile(values) for name, values in columns.items()}
        placed = {p.field: p for p in place(profiles, STANDARD.dataset(dataset), STANDARD.codes)}
        for name, elements in answers.items():
            self.answerable += bool(elements)
            p = placed.get(name)
            said = (
                f"{where}: {name} → {p.element.id if p else None} {p.confidence if p else 0:.2f}, is {list(elements)}"
            )
            if p is None or p.confidence < HIGH:
                if elements:
                    self.unsure.append(said)
                continue
            self.sure += 1
            if p.element.id in elements:
                self.right_and_sure += 1
            else:
                self.wrong.append(said)

    def __str__(self) -> str:
        right = self.right_and_sure / max(1, self.answerable)
        wrong = len(self.wrong) / max(1, self.sure)
        return (
            f"{self.right_and_sure} of {self.answerable} right at high confidence ({right:.0%}); "
            f"{len(self.wrong)} of {self.sure} high ones wrong ({wrong:.1%})"
        )

    def check(self, share: float) -> None:
        """At least that share right and sure, under 5 % of the sure ones wrong."""
        print("\n".join([str(self), "wrong:", *self.wrong, "not sure:", *self.unsure]))
        assert self.right_and_sure >= share * self.answerable, str(self)
        assert len(self.wrong) < 0.05 * self.sure, "\n".join([str(self), *self.wrong])


def catalogue(score: Score) -> None:
    """The city's catalogue: names of fields, no values."""
    answers = read(KEY.read_text("utf-8"), KEY.name).value
    with shared(CATALOGUE).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for table, key in answers.items():
        names = [r["field_cn"] for r in rows if r["table_cn"] == table]
        assert set(names) == set(key["fields"])
        score.add(table, {n: key["fields"][n] or [] for n in names}, {n: [] for n in names}, key["dataset"])


def answers_of(real: RealInput) -> tuple[str, dict[str, list[str]], dict[str, list[str]]]:
    """A real file: its data set, what its checked mapping says of each field, and its columns."""
    loaded = MappingFolders([]).load(real.mapping)
    assert loaded.file is not None
    options = ReadOptions.model_validate(loaded.file.read)
    root = shared(real.files[0]).parents[real.files[0].count("/")]
    _, chunks = open_records(BytesPayload(real.file_name, real.data(root)), options)
    chunk = next(chunks)
    columns = {name: chunk.columns[name][:1000] for name in chunk.fields}
    answers: dict[str, list[str]] = {name: [] for name in columns}
    composed: set[str] = set()
    for element, spec in loaded.file.elements.items():
        for name, elements in answers.items():
            if name in spec.fields or (spec.expr and name in spec.expr):
                elements.append(element)
                if spec.join or spec.expr or spec.pattern or element == "remark":
                    composed.add(name)
    # What is only a part of a value, or computed, or kept as a remark, is a person's idea: there is no one right line.
    for name, elements in ALSO.get(real.mapping, {}).items():
        answers[name] += elements
    only = {n for n in composed if all(_is_composed(loaded.file.elements[e], n) for e in answers[n])}
    return loaded.file.dataset, {n: e for n, e in answers.items() if n not in only}, columns


def _is_composed(spec: ElementSpec, name: str) -> bool:
    return bool(spec.join or spec.expr or spec.pattern) or name not in spec.fields


def real_files(score: Score) -> None:
    """Every real file against its mapping."""
    for real in REAL:
        dataset, answers, columns = answers_of(real)
        one = Score()
        one.add(real.name, answers, columns, dataset)
        print(f"{real.name} → {dataset}: {one}")
        score.add(real.name, answers, columns, dataset)


def test_a_catalogue_of_a_city_by_its_chinese_names() -> None:
    score = Score()
    catalogue(score)
    score.check(0.7)


def test_every_real_file() -> None:
    """The aim is 70 %: names such as epsName, certStr or 检品来源 are not reached yet."""
    score = Score()
    real_files(score)
    score.check(0.55)


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
