"""A simulated system behind a gateway: keys of its own, and nothing for whoever does not sign."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from adapters.signing import decrypt, sharing_sign
from adapters.simulators.counterpart import Counterpart
from adapters.systems import load_system
from adapters.systems.recipe import recipe

SID, RID = "FW140000001", "QQ140000001"


@pytest.fixture
def nation(tmp_path: Path) -> Iterator[Counterpart]:
    made = Counterpart(load_system("national_platform"), tmp_path / "national_platform").start()
    yield made
    made.stop()


def signed(secret: str) -> dict[str, str]:
    now = str(int(time.time() * 1000))
    sign = sharing_sign(SID, RID, now, secret)
    return {"gjgxjhpt_sid": SID, "gjgxjhpt_rid": RID, "gjgxjhpt_rtime": now, "gjgxjhpt_sign": sign}


def ask(nation: Counterpart, secret: str) -> httpx2.Response:
    query = {"cd_source": "140000", "submitted_date": nation.words()["day"], "table_id": "1"}
    return httpx2.get(f"{nation.url}/checks", params=query, headers=signed(secret), trust_env=False)


def test_the_settings_refer_to_the_key_and_do_not_hold_it(nation: Counterpart) -> None:
    kind, _, path = nation.words()["secret:national_app_key"].partition(":")
    key = Path(path).read_text("ascii")

    text = recipe(nation.system, nation.words())

    assert (kind, Path(path).stat().st_mode & 0o777) == ("file", 0o600)
    assert f"file:{path}" in text
    assert key not in text


def test_who_does_not_sign_with_a_fresh_secret_gets_an_error_object(nation: Counterpart) -> None:
    nation.announce("checks", 2)
    key = Path(nation.words()["secret:national_app_key"].partition(":")[2]).read_text("ascii")

    refused = ask(nation, key)
    fetched = httpx2.post(f"{nation.url}/gateway", content=json.dumps(signed(key)), trust_env=False).json()
    answered = ask(nation, decrypt(key, fetched["data"]["secret"]))

    assert refused.json()["errCode"] == "-1"
    assert len(answered.json()) == 2


def test_a_day_without_data_is_told_in_a_plain_sentence(nation: Counterpart) -> None:
    key = Path(nation.words()["secret:national_app_key"].partition(":")[2]).read_text("ascii")
    fetched = httpx2.post(f"{nation.url}/gateway", content=json.dumps(signed(key)), trust_env=False).json()

    assert ask(nation, decrypt(key, fetched["data"]["secret"])).text == "没有数据或者时间格式错误"
