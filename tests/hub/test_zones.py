"""The internet zone: nothing personal and nothing unreleased ever leaves, whatever the data set and the channel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from demo.ecology import pieces, rows
from hub.bootstrap import prepare
from hub.cli.main import app
from hub.generations import Body
from hub.mailbox import Mailboxes
from hub.persons import is_person
from hub.settings import Destination, Party, Release, Settings
from hub.zones import Zone, zone_of
from standards.digest import canonical_json, cd_id, join_key, sm3, uuid7
from standards.errors import BadConfiguration
from standards.model import DataSet
from standards.parcel import Parcel, ParcelRecord, to_event
from standards.registry import built_in
from tests.hub import city as cities
from tests.hub.city import City, config, until

STANDARD = built_in()
DATASETS = [STANDARD.dataset(name) for name in STANDARD.ids()]
OWNER = cities.ECOLOGY
PERSON, COMPANY = "111", "001"
ID_NUMBER = "11010519491231002X"


def settings_with(*releases: Release) -> Settings:
    return Settings.model_validate(
        {
            "hub": {"name": "datong", "title": "-", "level": "city", "region": "140200", "code": "11140200E9QM7HGU4X"},
            "parties": {"ecology": Party(title="-", code=OWNER)},
            "destinations": {
                "open": Destination(party="ecology", adapter="rest_push", zone="internet"),
                "centre": Destination(party="ecology", adapter="rest_push"),
            },
            "releases": releases,
        }
    )


def a_record(dataset: DataSet, operation: str, certificate: str) -> ParcelRecord:
    """A record that says of every value which element it is."""
    values = {e.id: f"<{e.id}>" for e in dataset.elements}
    values |= {e.identified_by: certificate for e in dataset.elements if e.identified_by}
    common = {e.id: f"<{e.id}>" for e in STANDARD.common_for(dataset)} | {e: f"<{e}>" for e in sorted(values)[:3]}
    key = join_key([values[name] for name in dataset.natural_key])
    identifier = cd_id(OWNER, dataset.id, key, hide=dataset.key_personal)
    ours = ("cd_time", "cd_source", "cd_batch", "provider_code", "owner_org_code", "content_digest", "trace_id")
    content = canonical_json(values)
    return ParcelRecord(
        cd_id=identifier,
        revision=1,
        operation=operation,
        digest=sm3(content).hex(),
        content=msgspec.Raw(content),
        common={**common, **dict.fromkeys(ours, "ours"), "cd_id": identifier, "record_unique_identity": "<own number>"},
    )


def sent(record: ParcelRecord, dataset: DataSet) -> str:
    """The bytes of a parcel as they leave."""
    parcel = Parcel(
        id=uuid7(), origin="datong", destination="open", direction="across", dataset=dataset.id,
        version=dataset.version, batch="2026112300001", created_at=datetime(2026, 11, 23, tzinfo=UTC),
        records=(record,),
    )  # fmt: skip
    return to_event(parcel).decode()


@given(
    dataset=st.sampled_from(DATASETS),
    share=st.sets(st.integers(0, 200)),
    operation=st.sampled_from("iud"),
    certificate=st.sampled_from([PERSON, COMPANY]),
)
def test_a_personal_or_unreleased_element_never_leaves(
    dataset: DataSet, share: set[int], operation: str, certificate: str
) -> None:
    elements = [e.id for e in dataset.elements]
    released = {name for n, name in enumerate(elements) if n in share} | set(dataset.natural_key) - dataset.personal
    zone = zone_of(
        settings_with(Release(owner="ecology", datasets=(dataset.id,), elements=tuple(released))), "open", dataset
    )
    assert zone is not None
    record = a_record(dataset, operation, certificate)

    left = zone.only(record, OWNER)

    body = sent(left, dataset)
    for name in [*elements, "remark", "signature", "own number"]:
        if name not in released or name in dataset.personal:
            assert f"<{name}>" not in body, name
    if certificate == PERSON:
        numbers = [e.id for e in dataset.elements if e.identified_by]
        assert not any(f"<{name}>" in json.dumps(left.values()) for name in numbers)
    assert left.digest == record.digest
    assert set(left.own()) <= released


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.id)
def test_what_nobody_released_does_not_go_at_all(dataset: DataSet) -> None:
    whole = tuple(e.id for e in dataset.elements)
    nobody = zone_of(settings_with(), "open", dataset)
    elsewhere = zone_of(settings_with(Release(owner=OWNER, datasets=(dataset.id,), elements=whole)), "centre", dataset)
    taken_back = zone_of(settings_with(Release(owner=OWNER, datasets=(dataset.id,))), "open", dataset)

    assert nobody is not None
    assert not any(nobody.may_go(OWNER, operation) for operation in "iud")
    assert elsewhere is None, "the government zone gets the whole record"
    assert taken_back is not None
    assert [taken_back.may_go(OWNER, operation) for operation in "iud"] == [False, False, True]


def test_a_number_of_a_person_stays_whatever_its_element_is_called() -> None:
    dataset = STANDARD.dataset("third_party_feed")
    zone = Zone(dataset, {OWNER: frozenset(e.id for e in dataset.elements)})
    values = {"feed_no": "1", "object_name": "王某", "owner_code": ID_NUMBER, "provider_code": "p"}
    record = a_record(dataset, "i", COMPANY)
    record = msgspec.structs.replace(record, content=msgspec.Raw(canonical_json(values)))

    left = zone.only(record, OWNER).own()

    assert left == {"feed_no": "1", "provider_code": "p"}


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.id)
def test_a_number_of_a_person_inside_free_text_is_hidden_and_numbers_of_files_stay(dataset: DataSet) -> None:
    zone = Zone(dataset, {OWNER: frozenset(e.id for e in dataset.elements)})
    free = [e.id for e in dataset.elements if e.type == "longtext" and not e.personal]
    file_no = "140200202611230017"  # looks like a number of a person to nobody but a pattern
    text = f"当事人电话13803520001，身份证{ID_NUMBER}，企业{OWNER}"
    values = {**dict.fromkeys(free, text), **dict.fromkeys(dataset.natural_key, file_no)}
    record = a_record(dataset, "i", COMPANY)

    left = zone.only(msgspec.structs.replace(record, content=msgspec.Raw(canonical_json(values))), OWNER)

    assert "13803520001" not in sent(left, dataset)
    assert ID_NUMBER not in sent(left, dataset)
    own = left.own()
    assert all(OWNER in own[name] for name in free if name in own)
    assert all(own[name] == file_no for name in dataset.natural_key if name in own and not is_person(file_no))


def test_a_record_that_is_marked_as_sensitive_or_not_public_stays_and_its_deletion_goes() -> None:
    zone = Zone(STANDARD.dataset("punish_action"), {OWNER: frozenset({"punish_action_code"})})
    columns = {"sensitive_flag": ["", "1", "0", "1"], "publicity_flag": ["1", "", "0", ""]}

    going = zone.going(columns, range(4), lambda i: (OWNER, "d" if i == 3 else "i"))

    assert going == [0, 3]


MORE = """
[parties.public]
title = "公示平台"
code = "11140000N8Y3CP4F3H"

