"""The pages of failures: answered, rehearsed, replayed, repaired by rule, approved, undone; one record mended."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from hub import serve
from hub.api.console.failures import step_of
from hub.api.console.mending import changes_of
from hub.api.console.visit import WrongForm
from hub.bootstrap import prepare
from hub.repair import Fill, Replace
from standards.rights import Right
from tests.hub.city import config, until
from tests.hub.tasks.test_journeys import Province
from tests.hub.test_replay import UNKNOWN, penalties
from tests.monitor.test_console import Browser, city  # noqa: F401 - a fixture
from tests.monitor.test_records_pages import with_rights
from tests.receiver import Receiver


def hand_over(city: Province, count: int, first: int = 1, source: str = UNKNOWN) -> str:  # noqa: F811
    said = city.client("ecology").post(
        "/v1/submissions?connection=ecology-penalties&wait=20&name=b.csv",
        content=penalties(count, first=first, source=source),
    )
    return str(said.json()["receipt_no"])


def group_of(page: str) -> str:
    """The group of the unknown code; there are others."""
    (row,) = [one for one in page.split("<tr>") if f"<code>{UNKNOWN}</code>" in one]
    found = re.search(r'href="/console/failures/([0-9a-f]{16})"', row)
    assert found
    return found[1]


def done(operator: Browser, place: str) -> str:
    until(lambda: "已结束" in operator.get(place))
    return operator.get(place)


def test_an_unknown_code_is_answered_rehearsed_and_replayed(city: Province) -> None:  # noqa: F811
    operator = Browser(city, "").log_in()
    hand_over(city, 30)
    page = operator.get("failures")
    assert UNKNOWN in page
    where = f"failures/{group_of(page)}"
    page = operator.get(where)
    assert "答复未知代码" in page
    said = operator.send(f"{where}/take", page)
    assert said.status_code == 200
    hand_over(city, 12, first=100)
    assert "+12" in operator.get("failures")
    assert "+12" in operator.get(where)
    assert operator.send(f"{where}/answer", page, code="没有这个").status_code == 422

    said = operator.send(f"{where}/answer", page, code="4")

    assert "已答复" in said.text
    assert re.search(r"现在通过 42", said.text), said.text
    begun = operator.send(f"{where}/replay", said.text, reason="代码已答复")
    place = str(begun.url).partition("/console/")[2].partition("?")[0]
    assert place.startswith("mending/")
    page = done(operator, place)
    assert '<dd class="good">42</dd>' in page
    until(lambda: len(city.receiver.contents) == 42)
    assert operator.client.get(f"/console/{where}").status_code == 404, "nothing is left of the group"


def test_a_group_is_repaired_by_rule_and_undone(city: Province) -> None:  # noqa: F811
    operator = Browser(city, "").log_in()
    hand_over(city, 20)
    where = f"failures/{group_of(operator.get('failures'))}"
    page = operator.get(where)
    assert f'name="replace.old" maxlength="255" value="{UNKNOWN}"' in page, "the form knows what is wrong"
    words = {"verb": "replace", "field": "案件来源", "replace.old": UNKNOWN, "replace.new": "日常检查"}
    assert operator.send(f"{where}/rehearsal", page, **{**words, "verb": "pad"}).status_code == 422
    assert "是否应为" in operator.send(f"{where}/rehearsal", page, **{**words, "field": "案件来原"}).text

    said = operator.send(f"{where}/rehearsal", page, **words)

    assert f"<del>{UNKNOWN}</del>" in said.text
    assert "<ins>日常检查</ins>" in said.text
    assert not city.receiver.contents
    found = re.search(r'name="steps" value="([^"]+)"', said.text)
    assert found
    steps = html.unescape(found[1])
    assert operator.send(f"{where}/repair", said.text, steps="[{}]", reason="x").status_code == 422
    refused = operator.send(f"{where}/repair", said.text, steps=steps, reason="归类")
    assert "第十九条" in refused.text, "the owner must allow it"
    begun = operator.send(f"{where}/repair", said.text, steps=steps, reason="归类", consent="生态环境局 王芳")
    place = str(begun.url).partition("/console/")[2].partition("?")[0]
    page = done(operator, place)
    until(lambda: len(city.receiver.contents) == 20)
    back = operator.send(f"{place}/undo", page, reason="归类有误")
    assert back.status_code == 200, back.text[:500]
    undone = str(back.url).partition("/console/")[2].partition("?")[0]
    assert undone != place
    done(operator, undone)
    assert UNKNOWN in operator.get("failures"), "the cases are open again"


def test_a_repair_waits_on_its_page_until_another_person_approves_it(tmp_path: Path) -> None:
    receiver = Receiver().start()
    path = tmp_path / "hub.toml"
    path.write_text(config(receiver.url, more="[cases]\napprove_repairs = true\n"), "utf-8")
    running = serve.start(*prepare(path))
    waiting = Province(running, receiver)
    hand_over(waiting, 3)
    first, second = Browser(waiting, "").log_in(), Browser(waiting, "").log_in()
    where = f"failures/{group_of(first.get('failures'))}"
    words = {"verb": "replace", "field": "case_source", "replace.old": UNKNOWN, "replace.new": "日常检查"}
    said = first.send(f"{where}/rehearsal", first.get(where), **words)
    found = re.search(r'name="steps" value="([^"]+)"', said.text)
    assert found
    steps = html.unescape(found[1])

    begun = first.send(f"{where}/repair", said.text, steps=steps, reason="归类", consent="王芳")

    place = str(begun.url).partition("/console/")[2].partition("?")[0]
    assert "须由另一人批准" in begun.text
    assert first.send(f"{place}/approve", begun.text).status_code == 422
    page = second.get(place)
    assert f'action="/console/{place}/approve"' in page
    assert second.send(f"{place}/approve", page).status_code == 200
    assert '<dd class="good">3</dd>' in done(second, place)
    running.stop()
    receiver.stop()


def test_one_record_is_mended_on_its_page(city: Province) -> None:  # noqa: F811
    operator = Browser(city, "").log_in()
    number = hand_over(city, 2)
    page = operator.get(f"failures/{group_of(operator.get('failures'))}")
    assert f'href="/console/edit/{number}/2"' in page
    page = operator.get(f"edit/{number}/2")
    assert re.search(rf'name="value.案件来源"[^>]*value="{UNKNOWN}"', page)
    form = {
        html.unescape(name): html.unescape(value)
        for name, value in re.findall(r'name="(value\.[^"]+)"[^>]*value="([^"]*)"', page)
    }
    nothing = operator.send(f"edit/{number}/2/rehearsal", page, **form)
    assert "没有修改" in nothing.text

    said = operator.send(f"edit/{number}/2/rehearsal", page, **{**form, "value.案件来源": "日常检查"})

    assert "<ins>日常检查</ins>" in said.text
    change = {"value.案件来源": "日常检查"}
    assert operator.send(f"edit/{number}/2", said.text, **change, reason="核实").status_code == 422
    begun = operator.send(f"edit/{number}/2", said.text, **change, reason="核实", consent="生态环境局 王芳")
    place = str(begun.url).partition("/console/")[2].partition("?")[0]
    done(operator, place)
    until(lambda: len(city.receiver.contents) == 1)


def test_who_only_looks_mends_nothing(city: Province) -> None:  # noqa: F811
    number = hand_over(city, 2)
    looker = with_rights(city, Right.SEE)
    page = looker.get("failures")
    where = f"failures/{group_of(page)}"
    page = looker.get(where)
    for deed in ("答复并预演", "按规则修复", "修改此条", "预演重放"):
        assert deed not in page
    for path, words in (
        (f"{where}/answer", {"code": "4"}),
        (f"{where}/replay", {"reason": "x"}),
        (f"{where}/rehearsal", {"verb": "trim", "field": "案件来源"}),
        (f"edit/{number}/1/rehearsal", {"value.案件来源": "日常检查"}),
    ):
        token = re.search(r'name="token" value="([0-9a-f]+)"', page)
        assert token
        assert looker.client.post(f"/console/{path}", data={"token": token[1], **words}).status_code == 403, path
    assert looker.client.get(f"/console/edit/{number}/1").status_code == 403
    party = Browser(city, "ecology").log_in()
    assert party.client.get("/sender/failures").status_code == 404


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (
            {"verb": "replace", "field": " a ", "replace.old": "x", "replace.new": ""},
            Replace(field="a", table={"x": ""}),
        ),
        (
            {"verb": "fill", "field": "a", "fill.by": "b", "fill.lookup": "firms", "fill.gives": "uscc"},
            Fill(field="a", by="b", lookup="firms", gives="uscc"),
        ),
    ],
)
def test_a_form_says_a_step(words: dict[str, str], step: object) -> None:
    assert step_of(words) == step


@pytest.mark.parametrize(
    "words", [{}, {"verb": "correct", "field": "a"}, {"verb": "fill", "field": "a", "fill.by": "b"}]
)
def test_a_form_that_says_no_step_is_told(words: dict[str, str]) -> None:
    with pytest.raises(WrongForm):
        step_of(words)


def test_only_what_was_changed_is_a_change() -> None:
    one = {"fields": [{"field": "a", "value": "1"}, {"field": "b", "value": "王*"}, {"field": "c", "value": "x\ny"}]}
    words = {"value.a": "2", "value.b": "王*", "value.c": "x\r\ny", "value.z": "no column", "token": "t"}
    assert changes_of(one, words) == {"a": "2"}
