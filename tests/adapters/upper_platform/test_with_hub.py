"""A city's hub delivers to the provincial centre, in both modes: what it judges comes back to the sender."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from adapters.conformance.parcels import contents
from adapters.upper_platform import simulator
from adapters.upper_platform.simulator import Organisation, Running
from hub.bootstrap import Hub, build, prepare
from hub.dispatch.doors import open_door
from hub.generations import assemble
from hub.ledger.tables import case_
from hub.vault import NO_SEAL
from standards.errors import BadConfiguration
from standards.model import FilledBy
from standards.ports import HandOver, ReceiptView
from standards.registry import built_in
from tests.hub.city import until

MARKET = "111402001D22DR363Y"
CONFIG = """
republish = 1.0

[hub]
name = "datong"
title = "大同市监管数据交换枢纽"
level = "city"
region = "140200"
code = "11140200E9QM7HGU4X"

[api]
port = 0

[parties.market]
title = "大同市市场监督管理局"
code = "111402001D22DR363Y"

[parties.centre]
title = "省监管数据中心"
code = "11140000N8Y3CP4F3H"
kind = "platform"
level = "province"

[connections.penalties]
party = "market"
dataset = "punish_action"

[destinations.province]
party = "centre"
adapter = "upper_platform"
parcel = 20
retry = {{ waits = ["0.1s", "0.3s"], probe = "0.2s" }}

[destinations.province.settings]
{settings}

[[routes]]
to = ["province"]
"""


@dataclass
class Province:
    """A hub in this process and the centre it delivers to."""

    hub: Hub
    centre: Running

    def settled(self, records: list[dict[str, str]]) -> ReceiptView:
        """Hand over, and wait until every delivery has ended."""
        body = json.dumps(records).encode()
        taken = self.hub.intake.receive(HandOver(connection="penalties"), [body])
        until(lambda: self.hub.receipts.state(taken.receipt_no) in ("settled", "stalled"), 60)
        view = self.hub.receipts.receipt(taken.receipt_no)
        assert view is not None
        assert view.state == "settled", view.document
        return view

    def open_cases(self) -> int:
        """How many."""
        with self.hub.ledger.read() as connection:
            asked = select(func.count()).select_from(case_).where(case_.c.closed_at.is_(None))
            return connection.execute(asked).scalar_one()

    def arrived(self) -> Counter[tuple[str, str]]:
        """How often each revision of each record arrived."""
        return Counter((a["cd_id"], a["revision"]) for a in self.centre.arrivals())


def penalties(size: int, **changes: str) -> list[dict[str, str]]:
    """What a sender fills of that many valid records."""
    own = [e.id for e in built_in().dataset("punish_action").elements if e.filled_by is FilledBy.SENDER]
    return [{k: r[k] for k in own if r.get(k)} | changes for r in contents(size)]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)


def _centre(request: pytest.FixtureRequest, mode: str) -> Running:
    words: dict[str, Any] = {"datasets": ["punish_action"], "every": 0.05}
    match mode:
        case "table-postgresql":
            return simulator.start(
                request.getfixturevalue("postgres_url"), organisations=[Organisation("datong", "ds_140200_")], **words
            )
        case "table-sqlite":
            return simulator.start(**words)
        case _:
            return simulator.start(sharing={("datong", "S1"): "111111"}, judge_later=mode == "http-later", **words)


def _settings(centre: Running, mode: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    if mode.startswith("table"):
        more = {}
        if password := make_url(centre.database_url).password:
            monkeypatch.setenv("CENTRE_PASSWORD", str(password))
            more = {"password": "env:CENTRE_PASSWORD"}
        return {**centre.settings("table", ask_seconds=0.1, **more), "cd_source": "140200"}
    monkeypatch.setenv("APP_KEY", "111111")
    gateway = {
        "kind": "gjgxjhpt",
        "sid": "S1",
        "rid": "datong",
        "app_key": "env:APP_KEY",
        "refresh_url": centre.secret_url,
    }
    return centre.settings("http", gateway=gateway, ask_seconds=0.1, quick_tries=1)


@pytest.fixture
def province(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Province]:
    """A city's hub and the provincial centre, in each mode."""
    centre = _centre(request, request.param)
    settings = _settings(centre, request.param, monkeypatch)
    path = tmp_path / "hub.toml"
    path.write_text(CONFIG.format(settings="\n".join(f"{k} = {_toml(v)}" for k, v in settings.items())), "utf-8")
    parsed, body = prepare(path)
    hub = build(parsed)
    hub.generations.publish(body, "test")
    hub.start()
    yield Province(hub, centre)
    hub.stop()
    centre.stop()


