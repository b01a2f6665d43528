"""How well drafts do against answers a person gave: a count of right, sure and wrong lines, file by file."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.formats import open_records
from adapters.formats.base import ReadOptions
from adapters.formats.payload import BytesPayload
from mappings.draft import HIGH, Placement, look_at, place
from mappings.grammar import ElementSpec
from mappings.load import MappingFolders
from standards.registry import built_in
from standards.yaml_text import read
from tests.shared_data import shared
from tools.real.expected import REAL, RealInput

STANDARD = built_in()
HERE = Path(__file__).parent
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

    def add(self, where: str, answers: Answers, columns: Answers, dataset: str) -> Score:
        """Draft and compare; what this one sample gave comes back."""
        one = Score()
        found = STANDARD.dataset(dataset)
        placed: dict[str, list[Placement]] = {}
        for p in place(look_at(columns), found, STANDARD.codes, STANDARD.common_for(found)):
            placed.setdefault(p.field, []).append(p)
        for name, elements in answers.items():
            one.answerable += bool(elements)
            lines = placed.get(name, [])
            proposed = "、".join(f"{p.element.id} {p.confidence:.2f} ({p.reason})" for p in lines)
            said = f"{where}: {name} → {proposed or None}, is {list(elements)}"
            high = [p for p in lines if p.confidence >= HIGH]
            if not high:
                one.unsure += [said] if elements else []
                continue
            one.sure += 1
            # A field may be proposed for two elements: right when both are.
            if all(p.element.id in elements for p in high):
                one.right_and_sure += 1
            else:
                one.wrong.append(said)
        self._take(one)
        print(f"{where} → {dataset}: {one}")
        return one

    def _take(self, one: Score) -> None:
        self.answerable += one.answerable
        self.right_and_sure += one.right_and_sure
        self.sure += one.sure
        self.wrong += one.wrong
        self.unsure += one.unsure

    def __str__(self) -> str:
        right = self.right_and_sure / max(1, self.answerable)
        wrong = len(self.wrong) / max(1, self.sure)
        return (
            f"{self.right_and_sure} of {self.answerable} right at high confidence ({right:.0%}); "
            f"{len(self.wrong)} of {self.sure} high ones wrong ({wrong:.1%})"
        )

    def check(self, share: float) -> None:
        """At least that share right and sure, under 5 % of the sure ones wrong."""
        print("\n".join([f"together: {self}", "wrong:", *self.wrong, "not sure:", *self.unsure]))
        assert self.right_and_sure >= share * self.answerable, str(self)
        assert len(self.wrong) < 0.05 * self.sure, "\n".join([str(self), *self.wrong])


def catalogue(score: Score) -> None:
    """The city's catalogue: names of fields, no values."""
    with shared(CATALOGUE).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for table, key in _key("catalogue").items():
        names = [r["field_cn"] for r in rows if r["table_cn"] == table]
        assert set(names) == set(key["fields"])
        score.add(table, {n: key["fields"][n] or [] for n in names}, {n: [] for n in names}, key["dataset"])


def held_out(score: Score, *, blind: bool) -> None:
    """Samples in other styles; the blind ones were written when the draft was finished."""
    for name, key in _key("held_out").items():
        if name.startswith("blind_") != blind:
            continue
        with (HERE / "held_out" / name).open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert set(rows[0]) == set(key["fields"])
        columns = {n: [row[n] for row in rows] for n in rows[0]}
        score.add(name, {n: key["fields"][n] or [] for n in columns}, columns, key["dataset"])


def real_files(score: Score) -> None:
    """Every real file against its mapping."""
    for real in REAL:
        dataset, answers, columns = answers_of(real)
        score.add(real.name, answers, columns, dataset)


def _key(name: str) -> Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]:
    return read((HERE / f"{name}.yaml").read_text("utf-8"), name).value


def answers_of(real: RealInput) -> tuple[str, dict[str, list[str]], dict[str, list[str]]]:
    """A real file: its data set, what its checked mapping says of each field, and its columns."""
    loaded = MappingFolders([]).load(real.mapping)
    assert loaded.file is not None
    columns = columns_of(real, ReadOptions.model_validate(loaded.file.read))
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


def sample_of(real: RealInput) -> tuple[dict[str, Any], str, dict[str, list[str]]]:
    """How a real file is read, its data set, its columns."""
    loaded = MappingFolders([]).load(real.mapping)
    assert loaded.file is not None
    columns = columns_of(real, ReadOptions.model_validate(loaded.file.read))
    return dict(loaded.file.read), loaded.file.dataset, columns


def columns_of(real: RealInput, options: ReadOptions) -> dict[str, list[str]]:
    """The first rows of a real file."""
    root = shared(real.files[0]).parents[real.files[0].count("/")]
    _, chunks = open_records(BytesPayload(real.file_name, real.data(root)), options)
    chunk = next(chunks)
    return {name: chunk.columns[name][:1000] for name in chunk.fields}


def _is_composed(spec: ElementSpec, name: str) -> bool:
    return bool(spec.join or spec.expr or spec.pattern) or name not in spec.fields
