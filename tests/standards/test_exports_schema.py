"""JSON Schema and XSD: they take what the checker takes and refuse what a schema can see."""

import json
from functools import cache

import jsonschema
import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from standards import identifiers
from standards.exports import json_schema, patterns, xsd
from standards.findings import catalogue
from standards.model import DataSet, Severity
from standards.registry import built_in
from standards.samples import Samples, hostile_records

STANDARD = built_in()
ALL = list(STANDARD)
each_dataset = pytest.mark.parametrize("dataset", ALL, ids=lambda d: d.id)

Record = dict[str, str]

#: What no schema can see: check characters, code tables, the clock, numbers checked by another element, JSON in text.
BEYOND = {
    *("10006.uscc", "10006.uscc_inner", "10006.id_number", "10006.org_code", "10006.reg_no", "10004.reg_no"),
    *("10005.region", "10005.region_withdrawn", "10007.future", "10004.json", "10004.id_number", "10004.private_use"),
}


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    held = json.loads(json_schema.export(STANDARD.dataset(name), STANDARD))
    jsonschema.Draft202012Validator.check_schema(held)
    return jsonschema.Draft202012Validator(held)


@cache
def schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(xsd.export(STANDARD.dataset(name), STANDARD)))


def document(dataset: DataSet, records: list[Record], tag: str = "record") -> etree._Element:
    space = xsd.namespace(dataset)
    root = etree.Element(f"{{{space}}}records", nsmap={None: space})  # type: ignore[dict-item]
    for record in records:
        held = etree.SubElement(root, f"{{{space}}}{tag}")
        for name, value in record.items():
            etree.SubElement(held, f"{{{space}}}{name}").text = value
    return root


@each_dataset
def test_valid_samples_pass_the_json_schema(dataset: DataSet) -> None:
    for record in Samples(dataset, STANDARD, seed=11).records(100):
        assert [e.message for e in validator(dataset.id).iter_errors(record)] == []


@each_dataset
def test_valid_samples_pass_the_xsd(dataset: DataSet) -> None:
    records = list(Samples(dataset, STANDARD, seed=11).records(100))

    schema(dataset.id).assertValid(document(dataset, records))


@each_dataset
def test_another_reader_of_xsd_agrees(dataset: DataSet) -> None:
    other = xmlschema.XMLSchema(xsd.export(dataset, STANDARD).decode())
    records = list(Samples(dataset, STANDARD, seed=12).records(5))
    hostile = [h for h in hostile_records(dataset, STANDARD, seed=12) if h.code == "10001"]

    assert other.is_valid(etree.tostring(document(dataset, records)).decode())
    for one in hostile[:5]:
        assert not other.is_valid(etree.tostring(document(dataset, [one.record])).decode())


@each_dataset
def test_the_json_schema_refuses_every_hostile_record_it_can_see(dataset: DataSet) -> None:
    unsaid = {rule["id"] for rule in validator(dataset.id).schema["x-rules"]}
    for hostile in hostile_records(dataset, STANDARD, seed=11):
        identified = dataset.by_id[hostile.element].identified_by is not None
        beyond = hostile.code in BEYOND or hostile.rule in unsaid or (identified and hostile.code.startswith("10004."))

        assert validator(dataset.id).is_valid(hostile.record) == beyond, hostile


@each_dataset
def test_the_xsd_refuses_every_hostile_record_it_can_see(dataset: DataSet) -> None:
    conditions = {"10002", "10008"}
    for hostile in hostile_records(dataset, STANDARD, seed=11):
        identified = dataset.by_id[hostile.element].identified_by is not None
        beyond = hostile.code in BEYOND | conditions or bool(hostile.rule)
        beyond = beyond or (identified and hostile.code.startswith("10004."))
        if hostile.code == "10004.control":  # XML cannot even hold it
            continue

        assert schema(dataset.id).validate(document(dataset, [hostile.record])) == beyond, hostile


@each_dataset
def test_a_deletion_needs_the_key_only(dataset: DataSet) -> None:
    record = next(iter(Samples(dataset, STANDARD, seed=3, whole=True).records(1)))
    removal = {name: record[name] for name in dataset.natural_key if name in record}

    assert validator(dataset.id).is_valid({"cd_operation": "d", **removal})
    assert not validator(dataset.id).is_valid({"cd_operation": "u", **removal})
    assert not validator(dataset.id).is_valid({"cd_operation": "d"})
    schema(dataset.id).assertValid(document(dataset, [removal], "removal"))


@each_dataset
def test_what_is_not_given_may_be_left_out_empty_or_null(dataset: DataSet) -> None:
    record = next(iter(Samples(dataset, STANDARD, seed=3).records(1)))
    optional = [e.id for e in dataset.from_sender if e.id not in record]

    assert validator(dataset.id).is_valid({**record, **dict.fromkeys(optional, "")})
    assert validator(dataset.id).is_valid({**record, **dict.fromkeys(optional)})
    assert schema(dataset.id).validate(document(dataset, [{**record, **dict.fromkeys(optional, "")}]))


def test_amounts_may_be_json_numbers() -> None:
    dataset = STANDARD.dataset("punish_action")
    record = next(r for r in Samples(dataset, STANDARD, seed=3).records(50) if r.get("fine"))

    assert validator(dataset.id).is_valid({**record, "fine": 2000.5, "cases_closed_fine": None})
    assert not validator(dataset.id).is_valid({**record, "fine": -1})
    assert not validator(dataset.id).is_valid({**record, "punish_action_name": 17})


def test_a_must_element_that_is_null_or_empty_is_refused() -> None:
    dataset = STANDARD.dataset("punish_action")
    record = next(iter(Samples(dataset, STANDARD, seed=3).records(1)))

    assert not validator(dataset.id).is_valid({**record, "illegal_fact": None})
    assert not validator(dataset.id).is_valid({**record, "illegal_fact": ""})


@each_dataset
def test_what_the_schema_cannot_say_is_listed(dataset: DataSet) -> None:
    told = {rule["id"] for rule in validator(dataset.id).schema["x-rules"]}
    warnings = {rule.id for rule in dataset.rules if rule.severity is Severity.WARNING}

    assert warnings <= told
    assert all(rule.get("says") or rule.get("needed") for rule in validator(dataset.id).schema["x-rules"])


@each_dataset
def test_exports_are_the_same_every_time(dataset: DataSet) -> None:
    assert json_schema.export(dataset, STANDARD) == json_schema.export(dataset, STANDARD)
    assert xsd.export(dataset, STANDARD) == xsd.export(dataset, STANDARD)


@given(st.dates())
def test_the_pattern_of_dates_takes_every_day(day: object) -> None:
    import re

    assert re.fullmatch(patterns.DATE, str(day))


@pytest.mark.parametrize("text", ["2023-02-29", "2024-02-30", "1900-02-29", "2024-13-01", "2024-04-31", "2024-1-1", ""])
def test_the_pattern_of_dates_refuses_days_that_are_none(text: str) -> None:
    import re

    assert not re.fullmatch(patterns.DATE, text)


def test_the_pattern_of_credit_codes_takes_provinces_of_the_north_west() -> None:
    import re
    from random import Random

    for region in ("610000", "650000"):
        assert re.fullmatch(patterns.USCC, identifiers.make_uscc(Random(2), region))


def test_mere_warnings_are_no_pattern() -> None:
    assert catalogue().severity("10004.reg_no") is Severity.WARNING
    assert patterns.form(STANDARD.dataset("dual_notice").by_id["reg_no"], STANDARD) is None
