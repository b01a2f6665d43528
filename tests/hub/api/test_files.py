"""Files with content: nobody reads a personal value in one without the right, and who reads it is written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from hub import serve
from hub.bootstrap import prepare
from hub.ledger.tables import case_, delivery, journal, record_head, replay, task
from standards.identifiers import check_id_number
from standards.rights import Right, Role
from tests.hub.api.asking import Ask, Asker, gets, words_of
from tests.hub.city import config, until
from tests.hub.people import a_person, a_session
from tests.hub.tasks.test_journeys import MARKET, MORE, Province, complaint, sample
from tests.receiver import Receiver

EXTRA = """
[connections.market-objects]
party = "market"
dataset = "supervise_object"

[connections.market-attachments]
party = "market"
dataset = "supervise_dynamic"

[connections.duals]
party = "centre"
dataset = "dual_notice"
tasks = true
"""
#: Planted: a person's number, telephone numbers, a name.
NUMBER, PHONE, TEL, NAME = "140211199003070015", "13807654321", "13907651234", "司马测甲"
CODE, OTHER = "91340828YKM9YRA95P", "91340828A4L2GB1F4U"
#: The same inside free text, where no element says that they are personal.
MOBILE, IDENTITY = "13600112233", "140211198501010096"
SENTENCE = f"夜间经营，请联系老板{MOBILE}，身份证{IDENTITY}"
IN_TEXT = (MOBILE, IDENTITY)
PLANTED = (NUMBER, PHONE, TEL, NAME, *IN_TEXT)

#: Every route that answers with a file, and whether content may stand in it.
FILES = {
    "GET /v1/receipts/{receipt_no}.xlsx": True,
    "GET /console/submissions/{receipt_no}/marked.xlsx": True,
    "GET /sender/submissions/{receipt_no}/marked.xlsx": True,
    "GET /v1/attachments/{identifier}": True,
    "GET /v1/tasks/worklist.xlsx": True,
    "GET /console/worklist.xlsx": True,
    "GET /sender/worklist.xlsx": True,
    "POST /v1/records/export": True,
    "POST /v1/records/batch": True,
    "GET /console/report.xlsx": False,
    "GET /sender/report.xlsx": False,
    "GET /v1/reports/workbook": False,
    "GET /console/template.xlsx": False,
    "GET /sender/template.xlsx": False,
    "GET /sender/sample.xlsx": False,
    "GET /v1/standards/datasets/{name}/{form}": False,
}
for _room in ("console", "sender"):
    FILES |= {f"GET /{_room}/style.css": False, f"GET /{_room}/icon.svg": False}
#: Answers of machines and pages that name no JSON as what they answer with.
NO_FILES = {"GET /metrics", "GET /soap", "GET /openapi.json", "GET /docs"}
#: What a party reads of its own without a further right: files, and the form that a record is mended in.
OWN = {
    "GET /sender/submissions/{receipt_no}/records/{row}",
    "GET /sender/submissions/{receipt_no}/marked.xlsx",
    "GET /v1/receipts/{receipt_no}.xlsx",
    "GET /v1/attachments/{identifier}",
}


class Planted(Province):
    """A city that holds personal values wherever it can hold them."""

    def __init__(self, running: serve.Running, receiver: Receiver) -> None:
        super().__init__(running, receiver)
        market = self.client("market")
        thing = sample(
            "supervise_object",
            object_kind="01",
            object_code=CODE,
            uni_sc_id=CODE,
            subject_class="01",
            le_rep="王军",
            le_rep_cert_type="516",
            le_rep_cert_no=NUMBER,
            cert_type="001",
            cert_no=CODE,
            contact_tel=TEL,
            op_scope=SENTENCE,
            dom=f"平城区{SENTENCE}",
        )
        person = {**thing, "object_kind": "03", "object_code": NUMBER, "cert_no": NUMBER, "cert_type": "516"}
        wrong = {**person, "reg_state": f"没有的状态，问{MOBILE}", "industry_co": NUMBER, "联系人备注": NAME}
        wrong |= {"op_scope": SENTENCE * 200, "reg_cap": f"不详，见{IDENTITY}", "est_date": f"问{MOBILE}"}
        refused = {**thing, **dict.fromkeys(("object_code", "uni_sc_id", "cert_no"), OTHER)}
        self.receiver.refuse = lambda record: (
            {"code": "30001", "message": f"请先联系{MOBILE}核对"}
            if record["content"].get("object_code") == OTHER
            else None
        )
        self.receipts = []
        for name, rows in (("a.json", [{**thing, "私下电话": PHONE}, person]), ("b.json", [wrong, thing, refused])):
            said = market.post(f"/v1/submissions?connection=market-objects&wait=20&name={name}", json=rows).json()
            self.receipts.append(said["receipt_no"])
        book = "\n".join([",".join([*thing, "电话"]), ",".join([*(str(v) for v in thing.values()), PHONE])])
        said = market.post("/v1/submissions?connection=market-objects&wait=20&name=c.csv", content=book.encode())
        self.receipts.append(said.json()["receipt_no"])
        named = {"connection": "market-attachments", "name": "证据.txt"}
        self.attachment = market.post("/v1/attachments", params=named, content=f"{NAME} {NUMBER}".encode()).json()["id"]
        words = {"owner": "market", "receiver": "ecology", "dataset": "supervise_object", "purpose": "核查"}
        elements = ["contact_tel", "le_rep_cert_no", "ent_name", "op_scope"]
        body = {**words, "elements": elements, "until": "2099-01-01T00:00:00Z"}
        grant = self.client("").post("/v1/grants", json=body).json()
        market.post(f"/v1/grants/{grant['id']}/consent", json={"named": "赵主任"})
        said = {"complaint_detail": SENTENCE, "complaint_title": SENTENCE, "address": SENTENCE}
        self.hand_down("from-above", complaint("C-1") | said | {"complainant_name": NAME, "complainant_tel": PHONE})
        self.hand_down("from-above", complaint("C-2") | said | {"upper_no": "U-10"})
        self.hand_down(
            "duals",
            sample("dual_notice", claim_state="0", dept_code=MARKET, tel=TEL, reassign_code="", reassign_type=""),
        )
        until(lambda: len(self.tasks("market")) == 3)
        answered = next(one for one in self.tasks("market") if one["number"] == "C-2")
        for step, words in (("sign", {}), ("accept", {}), ("answer", {"handle_result": SENTENCE})):
            more = {"verify_result": "1", "is_solved": "1"} if step == "answer" else {}
            assert self.step("market", answered, step, **words, **more).status_code == 200
        until(lambda: self.refusals() == 1)

    def refusals(self) -> int:
        statement = select(func.count()).select_from(delivery).where(delivery.c.message != "")
        with self.running.hub.ledger.read() as connection:
            return int(connection.execute(statement).scalar_one())

    @property
    def app(self) -> FastAPI:
        assert self.running.server is not None
        app: FastAPI = self.running.server.app
        return app

    def asker(self, name: str, **words: Any) -> Asker:
        hub = self.running.hub
        return Asker(self.running, a_session(hub, a_person(hub, name, **words)))

    def looks(self, actor: str) -> list[dict[str, Any]]:
        statement = select(journal.c.detail).where(journal.c.actor == actor, journal.c.action == "looked")
        with self.running.hub.ledger.read() as connection:
            return [json.loads(row[0]) for row in connection.execute(statement)]

    def asks(self) -> list[Ask]:
        """Every GET with what is there, and every POST that reads content."""
        groups = self.client("").get("/v1/failures").json()
        assert groups
        with self.running.hub.ledger.read() as connection:

            def ids(column: Any) -> list[str]:
                found = [one for one in connection.execute(select(column)).scalars() if one]
                return [one.hex() if isinstance(one, bytes) else str(one) for one in found] or ["0" * 32]

            known = {
                "receipt_no": self.receipts * 2,
                "row": ["1", "1", "1", "2", "3", "1"],
                "key": ids(record_head.c.key_hash),
                "task": ids(task.c.id),
                "case": ids(case_.c.id),
                "group": [one["group"] for one in groups],
                "replay": ids(replay.c.id),
                "/v1/attachments/{identifier}": [self.attachment.removeprefix("attachment:")],
                "identifier": ["0192f0c1-0000-7000-8000-000000000001"],
                "reconciliation": ["0192f0c1-0000-7000-8000-000000000001"],
                "/console/flows/from/{name}": ["market-objects"],
                "/console/flows/to/{name}": ["province"],
                "/console/flows/party/{name}": ["market"],
                "/console/people/{name}": ["somebody"],
                "/console/standards/lists/{name}": ["CL_CERT_TYPE"],
                "/v1/standards/codelists/{name}": ["CL_CERT_TYPE"],
                "name": ["province", "supervise_object"],
                "/v1/standards/datasets/{name}": ["supervise_object"],
                "form": ["template.xlsx"],
                "connection": ["market-objects", "from-above"],
                "flow": ["complaint", "dual_notice"],
                "dataset": ["supervise_object", "dual_notice"],
                "to": ["/console/"],
                "party": ["market"],
            }
        demand = {"dataset": "supervise_object", "purpose": "核查"}
        code = {"code": CODE, "purpose": "核查"}
        trim = {"verb": "trim", "field": "reg_state", "chars": "没有的"}
        posts = [
            ("/v1/records/query", {}, demand),
            *(("/v1/records/export", {"form": form}, demand) for form in ("ndjson", "csv", "xlsx")),
            ("/v1/records/batch", {"purpose": "x", "dataset": "supervise_object", "name": "a.csv"}, _LIST),
            ("/v1/records/history", {}, {"dataset": "supervise_object", "key": ["01", code["code"]]}),
            ("/v1/subjects/query", {}, code),
            ("/v1/trace", {}, {"record": f"{self.receipts[0]}#1"}),
            ("/console/search", {}, {"what": f"01|{code['code']}"}),
            ("/v1/repairs/rehearsal", {}, {"receipt_no": self.receipts[1], "reason": "x", "steps": [trim]}),
            (f"/v1/repairs/records/{self.receipts[1]}/1/rehearsal", {}, {"changes": {"reg_state": "1"}}),
        ]
        return [
            *gets(self.app, known),
            *(Ask("POST", path, path, query, body=body) for path, query, body in posts),
        ]


_LIST = f"统一社会信用代码\n{CODE}\n".encode()


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    receiver = Receiver().start()
    path = tmp_path_factory.mktemp("planted") / "hub.toml"
    path.write_text(config(receiver.url, more=MORE + EXTRA), "utf-8")
    running = serve.start(*prepare(path))
    yield Planted(running, receiver)
    running.stop()
    receiver.stop()


def leaks(asker: Asker, asks: list[Ask]) -> dict[str, set[str]]:
    """Route -> the planted values that it gave."""
    found: dict[str, set[str]] = {}
    for one in asks:
        answer = asker.ask(one)
        assert answer.status_code < 500, (one, answer.text[:500])
        said = {value for value in PLANTED if value in words_of(answer)}
        if said:
            found.setdefault(one.name, set()).update(said)
    return found


def test_the_planted_number_is_one_of_a_person() -> None:
    assert check_id_number(NUMBER) is None


def test_every_route_that_answers_with_a_file_is_known_here(planted: Planted) -> None:
    """A new one is written into FILES, and so asked as every role; with content it must be masked or refused."""
    asks = planted.asks()
    full = [
        planted.asker("all.hub", roles=[Role.OPERATOR], more=[Right.BODIES, Right.UNMASK]),
        planted.asker("all.market", party="market", roles=[Role.SENDER], more=[Right.UNMASK]),
        planted.asker("all.ecology", party="ecology", roles=[Role.SENDER], more=[Right.UNMASK]),
    ]

    sent = {
        one.name
        for one in asks
        for asker in full
        if "attachment" in asker.ask(one).headers.get("content-disposition", "")
    }

    assert sent - set(FILES) == set()
    assert {one.name for one in asks if one.file and one.method == "GET"} - set(FILES) - NO_FILES == set()
    assert {name for name, content in FILES.items() if content} <= sent, "they answer, so the test sees their content"


@pytest.mark.parametrize(
    ("role", "party", "more"),
    [
        (Role.AUDIT_ADMIN, "", ()),
        (Role.REGION_ADMIN, "", ()),
        (Role.OPERATOR, "", (Right.BODIES, Right.REPAIR, Right.SHARE)),
        (Role.DEPARTMENT_ADMIN, "ecology", ()),
        (Role.VIEWER, "market", (Right.TASKS,)),
        (Role.SENDER, "market", ()),
    ],
)
def test_no_page_file_or_answer_gives_a_personal_value_without_the_right(
    planted: Planted, role: Role, party: str, more: tuple[Right, ...]
) -> None:
    name = f"{role}.{party or 'hub'}.{len(more)}".replace("_", "-")
    region = "140200" if role is Role.REGION_ADMIN else ""
    asker = planted.asker(name, party=party, roles=[role], more=more, region=region)

    found = leaks(asker, planted.asks())

    may = OWN if party == "market" and role is not Role.VIEWER else set()
    assert {route: said for route, said in found.items() if route not in may} == {}
    if may:
        assert set(found) == may, "a party reads its own files as it sent them"


def test_every_file_with_personal_values_is_given_with_the_right_and_written_down(planted: Planted) -> None:
    asks = [one for one in planted.asks() if FILES.get(one.name)]
    hub = planted.asker("full.hub", roles=[Role.OPERATOR], more=[Right.BODIES, Right.UNMASK])
    market = planted.asker("full.market", party="market", roles=[Role.SENDER], more=[Right.UNMASK])
    ecology = planted.asker("full.ecology", party="ecology", roles=[Role.SENDER], more=[Right.UNMASK])
    plain = planted.asker("plain.market", party="market", roles=[Role.SENDER])

    given = {"user:full.hub": leaks(hub, asks), "user:full.market": leaks(market, asks)}
    own = {"user:plain.market": leaks(plain, asks)}

    assert {**given["user:full.hub"], **given["user:full.market"], **leaks(ecology, asks)}.keys() == {
        name for name, content in FILES.items() if content
    }
    assert own["user:plain.market"].keys() == OWN & FILES.keys()
    for actor, routes in (given | own).items():
        looked = {one["path"] for one in planted.looks(actor) if one.get("right") == Right.UNMASK}
        downloads = {one.address for one in asks if one.name in routes and one.method == "GET"}
        missing = {path for path in downloads if path not in looked and "worklist" not in path}
        assert missing == set(), actor
        assert any("worklist" in path for path in looked) == any("worklist" in name for name in routes)


def test_numbers_inside_free_text_are_shown_to_who_has_the_right(planted: Planted) -> None:
    """Else the test above would pass with texts that are shown nowhere."""
    hub = planted.asker("text.hub", roles=[Role.OPERATOR], more=[Right.BODIES, Right.UNMASK, Right.REPAIR])
    ecology = planted.asker("text.ecology", party="ecology", roles=[Role.SENDER], more=[Right.UNMASK])

    asks = planted.asks()
    found = {**leaks(ecology, asks), **leaks(hub, asks)}

    assert {route for route, said in found.items() if said >= set(IN_TEXT)} >= {
        "GET /console/records/{receipt_no}/{row}",
        "GET /console/submissions/{receipt_no}/marked.xlsx",
        "GET /console/tasks/{task}",
        "GET /v1/tasks/{task}",
        "GET /v1/receipts/{receipt_no}.xlsx",
        "GET /v1/repairs/records/{receipt_no}/{row}",
        "POST /v1/records/query",
        "POST /v1/records/export",
        "POST /v1/records/batch",
        "POST /v1/subjects/query",
    }


def test_a_rehearsal_shows_what_changes_without_the_numbers_in_it(planted: Planted) -> None:
    operator = planted.asker("rehearse.hub", roles=[Role.OPERATOR], more=[Right.BODIES, Right.REPAIR])

    said = [operator.ask(one) for one in planted.asks() if one.name.endswith("/rehearsal")]

    assert len(said) == 2
    for answer in said:
        assert answer.json()["samples"][0]["before"] == "没有的状态，问136****2233", answer.text


def test_what_cannot_be_masked_is_refused_with_the_reason(planted: Planted) -> None:
    operator = planted.asker("half.hub", roles=[Role.OPERATOR], more=[Right.BODIES])
    refused = {}
    for one in planted.asks():
        if one.name == "GET /v1/attachments/{identifier}" or one.query.get("flow") == "dual_notice":
            answer = operator.ask(one)
            if answer.status_code == 403:
                refused[one.name] = answer.text

    assert set(refused) == {
        "GET /v1/attachments/{identifier}",
        "GET /v1/tasks/worklist.xlsx",
        "GET /console/worklist.xlsx",
    }
    assert all("缺少权限 unmask" in text for text in refused.values())
