"""Two hubs in processes of their own, city and province, and the national simulator above them; one is killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.upper_platform import simulator
from adapters.upper_platform.simulator import Organisation, Running
from demo import ecology
from tests.hub.faults.rig import HubProcess, pause
from tests.hub.levels.chain import CODES, CONFIG, free_port
from tests.services.postgres import Databases


@pytest.fixture
def nation() -> Iterator[Running]:
    with simulator.start(
        organisations=[Organisation("province")], datasets=["punish_action"], level="nation"
    ) as running:
        yield running


def toml(value: Any) -> str:
    """A value as TOML writes it in a line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def hub(folder: Path, level: str, above: str, adapter: str, settings: dict[str, Any], ledger: str) -> HubProcess:
    region, code = CODES[level]
    text = CONFIG.format(
        level=level,
        region=region,
        code=code,
        below_code=CODES["district" if level == "city" else "city"][1],
        above=above,
        adapter=adapter,
        settings=toml(settings),
        ledger=ledger,
        port=free_port(),
        parcel=100,
        more="",
    )
    folder.mkdir()
    (folder / "hub.toml").write_text(text, "utf-8")
    return HubProcess(folder)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("records", "killed"),
    [
        pytest.param(1_500, "province", id="1500-province"),
        pytest.param(10_000, "province", id="10k-province", marks=pytest.mark.full),
        pytest.param(10_000, "city", id="10k-city", marks=pytest.mark.full),
    ],
)
def test_every_record_goes_up_once_and_every_receipt_comes_down_though_a_hub_is_killed(
    records: int, killed: str, nation: Running, postgres: Databases, tmp_path: Path
) -> None:
    database = postgres.create()
    above = nation.settings("http", quick_tries=1)
    province = hub(tmp_path / "province", "province", "nation", "upper_platform", above, "")
    province.start()
    key = tmp_path / "key"
    key.write_text(province.client().post("/v1/keys", json={"party": "below"}).json()["key"], "ascii")
    address = (province.state / "address").read_text("ascii")
    to_province = {"url": address, "key": f"file:{key}", "quick_tries": 1}
    city = hub(tmp_path / "city", "city", "province", "hub", to_province, database)
    city.start()
    try:
        body = b"".join(ecology.pieces(ecology.rows(records)))
        receipt_no = city.client().post("/v1/submissions?connection=penalties", content=body).json()["receipt_no"]
        city.until(lambda: len(nation.stored()) > records * 0.2, 120)

        one = province if killed == "province" else city
        one.kill()
        pause(1)
        one.start()

        city.until(lambda: _spoken(city, receipt_no).get("nation", 0) >= records, 300)
        stored = nation.stored("punish_action")
        assert Counter(s.cd_id for s in stored) == Counter(
            f"{ecology.BUREAU_CODE}-{r.key}" for r in ecology.rows(records)
        )
        assert {s.times for s in stored} == {1}
        assert _spoken(city, receipt_no) == {"city": records, "province": records, "nation": records}
        places = city.client().post("/v1/trace", json={"record": next(ecology.rows(1)).key}).json()
        assert [(p["level"], p["deliveries"][0]["state"]) for p in places] == [
            ("city", "accepted"),
            ("province", "accepted"),
        ]
    finally:
        city.stop()
        province.stop()
        postgres.drop(database)


def _spoken(city: HubProcess, receipt_no: str) -> dict[str, int]:
    said = city.client().get(f"/v1/receipts/{receipt_no}").json()["receipts"]
    return {one["level"]: one["accepted"] for one in said}
