"""Who is confined to a region: no page and no answer tells anything of the parties of another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from hub import serve
from hub.api.console.menu import MENUS
from hub.bootstrap import prepare
from hub.ledger.tables import case_, record, record_head, submission, task
from standards.rights import OF_ADMINISTRATORS, Right, Role
from tests.hub.api.asking import Ask, Asker, gets, words_of
from tests.hub.city import config, until
from tests.hub.people import a_person, a_session
from tests.hub.tasks.test_journeys import Province, complaint, sample
from tests.receiver import Receiver

HERE, THERE = "11140214MB1C22222J", "11140212MB1D333331"
EXTRA = """
[connections.from-above]
party = "centre"
dataset = "complaint_report"
tasks = true

[parties.yungangju]
title = "云冈区综合执法局"
code = "{here}"
region = "140214"

[parties.xinrongju]
title = "新荣区综合执法局"
code = "{there}"
region = "140212"

[destinations.yungang-box]
party = "yungangju"
adapter = "mailbox"

[destinations.xinrong-box]
party = "xinrongju"
adapter = "mailbox"
"""
for _name in ("yungangju", "xinrongju"):
    EXTRA += f"""
[connections.{_name}-penalties]
title = "{_name}处罚"
party = "{_name}"
dataset = "punish_action"

[connections.{_name}-objects]
party = "{_name}"
dataset = "supervise_object"