[destinations.public]
party = "public"
adapter = "rest_push"
direction = "across"
zone = "internet"
settings = {{ url = "{url}", quick_tries = 1 }}

[destinations.public.retry]
waits = ["0.2s"]
probe = "0.2s"

[destinations.box]
party = "public"
adapter = "mailbox"
direction = "across"
zone = "internet"

[[routes]]
to = ["public", "box"]
{releases}
"""
RELEASE = """
[[releases]]
owner = "ecology"
datasets = ["punish_action"]
elements = {elements}
"""
PUBLIC = ("punish_action_code", "punish_action_name", "administrative_cp")


@pytest.fixture
def public(tmp_path: Path) -> Iterator[City]:
    receiver = cities.Receiver().start()
    more = MORE.format(url=receiver.url, releases=RELEASE.format(elements=json.dumps(PUBLIC)))
    city = cities.start(tmp_path, receiver, more=more)
    yield city
    city.hub.stop()
    receiver.stop()


def csv_of(count: int) -> bytes:
    return b"".join(pieces(rows(count)))


def test_every_channel_of_the_internet_zone_gets_the_released_elements_only(public: City) -> None:
    receipt = public.judged(public.submit(csv_of(20)))
    until(lambda: len(public.receiver.parcels) == 2)

    box = Mailboxes(public.hub.ledger, public.hub.generations, public.hub.clock, public.hub.seal, public.hub.settling)
    until(lambda: bool(box.waiting("public", 10)))
    [letter] = box.waiting("public", 10)
    contents = [record.own() for record in letter.parcel.records]

    assert receipt.accepted == len(contents) == 20
    assert all(set(one) <= set(PUBLIC) and "punish_action_code" in one for one in contents)
    assert not any("remark" in r.common or "submitted_date" in r.common for r in letter.parcel.records)
    assert {r.digest for r in letter.parcel.records} == {
        one["content_digest"] for one in public.receiver.contents.values()
    }, "the digest is that of the whole record everywhere"


def states(city: City, receipt_no: str) -> dict[str, dict[str, int]]:
    view = city.hub.receipts.receipt(receipt_no)
    assert view is not None
    return {d["destination"]: d["states"] for d in view.document["deliveries"]}


def release_only(city: City, elements: tuple[str, ...]) -> None:
    settings = city.hub.generations.current().settings.model_dump(mode="json")
    settings["releases"][0]["elements"] = elements
    city.hub.generations.publish(Body(settings, {}), "test")


def test_a_release_that_is_taken_back_stops_what_waits(public: City) -> None:
    public.receiver.status = 503
    receipt = public.submit(csv_of(5))
    public.judged(receipt)
    until(lambda: public.receiver.requests >= 2)

    release_only(public, ())
    public.receiver.status = None

    until(lambda: states(public, receipt.receipt_no)["province"] == {"accepted": 5})
    until(lambda: states(public, receipt.receipt_no)["public"] == {"withheld": 5})
    assert len(public.receiver.parcels) == 1, "the province's only"


def test_deletions_go_with_and_without_a_release(public: City) -> None:
    key = next(iter(rows(1))).key
    public.judged(public.submit(csv_of(1)))
    until(lambda: len(public.receiver.parcels) == 2)

    release_only(public, ())
    deletion = json.dumps({"punish_action_code": key, "cd_operation": "d", "owner_org_code": OWNER}).encode()
    public.judged(public.submit(deletion, "market-penalties"))

    until(lambda: len(public.receiver.parcels) == 4)
    assert [h[2] for h in public.receiver.history].count("d") == 1, "the other one knows it already"


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        (["punish_action_name"], "the key travels with every record"),
        (["punish_action_code", "punish_action_nam"], "did you mean punish_action_name?"),
    ],
)
def test_a_release_that_cannot_be_kept_is_refused(tmp_path: Path, elements: list[str], said: str) -> None:
    path = tmp_path / "hub.toml"
    more = MORE.format(url="http://127.0.0.1:9", releases=RELEASE.format(elements=json.dumps(elements)))
    path.write_text(config("http://127.0.0.1:9", more=more), "utf-8")

    with pytest.raises(BadConfiguration, match=said.replace("?", r"\?")):
        prepare(path)


def test_a_personal_element_cannot_be_released(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    release = RELEASE.format(elements='["cert_no", "id_no"]').replace("punish_action", "enforcement_officer")
    more = MORE.format(url="http://127.0.0.1:9", releases=release)
    path.write_text(config("http://127.0.0.1:9", more=more), "utf-8")

    with pytest.raises(BadConfiguration, match=r"enforcement_officer\.id_no is personal"):
        prepare(path)


def test_hub_check_says_whose_data_goes_and_whose_does_not(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    more = MORE.format(url="http://127.0.0.1:9", releases=RELEASE.format(elements=json.dumps(PUBLIC)))
    path.write_text(config("http://127.0.0.1:9", more=more), "utf-8")

    said = CliRunner().invoke(app, ["check", "--config", str(path)]).output

    assert "ecology/punish_action 放行 3 项" in said
    assert "market/punish_action 未放行，不投递" in said
    assert "ecology/check_action 未放行，不投递" in said
