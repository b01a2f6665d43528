"""Rows of DOMAIN.md section 8 that are no feed of one system: hubs, the eight libraries, departments."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub.bootstrap import ROLES, build, prepare
from standards.errors import BadConfiguration
from standards.ports import HandOver
from standards.registry import built_in
from standards.samples import Samples
from tests.hub.city import until
from tests.receiver import Receiver

LEVELS = {
    "district": ("140213", "11140213KNQXNW0E4C"),
    "city": ("140200", "11140200E9QM7HGU4X"),
    "province": ("140000", "11140000N8Y3CP4F3H"),
    "nation": ("100000", "11100000F8T3K98E3F"),
}
LIBRARIES = (
    "监管事项目录清单库",
    "监管对象信息库",
    "执法人员信息库",
    "监管行为信息库",
    "监管投诉举报信息库",
    "信用信息库",
    "互联网及第三方信息库",
    "监管知识库",
)

HEAD = """
[hub]
name = "{level}"
title = "{level}"
level = "{level}"
region = "{region}"
code = "{code}"

[api]
port = 0
"""
BELOW = """
[parties.below]
title = "下级枢纽"
code = "{code}"
kind = "hub"

[connections.below]
party = "below"
adapter = "hub"

# Rows 9 and 10: what is shared back goes down again.
[destinations.back]
party = "below"
adapter = "mailbox"
direction = "down"
settings = {{}}

[[routes]]
datasets = ["risk_clue", "joint_task"]
to = ["back"]
"""
BUREAU = """
[parties.bureau]
title = "部门"
code = "11140200A4L2GB1F45"

[connections.penalties]
party = "bureau"
dataset = "punish_action"
"""
ABOVE = """
[parties.above]
title = "上级枢纽"
code = "{code}"
kind = "hub"
level = "{level}"

[destinations.above]
party = "above"
adapter = "hub"
settings = {{ url = "http://127.0.0.1:9", key = "file:{key}" }}

[[routes]]
to = ["above"]
"""
#: Row 10: a city that has a data centre of its own keeps what it passes on there too.
CENTRE = """
[parties.city-centre]
title = "市监管数据中心"
code = "11140200CY3KA6Y45X"
kind = "platform"
level = "city"

[destinations.city-centre]
party = "city-centre"
adapter = "rest_push"
direction = "across"
settings = { url = "http://127.0.0.1:9/parcels" }

[[routes]]
to = ["city-centre"]
"""
PLATFORM = """
[parties.platform]
title = "上级“互联网+监管”系统"
code = "{code}"
kind = "platform"
level = "{level}"

[destinations.platform]
party = "platform"
adapter = "upper_platform"

[destinations.platform.settings]
mode = "http"
level = "{level}"

[destinations.platform.settings.http]
url = "http://127.0.0.1:9/parcels"

[destinations.platform.settings.http.gateway]
kind = "gjgxjhpt"
sid = "S1"
rid = "R1"
app_key = "file:{key}"
refresh_url = "http://127.0.0.1:9/secret"

