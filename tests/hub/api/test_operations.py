"""The operator's verbs over the API and on the command line."""

import json
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from demo import ecology
from hub.cli.main import app
from tests.hub.api.conftest import Door
from tests.hub.city import until


def csv(count: int, seed: int) -> bytes:
    return b"".join(ecology.pieces(ecology.rows(count, seed=seed, first=seed * 1000)))


def told(door: Door, *words: str, key: str | None = None) -> tuple[int, str]:
    """Exit code and output of a command against the served hub."""
    key = key or door.operator.headers["authorization"].removeprefix("Bearer ")
    done = CliRunner().invoke(app, [*words, "--url", door.running.address, "--key", key])
    return done.exit_code, done.output


def hand_over(door: Door, data: bytes) -> str:
    said = door.ecology.post(
        "/v1/submissions?connection=ecology-penalties", content=data, headers={"content-type": "text/csv"}
    )
    assert said.status_code == 202, said.text
    return str(said.json()["receipt_no"])


def standing(door: Door) -> dict[str, Any]:
    """How the destination stands."""
    found: dict[str, Any] = door.operator.get("/v1/status").json()["destinations"].get("province", {})
    return found


def test_health_says_what_can_be_used(door: Door) -> None:
    assert door.operator.get("/healthz").json() == {"status": "ok"}
    ready = door.operator.get("/readyz")
    assert ready.status_code == 200
    assert set(ready.json()["checks"]) == {"ledger", "ledger form", "broker", "settings", "canaries"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/status"),
        ("GET", "/v1/connections"),
        ("POST", "/v1/destinations/province/pause"),
        ("POST", "/v1/destinations/province/resume"),
        ("GET", "/v1/destinations/province/stopped"),
        ("POST", "/v1/destinations/province/stopped"),
        ("GET", "/v1/keys"),
        ("POST", "/v1/keys"),
        ("DELETE", "/v1/keys/x"),
        ("POST", "/v1/crosswalks"),
    ],
)
def test_a_party_may_not_do_what_operators_do(door: Door, method: str, path: str) -> None:
    said = door.ecology.request(method, path, json={})
    assert said.status_code == 403, said.text
    assert said.json()["type"].endswith("not-allowed")


def test_pause_and_resume_are_written_down_and_nothing_is_skipped(door: Door) -> None:
    assert told(door, "destination", "pause", "province", "--reason", "换证书")[0] == 0
    receipt = hand_over(door, csv(5, seed=3))
    until(lambda: door.ecology.get(f"/v1/receipts/{receipt}").json()["state"] == "judged")
    assert standing(door)["state"] == "paused"
    assert "换证书" in standing(door)["reason"]
    assert "已暂停" in told(door, "status")[1]

    code, said = told(door, "destination", "resume", "province")

    assert code == 0
    assert "已恢复" in said
    until(lambda: door.ecology.get(f"/v1/receipts/{receipt}").json()["state"] == "settled")


def test_a_destination_that_is_not_there_is_told(door: Door) -> None:
    code, said = told(door, "destination", "pause", "provinz")
    assert code == 2
    assert "provinz" in said


def test_parcels_that_stopped_are_listed_and_sent_again_with_a_reason(door: Door) -> None:
    assert json.loads(told(door, "destination", "stopped", "province", "--json")[1]) == []
    code, said = told(door, "destination", "resend", "province", "--reason", "试")
    assert code == 0
    assert "0" in said
    refused = door.operator.post("/v1/destinations/province/stopped", json={"verb": "resend", "reason": ""})
    assert refused.status_code == 422


def test_a_key_is_made_listed_without_itself_and_revoked(door: Door) -> None:
    code, said = told(door, "key", "new", "market", "--note", "备用", "--json")
    made = json.loads(said)
    assert code == 0
    assert made["key"] not in door.operator.get("/v1/keys").text
    assert told(door, "submit", "--help")[0] == 0
    assert door.operator.get("/v1/failures", headers={"authorization": f"Bearer {made['key']}"}).status_code == 200

    assert told(door, "key", "revoke", made["id"])[0] == 0

    until(
        lambda: door.operator.get("/v1/failures", headers={"authorization": f"Bearer {made['key']}"}).status_code == 401
    )


def test_a_party_sees_its_own_failures_only(door: Door) -> None:
    row = next(r for r in ecology.rows(200, faults=0.5, seed=9, first=9000) if r.fault)
    receipt = hand_over(door, b"".join(ecology.pieces(iter([row]))))
    until(lambda: door.ecology.get(f"/v1/receipts/{receipt}").json()["state"] in ("judged", "settled"))

    mine = door.ecology.get("/v1/failures").json()

    assert any(group["sample"]["receipt_no"] == receipt for group in mine)
    assert door.market.get("/v1/failures").json() == []
    code, said = told(door, "failures")
    assert code != 0  # there is something to do
    assert "报送错误" in said


def test_people_are_made_given_roles_disabled_and_reset_on_the_command_line(door: Door) -> None:
    code, made = told(door, "user", "add", "ming.ling", "--title", "命令行甲", "--role", "operator", "--json")
    assert code == 0, made
    assert len(json.loads(made)["password"]) == 16
    assert told(door, "user", "add", "ming.ling", "--title", "命令行甲")[0] != 0, "the name is taken"
    code, said = told(door, "user", "roles", "ming.ling", "--role", "system_admin", "--role", "audit_admin")
    assert code != 0
    assert "三员分立" in said
    assert told(door, "user", "roles", "ming.ling", "--role", "viewer", "--right", "bodies")[0] == 0
    assert told(door, "user", "disable", "ming.ling", "--reason", "left")[0] == 0
    (one,) = [row for row in json.loads(told(door, "user", "list", "--json")[1]) if row["name"] == "ming.ling"]
    assert (one["active"], one["roles"], one["more"]) == (False, ["viewer"], ["bodies"])
    assert told(door, "user", "enable", "ming.ling")[0] == 0
    code, again = told(door, "user", "reset", "ming.ling", "--factor", "--json")
    assert code == 0
    assert json.loads(again)["password"] != json.loads(made)["password"]
    code, key = told(door, "key", "new", "ecology", "--right", "see", "--json")
    assert code == 0
    client = httpx2.Client(base_url=door.running.address, headers={"authorization": f"Bearer {json.loads(key)['key']}"})
    assert client.get("/v1/submissions").status_code == 200
    assert client.post("/v1/judge?connection=checks", content=b"[]").status_code == 403
