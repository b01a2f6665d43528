"""What the upper platform's adapter decides by itself: who may deliver what to whom, and in whose words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters import registry
from adapters.conformance import refused, settle
from adapters.conformance.parcels import a_parcel, a_record, around, clock, contents, some
from adapters.upper_platform import UpperPlatform, UpperPlatformSettings
from standards.errors import AnswerNotUnderstood, BadConfiguration, BadSetup
from standards.registry import built_in
from tests.adapters.upper_platform.rigs import HttpRig, a_centre, rows

HTTP: dict[str, Any] = {"url": "http://127.0.0.1:1/parcels"}


def test_it_is_found_by_its_name_and_says_what_it_is() -> None:
    manifest = registry.load("upper_platform")

    assert (manifest.kind, manifest.destination_settings) == ("system", UpperPlatformSettings)
    assert "gjgxjhpt" in manifest.about


@pytest.mark.parametrize("level", ["district", "city"])
def test_a_city_never_delivers_to_the_nation(level: str) -> None:
    settings = UpperPlatformSettings(mode="http", level="nation", http=HTTP)

    with pytest.raises(BadConfiguration) as caught:
        UpperPlatform(settings, around(level=level))

    assert "省级" in caught.value.what_zh


def test_a_province_delivers_to_the_nation_with_other_settings() -> None:
    centre = a_centre(level="nation", name="国家监管数据中心（模拟）")
    settings = UpperPlatformSettings(**centre.settings("http"), cd_source="140000")
    destination = UpperPlatform(settings, around("nation", level="province"), clock=clock())

    answer = destination.deliver(some(2))

    assert (answer.level, answer.speaker) == ("nation", "国家监管数据中心（模拟）")
    assert len(centre.stored()) == 2
    destination.close()
    centre.stop()


def test_the_mode_needs_its_part() -> None:
    with pytest.raises(ValidationError, match="mode = table needs the settings under 'table'"):
        UpperPlatformSettings(mode="table", http=HTTP)


def test_a_password_is_never_written_into_the_settings() -> None:
    with pytest.raises(ValidationError, match="a password is not written here"):
        UpperPlatformSettings(mode="table", table={"url": "postgresql+psycopg://hub:pw@db/front"})


def test_a_data_set_that_it_does_not_take_is_the_operators_business() -> None:
    destination = UpperPlatform(
        UpperPlatformSettings(mode="http", http=HTTP, datasets=("check_action",)), around(), clock=clock()
    )

    with pytest.raises(BadSetup) as caught:
        destination.deliver(some(1))

    assert "行政处罚行为" in caught.value.what_zh
    assert "不在该平台的接收范围" in caught.value.what_zh


def test_what_does_not_go_up_is_not_sent_up() -> None:
    [name, *_] = [n for n in built_in().ids() if "up" not in {str(d) for d in built_in().dataset(n).directions}]
    destination = UpperPlatform(
        UpperPlatformSettings(mode="http", http=HTTP, datasets=(name,)), around(), clock=clock()
    )

    with pytest.raises(BadSetup) as caught:
        destination.check()

    assert "不向上报送" in caught.value.what_zh


def test_behaviours_objects_and_items_go_into_their_front_end_tables(tmp_path: Path) -> None:
    datasets = ("check_action", "force_action", "other_action", "supervise_object", "supervise_item_sub")
    centre = a_centre(f"sqlite:///{tmp_path}/centre.db", datasets=datasets)
    settings = UpperPlatformSettings(**centre.settings("table", ask_seconds=0), cd_source="140200")
    destination = UpperPlatform(settings, around(), clock=clock())
    rig: Any = type("Rig", (), {"destination": destination, "work": staticmethod(centre.centre.run_once)})

    for name in datasets:
        lines = settle(rig, some(5, name))
        assert not refused(lines), lines

    counts = {c.dataset: (c.front, c.standard, c.right, c.wrong) for c in centre.counts()}
    assert counts == dict.fromkeys(datasets, (5, 5, 5, 0))
    assert f"{len(datasets)} 张表符合标准" in destination.check()
    destination.close()
    centre.stop()


def test_the_source_is_the_one_that_the_platform_expects(tmp_path: Path) -> None:
    centre = a_centre(f"sqlite:///{tmp_path}/centre.db")
    settings = UpperPlatformSettings(**centre.settings("table", ask_seconds=0), cd_source="140200")
    destination = UpperPlatform(settings, around(), clock=clock())

    destination.deliver(some(1))
    centre.centre.run_once()

    assert rows(centre, "jg_jgxw_punish_action_hj_all", "cd_source") == [("140200",)]
    destination.close()
    centre.stop()


def test_a_body_that_the_platform_got_otherwise_is_noticed() -> None:
    rig = HttpRig()
    way = rig.destination._way
    post = way._http.request

    def changed(method: str, url: str, *, content: bytes, headers: Any) -> Any:
        told = {**dict(headers)}
        told.pop("x-body-sm3", None)
        return post(method, url, content=content.replace(b"city-hub", b"city-hug"), headers=told)

    way._http.request = changed

    with pytest.raises(AnswerNotUnderstood) as caught:
        rig.destination.deliver(a_parcel([a_record(contents(1)[0])]))

    assert "摘要不同" in caught.value.what_zh
    rig.close()