[connections.{_name}-answers]
party = "{_name}"
dataset = "complaint_feedback"
"""
NOWHERE = "0192f0c1-0000-7000-8000-000000000001"


class Regions(Province):
    """Two parties of two regions, which hand over the same, have the same faults and a task each."""

    def __init__(self, running: serve.Running, receiver: Receiver) -> None:
        super().__init__(running, receiver)
        for number, (party, code) in enumerate((("yungangju", HERE), ("xinrongju", THERE))):
            client = self.client(party)
            good = sample("punish_action", punish_action_code=f"KEY-{party}-1")
            for rows in ([good], [{**good, "punish_action_code": f"KEY-{party}-2", "wrong": "x"}, {"wrong": "y"}]):
                client.post(f"/v1/submissions?connection={party}-penalties&wait=20&name={party}.json", json=rows)
            client.post(f"/v1/submissions?connection={party}-objects&wait=20&name={party}.json", json=[{"no": "z"}])
            self.hand_down("from-above", complaint(f"C-{party}", code) | {"upper_no": f"U-{number}"})
            until(lambda party=party: len(self.tasks(party)) == 1)
        for party in ("yungangju", "xinrongju"):
            self.client("").post("/v1/reports/rectification", json={"party": party})

    def asker(self, name: str, **words: Any) -> Asker:
        hub = self.running.hub
        return Asker(self.running, a_session(hub, a_person(hub, name, **words)))

    def of(self, party: str) -> tuple[dict[str, list[str]], set[str]]:
        """What may stand in the gaps of addresses for what a party has, and everything that tells of the party."""
        with self.running.hub.ledger.read() as connection:

            def column(statement: Any) -> list[str]:
                found = [one for one in connection.execute(statement).scalars() if one]
                return [one.hex() if isinstance(one, bytes) else str(one) for one in found]

            handed = select(submission.c.receipt_no).where(submission.c.party == party)
            receipts = column(handed.order_by(submission.c.receipt_no))
            ids = select(submission.c.id).where(submission.c.party == party)
            keys = column(select(record_head.c.key_hash).where(record_head.c.party == party))
            records = column(select(record.c.cd_id).where(record.c.submission_id.in_(ids)))
            tasks = column(select(task.c.id).where(task.c.assignee == party))
            cases = column(select(case_.c.id).where(case_.c.party == party))
        groups = [one["group"] for one in self.client("").get("/v1/failures").json() if one["party"] == party]
        assert receipts
        assert keys
        assert tasks
        assert cases
        assert groups
        title = self.running.hub.generations.current().settings.parties[party].title
        code = HERE if party == "yungangju" else THERE
        told = {party, title, code, *receipts, *keys, *records, *tasks, *cases, *groups, f"KEY-{party}-1"}
        known = {
            "receipt_no": receipts,
            "row": ["1"],
            "key": keys,
            "task": tasks,
            "case": cases,
            "group": groups,
            "replay": [NOWHERE],
            "identifier": [NOWHERE],
            "reconciliation": [NOWHERE],
            "/console/flows/from/{name}": [f"{party}-penalties"],
            "/console/flows/to/{name}": ["xinrong-box" if party == "xinrongju" else "yungang-box"],
            "/console/flows/party/{name}": [party],
            "/console/people/{name}": ["nobody"],
            "/console/standards/lists/{name}": ["CL_CERT_TYPE"],
            "/v1/standards/codelists/{name}": ["CL_CERT_TYPE"],
            "/v1/destinations/{name}": ["xinrong-box" if party == "xinrongju" else "yungang-box"],
            "name": ["punish_action"],
            "form": ["template.xlsx"],
            "connection": [f"{party}-penalties"],
            "flow": ["complaint"],
            "dataset": ["punish_action"],
            "to": ["/console/"],
        }
        return known, told

    def asks(self, party: str) -> Iterator[Ask]:
        assert self.running.server is not None
        known, _told = self.of(party)
        # From the address of this machine /metrics asks for nobody; from elsewhere it is not for a region.
        others = (one for one in gets(self.running.server.app, known) if one.path != "/metrics")
        yield from (one for one in others if one.room != "sender")
        # What is chosen by a query: of that party, its connection, its failures.
        for path in ("submissions", "search", "failures", "cases", "rectification", "tasks", "cases/group"):
            for room in ("/console", "/v1"):
                address = f"{room}/{'reports/' if room == '/v1' and path == 'rectification' else ''}{path}"
                yield Ask("GET", address, address, {"party": party})
                yield Ask("GET", address, address, {"connection": f"{party}-penalties"})
        yield Ask("POST", "/console/search", "/console/search", {}, body={"what": f"KEY-{party}-1"})
        yield Ask("POST", "/v1/trace", "/v1/trace", {}, body={"record": f"{known['receipt_no'][0]}#1"})
        yield Ask("POST", "/v1/records/history", "/v1/records/history", {}, body=self.history(party))

    @staticmethod
    def history(party: str) -> dict[str, Any]:
        return {"dataset": "punish_action", "key": [f"KEY-{party}-1"]}


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Regions]:
    receiver = Receiver().start()
    path = tmp_path_factory.mktemp("regions") / "hub.toml"
    path.write_text(config(receiver.url, more=EXTRA.format(here=HERE, there=THERE)), "utf-8")
    running = serve.start(*prepare(path))
    yield Regions(running, receiver)
    running.stop()
    receiver.stop()


def told_of(regions: Regions, asker: Asker, party: str) -> dict[str, set[str]]:
    """Route -> what it tells of a party, beside what was asked for in the address."""
    _known, told = regions.of(party)
    found: dict[str, set[str]] = {}
    for one in regions.asks(party):
        answer = asker.ask(one)
        assert answer.status_code < 500, (one, answer.text[:500])
        # What was typed may come back, and a refusal may name what it refuses.
        typed = [*one.query.values(), *map(str, (one.body or {}).values())]
        asked = " ".join([*typed, one.address] if answer.status_code >= 400 else typed)
        words = {word for word in told if word not in asked}
        said = {word for word in words if word in words_of(answer)}
        if said:
            found.setdefault(one.name, set()).update(said)
    return found


@pytest.mark.parametrize(
    "more", [(), tuple(sorted(set(Right) - OF_ADMINISTRATORS))], ids=["region administrator", "with every right"]
)
def test_of_another_region_nothing_is_told_on_any_page_or_in_any_answer(
    regions: Regions, more: tuple[Right, ...]
) -> None:
    asker = regions.asker(f"qu.yu.{len(more)}", roles=[Role.REGION_ADMIN], more=more, region="140214")

    assert told_of(regions, asker, "xinrongju") == {}


def test_of_the_own_region_everything_is_told_that_is_cut_to_it(regions: Regions) -> None:
    """Else the test above would pass with every door closed."""
    asker = regions.asker("qu.yu.own", roles=[Role.REGION_ADMIN], more=[Right.BODIES], region="140214")

    found = told_of(regions, asker, "yungangju")

    assert set(found) >= {
        "GET /console/",
        "GET /console/cases",
        "GET /console/cases/group",
        "GET /console/tasks",
        "GET /console/tasks/{task}",
        "GET /console/submissions/{receipt_no}",
        "GET /console/search",
        "POST /console/search",
        "GET /console/records/{receipt_no}/{row}",
        "GET /console/records/of/{key}",
        "GET /console/rectification",
        "GET /console/flows",
        "GET /console/flows/party/{name}",
        "GET /console/flows/from/{name}",
        "GET /console/coverage",
        "GET /console/coverage/{connection}",
        "GET /console/reports",
        "GET /console/report.xlsx",
        "GET /v1/reports",
        "GET /v1/reports/workbook",
        "GET /v1/coverage",
        "GET /v1/cases",
        "GET /v1/cases/{case}",
        "GET /v1/tasks",
        "GET /v1/submissions",
        "GET /v1/receipts/{receipt_no}",
        "GET /v1/failures",
        "GET /v1/failures/{group}",
        "GET /v1/connections",
        "GET /v1/connections/stages",
    }


def test_the_hub_s_own_people_are_told_of_every_region(regions: Regions) -> None:
    asker = regions.asker("yun.wei", roles=[Role.OPERATOR])

    found = told_of(regions, asker, "xinrongju")

    assert {"GET /console/flows", "GET /console/failures", "POST /console/search", "GET /console/parties"} <= set(found)


def test_the_menu_leads_to_what_may_be_opened_and_to_nothing_else(regions: Regions) -> None:
    asker = regions.asker("qu.yu.menu", roles=[Role.REGION_ADMIN], region="140214")

    first = words_of(asker.ask(Ask("GET", "/console/", "/console/", {})))
    refused = {}
    for item in MENUS["console"]:
        path = "/console/" if item.name == "overview" else f"/console/{item.name}"
        refused[item.name] = asker.ask(Ask("GET", path, path, {})).status_code == 403
        assert refused[item.name] != (f'href="{path}"' in first), item.name

    assert not any(refused[name] for name in ("flows", "coverage", "reports"))
    assert refused["parties"]


def test_in_a_region_places_are_counted_among_its_parties(regions: Regions) -> None:
    here = regions.asker("qu.yu.rank", roles=[Role.REGION_ADMIN], region="140214")
    whole = regions.asker("yun.wei.rank", roles=[Role.OPERATOR])
    ask = Ask("GET", "/v1/reports", "/v1/reports", {})

    mine, everybody = here.ask(ask).json(), whole.ask(ask).json()

    row = next(one for one in everybody["parties"] if one["party"] == "yungangju")
    assert {one["party"] for one in everybody["parties"]} >= {"yungangju", "xinrongju"}
    assert mine["parties"] == [{**row, "rank": 1, "ranked": 1}], "its score stands by itself"
    assert [one["region"] for one in mine["regions"]] == ["140214"]
    assert (mine["within"], everybody["within"]) == ("140214", "")
    page = words_of(here.ask(Ask("GET", "/console/reports", "/console/reports", {})))
    assert "仅含 140214 区域内单位，名次为区域内名次" in page
    assert "/console/circular" not in page


@pytest.mark.parametrize("path", ["/console/flows/from/{}", "/console/coverage/{}", "/v1/coverage"])
def test_a_name_that_nearly_is_one_of_another_region_is_refused_without_it(regions: Regions, path: str) -> None:
    asker = regions.asker(f"qu.yu.near.{len(path)}", roles=[Role.REGION_ADMIN], region="140214")
    name = "xinrongju-penaltie"

    answer = asker.ask(Ask("GET", path, path.format(name), {"connection": name} if "{}" not in path else {}))

    assert answer.status_code == 403
    assert "xinrongju-penalties" not in answer.text


def test_deeds_on_lines_stay_with_who_sees_the_whole_hub(regions: Regions) -> None:
    more = tuple(sorted(set(Right) - OF_ADMINISTRATORS))
    asker = regions.asker("qu.yu.deeds", roles=[Role.REGION_ADMIN], more=more, region="140214")
    line = "/console/flows/from/yungangju-penalties"

    assert f'action="{line}' not in words_of(asker.ask(Ask("GET", line, line, {})))
    for deed in ("pause", "resume", "test"):
        refused = asker.ask(Ask("POST", line, f"{line}/{deed}", {}, body={"reason": "x"}))
        assert refused.status_code == 403, deed
    box = "/console/flows/to/yungang-box"
    assert asker.ask(Ask("GET", box, box, {})).status_code == 403
    party = "/console/flows/party/yungangju"
    assert box not in words_of(asker.ask(Ask("GET", party, party, {})))
