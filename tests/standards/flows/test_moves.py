"""Single steps: by whom, in which state, with what, and what they answer."""

from __future__ import annotations

import pytest

from standards.flows import StepNotAllowed, allowed, flow, move

COMPLAINT = flow("complaint")


def test_a_complaint_from_its_registration_to_the_follow_up() -> None:
    way = [
        ("registered", "dispatch", "hub", {"party": "market"}, "sent", None),
        ("sent", "sign", "assignee", {}, "signed", {"step": "2", "claim_time": "$now"}),
        ("signed", "accept", "assignee", {}, "accepted", None),
        (
            "accepted",
            "answer",
            "assignee",
            {"verify_result": "1", "handle_result": "已查处", "is_solved": "1"},
            "answered",
            {"verify_result": "1", "handle_result": "已查处", "is_solved": "1", "step": "4", "finish_time": "$now"},
        ),
        (
            "answered",
            "visit",
            "hub",
            {"satisfaction": "1", "is_solved": "1"},
            "closed",
            {"satisfaction": "1", "is_solved": "1", "step": "5", "visit_time": "$now"},
        ),
    ]
    for state, step, role, said, to, answer in way:
        moved = move(COMPLAINT, state, step, role=role, said=said, taken={})  # type: ignore[arg-type]
        assert (moved.state, moved.answer) == (to, answer), step
    assert moved.ended


def test_the_third_return_ends_with_the_dispatcher() -> None:
    said = {"back_reason": "不属本部门职责"}
    states = [
        move(COMPLAINT, "sent", "return", role="assignee", said=said, taken={"return": n}).state for n in range(3)
    ]
    assert states == ["registered", "registered", "arbitration"]
    assert allowed(COMPLAINT, "arbitration", "assignee") == ()
    assert set(allowed(COMPLAINT, "arbitration", "dispatcher")) == {"settle", "close"}


REFUSED = {
    "not in this state": ("sent", "answer", "assignee", {}, "it stands at to be signed for", "当前状态为“待签收”"),
    "not by them": ("registered", "dispatch", "assignee", {"party": "x"}, "not by assignee", "不由承办单位执行"),
    "after the end": ("closed", "sign", "assignee", {}, "it has ended", "任务已办结"),
    "something is missing": ("sent", "return", "assignee", {"back_reason": " "}, "needs back_reason", "须填写"),
    "no such step": ("sent", "fly", "assignee", {}, "there is no step fly", "没有步骤"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_step_that_is_not_allowed_is_refused_with_the_steps_that_are(why: str) -> None:
    state, step, role, said, what, what_zh = REFUSED[why]
    with pytest.raises(StepNotAllowed) as caught:
        move(COMPLAINT, state, step, role=role, said=said, taken={})  # type: ignore[arg-type]
    assert what in caught.value.what
    assert what_zh in caught.value.what_zh
    assert caught.value.status == 409
    if state == "sent":
        assert caught.value.hint == "allowed now: sign (sign for it), return (return it)"
        assert caught.value.hint_zh == "现在可以：签收（sign）、退回（return）"


def test_what_is_in_the_pool_may_be_claimed_by_anyone() -> None:
    assert allowed(flow("dual_notice"), "pool", "assignee") == ("claim",)
    assert allowed(flow("dual_notice"), "pool", "sender") == ("claim",)
