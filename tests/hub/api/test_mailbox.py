"""A receiver that fetches its parcels and confirms them record by record."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from demo import ecology
from hub import serve
from hub.bootstrap import prepare
from hub.ledger import credentials
from hub.serve import Running
from tests.hub.city import config, until

MORE = """
[destinations.market]
party = "market"
adapter = "mailbox"
parcel = 5

[[routes]]
to = ["market"]
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Running]:
    path = tmp_path / "hub.toml"
    text = config("http://127.0.0.1:9", more=MORE).replace('[[routes]]\nto = ["province"]', "", 1)
    path.write_text(text, "utf-8")
    running = serve.start(*prepare(path))
    yield running
    running.stop()


def client(running: Running, party: str) -> httpx2.Client:
    now = running.hub.clock.now()
    key = running.hub.ledger.write(lambda c: credentials.make(c, party, now, by="test"))[1]
    return httpx2.Client(base_url=running.address, headers={"authorization": f"Bearer {key}"}, timeout=30)


def handed_over(running: Running, count: int) -> str:
    body = b"".join(ecology.pieces(ecology.rows(count)))
    with client(running, "ecology") as ecology_bureau:
        said = ecology_bureau.post("/v1/submissions?connection=ecology-penalties&wait=20", content=body).json()
    return str(said["receipt_no"])


def lying(market: httpx2.Client, count: int) -> list[dict[str, Any]]:
    """What lies in the mailbox, once so many parcels do."""
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = market.get("/v1/mailbox").json()
        return len(found) == count

    until(there)
    return found


def test_parcels_are_shown_until_they_are_confirmed(hub: Running) -> None:
    receipt_no = handed_over(hub, 12)
    with client(hub, "market") as market:
        letters = lying(market, 3)
        assert [letter["count"] for letter in letters] == [5, 5, 2]
        assert [letter["parcel"] for letter in lying(market, 3)] == [letter["parcel"] for letter in letters]
        first = letters[0]
        records = first["event"]["data"]["records"]
        assert first["event"]["id"] == first["parcel"]
        assert records[0]["content"]

        refused = {"cd_id": records[1]["cd_id"], "code": "E7", "element": "case_name", "message": "名称重复"}
        said = market.post(f"/v1/mailbox/{first['parcel']}/receipt", json={"records": [refused]})
        assert said.json()["state"] == "partly"
        again = market.post(f"/v1/mailbox/{first['parcel']}/receipt", json={})
        assert again.json()["state"] == "partly"
        for letter in letters[1:]:
            assert market.post(f"/v1/mailbox/{letter['parcel']}/receipt", json={}).json()["state"] == "accepted"
        assert market.get("/v1/mailbox").json() == []

    view = hub.hub.receipts.receipt(receipt_no)
    assert view is not None
    assert view.state == "settled"
    assert view.document["deliveries"][0]["states"] == {"accepted": 11, "refused": 1}
    told = [f for r in view.document["records"] for f in r["findings"]]
    assert [(f["code"], f["text"]) for f in told] == [("E7", "名称重复")]


def test_nobody_else_sees_or_confirms_them(hub: Running) -> None:
    handed_over(hub, 3)
    with client(hub, "market") as market, client(hub, "ecology") as other:
        letter = lying(market, 1)[0]
        assert other.get("/v1/mailbox").json() == []
        said = other.post(f"/v1/mailbox/{letter['parcel']}/receipt", json={})
        assert said.status_code == 404
        assert len(lying(market, 1)) == 1


def test_a_newer_revision_waits_behind_what_was_not_confirmed(hub: Running) -> None:
    handed_over(hub, 1)
    with client(hub, "market") as market, client(hub, "ecology") as bureau:
        letter = lying(market, 1)[0]
        body = b"".join(ecology.pieces(ecology.rows(1, edition=2)))
        bureau.post("/v1/submissions?connection=ecology-penalties&wait=20", content=body)
        assert [one["parcel"] for one in lying(market, 1)] == [letter["parcel"]]
        market.post(f"/v1/mailbox/{letter['parcel']}/receipt", json={})
        newer = lying(market, 1)[0]
    assert newer["event"]["data"]["records"][0]["revision"] == 2