@pytest.mark.parametrize("province", ["http", "http-later", "table-sqlite", "table-postgresql"], indirect=True)
def test_what_the_centre_judges_comes_back_to_the_sender(province: Province) -> None:
    records = penalties(60)
    province.centre.switch(wrong=0.1)
    wrong = {key for key in (f"{MARKET}-{r['punish_action_code']}" for r in records) if _is_wrong(province, key)}
    assert 1 <= len(wrong) <= 20

    view = province.settled(records)

    assert (view.read, view.accepted) == (60, 60), view.document
    assert view.document["deliveries"][0]["states"] == {"accepted": 60 - len(wrong), "refused": len(wrong)}
    told = {f["element"]: f for r in view.document["records"] for f in r["findings"]}
    assert len(view.document["records"]) == len(wrong) == province.open_cases()
    for element, finding in told.items():
        assert element in built_in().dataset("punish_action").by_id
        assert (finding["code"], finding["level"]) == ("90002", "province")
        assert "与省级数据比对不一致" in finding["text"]
    spoken = view.document["receipts"][-1]
    assert (spoken["level"], spoken["accepted"], spoken["refused"]) == ("province", 60 - len(wrong), len(wrong))
    words = province.hub.receipts.words(view.receipt_no)
    assert "省级平台：" in words
    assert "与省级数据比对不一致" in words
    [count] = province.centre.counts()
    assert (count.front, count.standard, count.right, count.wrong) == (60, 60, 60 - len(wrong), len(wrong))
    assert set(province.arrived().values()) == {1}
    assert {s.cd_id for s in province.centre.stored()}.isdisjoint(wrong)
    assert {s.times for s in province.centre.stored()} == {1}

    province.centre.switch(wrong=0.0)
    mended = province.settled([r | {"penalty_result": "罚款贰仟元，已核对"} for r in records])

    assert mended.document["deliveries"][0]["states"] == {"accepted": 60}
    assert province.open_cases() == 0
    [count] = province.centre.counts()
    assert (count.front, count.right, count.wrong) == (60, 60, 0)


@pytest.mark.parametrize("province", ["http-later", "table-postgresql"], indirect=True)
def test_a_centre_in_trouble_stores_every_revision_once(province: Province) -> None:
    province.centre.switch(failing=0.2, lost_answer=0.3, duplicate=0.3, out_of_order=True)

    first = province.settled(penalties(40))
    second = province.settled(penalties(40, penalty_result="第二版"))

    for view in (first, second):
        assert view.document["deliveries"][0]["states"] == {"accepted": 40}
    stored = province.centre.stored()
    assert len(stored) == 80
    assert {s.times for s in stored} == {1}
    newest = {s.cd_id: s for s in sorted(stored, key=lambda s: int(s.revision))}
    assert len(newest) == 40
    assert all(s.operation == "u" for s in newest.values())


@pytest.mark.parametrize("province", ["http"], indirect=True)
def test_a_centre_that_is_closed_gets_everything_when_it_opens(province: Province) -> None:
    province.centre.switch(closed=True)
    body = json.dumps(penalties(20)).encode()
    taken = province.hub.intake.receive(HandOver(connection="penalties"), [body])
    until(lambda: province.hub.receipts.state(taken.receipt_no) == "judged")

    province.centre.switch(closed=False)

    until(lambda: province.hub.receipts.state(taken.receipt_no) == "settled")
    assert len(province.centre.stored()) == 20


def _is_wrong(province: Province, key: str) -> bool:
    return province.centre.service.faults.refuses(key)


@pytest.mark.parametrize(("party", "platform"), [("nation", "province"), ("nation", "nation"), ("province", "nation")])
def test_a_citys_settings_that_go_past_the_province_are_refused(tmp_path: Path, party: str, platform: str) -> None:
    settings = {"mode": "http", "level": platform, "http": {"url": "http://127.0.0.1:1/parcels"}}
    text = CONFIG.format(settings="\n".join(f"{k} = {_toml(v)}" for k, v in settings.items()))
    path = tmp_path / "hub.toml"
    path.write_text(text.replace('level = "province"\n\n[conn', f'level = "{party}"\n\n[conn'), "utf-8")

    with pytest.raises(BadConfiguration, match="nation"):
        _as_hub_check_does(path)


def _as_hub_check_does(path: Path) -> None:
    """The settings first; then the destination is really tried."""
    _, body = prepare(path)
    open_door(assemble(1, body, path.parent, NO_SEAL), "province").check()
