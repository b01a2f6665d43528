"""Sample records are valid, and hostile ones have exactly the fault they name: samples and checker judge each other."""

import pytest

from standards.checker import Checker, Fault
from standards.findings import catalogue
from standards.model import DataSet, FilledBy, Severity
from standards.registry import built_in
from standards.samples import Samples, hostile_records, valid_records
from standards.samples.patterns import NotSimple, matching

STANDARD = built_in()
ALL = list(STANDARD)
TODAY = "2025-06-30"
MILD = frozenset(e.code for e in catalogue() if e.severity is Severity.WARNING)

each_dataset = pytest.mark.parametrize("dataset", ALL, ids=lambda d: d.id)


def judge(dataset: DataSet, records: list[dict[str, str]], whole: bool = False) -> list[Fault]:
    demand = frozenset(FilledBy) if whole else frozenset({FilledBy.SENDER})
    checker = Checker(dataset, STANDARD, demand, STANDARD.common_for(dataset) if not whole else (), mild=MILD)
    columns = {e.id: [r.get(e.id, "") for r in records] for e in dataset.elements}
    return checker.check(columns, len(records), TODAY)


@each_dataset
def test_samples_of_a_sender_are_valid(dataset: DataSet) -> None:
    assert judge(dataset, list(valid_records(dataset, STANDARD, 300))) == []


@each_dataset
def test_whole_samples_are_valid_to_a_receiver(dataset: DataSet) -> None:
    assert judge(dataset, list(Samples(dataset, STANDARD, whole=True).records(50)), whole=True) == []


@each_dataset
def test_samples_have_different_keys(dataset: DataSet) -> None:
    records = list(valid_records(dataset, STANDARD, 1000))

    assert len({tuple(r.get(k, "") for k in dataset.natural_key) for r in records}) == 1000


@each_dataset
def test_the_same_seed_makes_the_same_samples(dataset: DataSet) -> None:
    first = list(valid_records(dataset, STANDARD, 10, seed=4))

    assert list(valid_records(dataset, STANDARD, 10, seed=4)) == first
    assert list(valid_records(dataset, STANDARD, 10, seed=5)) != first


@each_dataset
def test_every_hostile_record_has_the_one_fault_it_names(dataset: DataSet) -> None:
    for hostile in hostile_records(dataset, STANDARD):
        if hostile.code == "10004.pattern":
            continue
        found = {(f.element, f.code) for f in judge(dataset, [hostile.record])}

        assert found == {(hostile.element, hostile.code)}, hostile


def test_every_value_of_the_wrong_form_is_found() -> None:
    for dataset in ALL:
        for hostile in hostile_records(dataset, STANDARD):
            if hostile.code == "10004.pattern":
                assert {(f.element, f.code) for f in judge(dataset, [hostile.record])} == {
                    (hostile.element, hostile.code)
                }


@each_dataset
def test_every_must_every_condition_and_every_group_has_a_hostile_record(dataset: DataSet) -> None:
    hostile = {(h.element, h.code) for h in hostile_records(dataset, STANDARD)}
    sent = [e for e in dataset.elements if e.filled_by is FilledBy.SENDER]

    for element in sent:
        if element.need == "must" and not any(e.identified_by == element.id and e.need == "must" for e in sent):
            assert (element.id, "10001") in hostile
        if element.when and not element.group:
            assert (element.id, "10002") in hostile
    for group in {e.group for e in sent if e.group}:
        assert any((e.id, "10008") in hostile for e in sent if e.group == group)


def test_every_rule_has_a_hostile_record() -> None:
    missing = {
        f"{dataset.id}.{rule.id}"
        for dataset in ALL
        for rule in dataset.rules
        if rule.id not in {h.rule for h in hostile_records(dataset, STANDARD)}
    }

    # A negative count in front is less than right and wrong together, which is another fault of the same record.
    assert missing == {"reconciliation_report.front_count_not_negative"}


@pytest.mark.parametrize(
    "pattern", ["(19|20)\\d{2}", "[0-9a-f]{64}", "-?\\d{1,3}(\\.\\d+)?,x*", "a|bc|[^x]|\\", "(a", "a{2"]
)
def test_patterns_are_made_or_refused(pattern: str) -> None:
    import re
    from random import Random

    try:
        made = matching(pattern, Random(1))
    except NotSimple:
        assert pattern in ("a|bc|[^x]|\\", "(a", "a{2")
    else:
        assert re.fullmatch(pattern, made)
