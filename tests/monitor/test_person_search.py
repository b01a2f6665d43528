"""A person's records found by the person's number: with the right only, written down, and the number stands nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from hub import serve
from hub.bootstrap import prepare
from hub.ledger.tables import journal
from standards.rights import Right, Role
from tests.hub.api.asking import Ask, Asker
from tests.hub.city import config
from tests.hub.people import a_person, a_session
from tests.hub.tasks.test_journeys import Province, sample
from tests.receiver import Receiver

NUMBER, OTHER = "140211199003070015", "14021119900307004X"
EXTRA = '[connections.objects]\nparty = "market"\ndataset = "supervise_object"\n'


def search(number: str) -> Ask:
    return Ask("POST", "/console/search", "/console/search", {}, body={"what": number, "by": "person"})


@pytest.mark.parametrize("key", ["22" * 16, ""], ids=["with a key", "without one"])
def test_a_person_is_found_by_number_for_who_has_the_right_where_the_ledger_has_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("TEST_LEDGER_KEY", key)
    receiver = Receiver().start()
    path = tmp_path / "hub.toml"
    text = config(receiver.url, more=EXTRA)
    path.write_text(text.replace("[ledger]", '[ledger]\nkey = "env:TEST_LEDGER_KEY"') if key else text, "utf-8")
    running = serve.start(*prepare(path))
    try:
        person = sample(
            "supervise_object", object_kind="03", object_code=NUMBER, cert_no=NUMBER, cert_type="516", cert_name="x"
        )
        person.pop("cert_name")
        said = (
            Province(running, receiver)
            .client("market")
            .post("/v1/submissions?connection=objects&wait=20&name=a.json", json=[person])
        )
        assert said.json()["counts"]["accepted"] == 1, said.text
        hub = running.hub
        full = Asker(
            running, a_session(hub, a_person(hub, "cha.ren", roles=[Role.OPERATOR], more=[Right.BODIES, Right.UNMASK]))
        )
        half = Asker(running, a_session(hub, a_person(hub, "ban.ge", roles=[Role.OPERATOR], more=[Right.BODIES])))

        refused, found, none = half.ask(search(NUMBER)), full.ask(search(NUMBER)), full.ask(search(OTHER))

        link = f'href="/console/records/{said.json()["receipt_no"]}/1"'
        assert refused.status_code == 403
        assert link not in refused.text
        if not key:
            assert "ledger.key" in found.text
            assert link not in found.text
            return
        assert link in found.text
        assert NUMBER not in str(found.url)
        assert "没有找到" in none.text
        with hub.ledger.read() as connection:
            rows = connection.execute(select(journal.c.actor, journal.c.detail)).all()
        told = [(who, json.loads(detail)) for who, detail in rows if '"person"' in detail]
        assert [(who, one["by"], one["found"]) for who, one in told] == [
            ("user:cha.ren", "person", 1),
            ("user:cha.ren", "person", 0),
        ]
        assert not [detail for _who, detail in rows if NUMBER in detail or OTHER in detail]
    finally:
        running.stop()
        receiver.stop()