[[routes]]
to = ["platform"]
"""


def written(folder: Path, level: str, *parts: str) -> Path:
    region, code = LEVELS[level]
    path = folder / f"{level}.toml"
    path.write_text(HEAD.format(level=level, region=region, code=code) + "".join(parts), "utf-8")
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("k", "ascii")
    return path


def above(level: str, key: Path) -> str:
    return ABOVE.format(level=level, code=LEVELS[level][1], key=key)


def below(level: str) -> str:
    return BELOW.format(code=LEVELS[level][1])


def platform(level: str, key: Path) -> str:
    return PLATFORM.format(level=level, code=LEVELS[level][1], key=key)


def test_hubs_of_district_city_and_province_make_a_chain_that_ends_at_the_nation(tmp_path: Path, key: Path) -> None:
    """Rows 7 to 10: each hub is a party of the one above; only the province reports to the nation."""
    prepare(written(tmp_path, "district", BUREAU, above("city", key)))
    prepare(written(tmp_path, "city", BUREAU, below("district"), above("province", key), CENTRE))
    prepare(written(tmp_path, "province", BUREAU, below("city"), platform("nation", key)))


def test_a_city_without_a_provincial_hub_reports_to_the_provincial_platform(tmp_path: Path, key: Path) -> None:
    """Rows 7 and 8: the provincial 互联网+监管 system itself is above."""
    prepare(written(tmp_path, "city", BUREAU, platform("province", key)))


def test_a_city_that_would_write_to_the_nation_is_refused(tmp_path: Path, key: Path) -> None:
    with pytest.raises(BadConfiguration, match="never writes to the nation"):
        prepare(written(tmp_path, "city", BUREAU, platform("nation", key)))


def test_every_data_set_names_its_library_or_belongs_to_none() -> None:
    """Row 37."""
    named = {dataset: built_in().dataset(dataset).library for dataset in built_in().ids()}

    assert {str(library) for library in named.values() if library} == set(LIBRARIES)
    assert {dataset for dataset, library in named.items() if not library} == {
        "abnormal_notice",
        "exchange_receipt",
        "reconciliation_report",
        "supervise_dynamic",
    }


@pytest.fixture
def libraries() -> Iterator[dict[str, Receiver]]:
    with ExitStack() as stack:
        made = {library: Receiver().start() for library in LIBRARIES}
        for receiver in made.values():
            stack.callback(receiver.stop)
        yield made


def test_each_of_the_eight_libraries_gets_its_own_data_sets_and_no_other(
    tmp_path: Path, libraries: dict[str, Receiver]
) -> None:
    """Row 37: one destination and one route for each library."""
    standard = built_in()
    held = {lib: [d for d in standard.ids() if standard.dataset(d).library == lib] for lib in LIBRARIES}
    parts = ['[parties.desk]\ntitle = "部门"\ncode = "11140200A4L2GB1F45"\n']
    for number, (library, receiver) in enumerate(libraries.items(), 1):
        parts.append(
            f'[parties.library{number}]\ntitle = "{library}"\ncode = "11140000N8Y3CP4F3H"\nkind = "platform"\n'
            f'[destinations.library{number}]\nparty = "library{number}"\nadapter = "rest_push"\ndirection = "across"\n'
            f'settings = {{ url = "{receiver.url}" }}\n'
            f'[[routes]]\ndatasets = {json.dumps(held[library])}\nto = ["library{number}"]\n'
            f'[connections.in{number}]\nparty = "desk"\ndataset = "{held[library][0]}"\n'
        )
    settings, body = prepare(written(tmp_path, "province", *parts))
    hub = build(settings)
    hub.generations.publish(body, "test")
    hub.start(ROLES)
    try:
        for number, library in enumerate(LIBRARIES, 1):
            made = Samples(standard.dataset(held[library][0]), standard, seed=37).records(4)
            lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in made).encode()
            hub.intake.receive(HandOver(connection=f"in{number}", content_type="application/x-ndjson"), [lines])
        until(lambda: all(len(receiver.stored) == 4 for receiver in libraries.values()), 60)
    finally:
        hub.stop()

    assert [len(receiver.stored) for receiver in libraries.values()] == [4] * len(LIBRARIES)


def test_departments_connect_systems_of_their_own_in_the_ways_they_have() -> None:
    """Row 39: the demo city's bureaus hand over by folder, by interface and by the Excel template."""
    text = (Path(__file__).parents[2] / "demo" / "city.toml").read_text("utf-8")
    document = tomllib.loads(text.replace("{{", "{").replace("}}", "}").replace("{port}", "0"))
    departments = {
        name for name, party in document["parties"].items() if party.get("kind", "department") == "department"
    }

    assert {c["party"] for c in document["connections"].values()} == departments
    assert {c["adapter"] for c in document["connections"].values()} >= {"file", "rest"}
    assert any(c.get("dataset") for c in document["connections"].values()), "one fills in the standard's own words"
    assert any(c.get("mapping") for c in document["connections"].values()), "the others keep their own"
