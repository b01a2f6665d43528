"""The flows as data: sound, and whoever walks along them comes to an end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards.errors import BadConfiguration, UnknownName
from standards.flows import Flow, StepNotAllowed, allowed, flow, flows, move
from standards.flows.load import read
from standards.registry import built_in

ROLES = ("dispatcher", "assignee", "sender", "hub")
NAMES = sorted(flows())


def test_every_kind_of_task_has_its_flow() -> None:
    assert set(NAMES) == {
        "approval_linkage",
        "campaign",
        "complaint",
        "copy_notice",
        "dual_notice",
        "item_claim",
        "item_proposal",
        "joint_punishment",
        "rectification",
        "risk_clue",
    }


def test_the_one_is_found_by_name_and_a_near_name_is_told() -> None:
    assert flow("complaint").title == "投诉举报办理"
    with pytest.raises(UnknownName) as caught:
        flow("complant")
    assert caught.value.hint == "did you mean complaint?"


@pytest.mark.parametrize("name", NAMES)
def test_what_a_step_answers_fits_the_code_lists_of_the_answer(name: str) -> None:
    one = flows()[name]
    standard = built_in()
    answers = [one.answered_by] if one.answered_by else list(one.opened_by)
    for step_name, step in one.steps.items():
        for element, value in (step.answers or {}).items():
            lists = [standard.dataset(d).by_id[element].list for d in answers if element in standard.dataset(d).by_id]
            assert all(value in standard.codes(codes) for codes in lists if codes), f"{name}.{step_name}.{element}"


@pytest.mark.parametrize("name", NAMES)
def test_every_open_state_has_a_term_and_somebody_who_can_act(name: str) -> None:
    one = flows()[name]
    for state in one.open_states():
        assert one.states[state].term is not None, state
        holder = one.states[state].holder
        able = [n for n, s in one.steps.items() if state in s.from_ and (holder in s.by or "anyone" in s.by)]
        assert able, f"nobody who holds {state} can do anything"


@given(data=st.data())
def test_who_always_sends_it_back_does_not_keep_it_in_a_circle_for_ever(data: st.DataObject) -> None:
    """It ends, or comes to a state that cannot be sent back."""
    one: Flow = flows()[data.draw(st.sampled_from(["complaint", "risk_clue", "approval_linkage", "campaign"]))]
    state, taken = one.first, dict.fromkeys(one.steps, 0)
    said = {name: "1" for step in one.steps.values() for name in step.needs}
    for _ in range(40):
        if one.states[state].end:
            return
        backwards = [n for n in ("return", "dispatch") if n in one.steps and state in one.steps[n].from_]
        if not backwards:
            return
        step = data.draw(st.sampled_from(backwards))
        role = next(r for r in ROLES if r in one.steps[step].by)
        state = move(one, state, step, role=role, said=said, taken=taken).state  # type: ignore[arg-type]
        taken[step] += 1
    pytest.fail(f"{one.flow}: sent back and forth 40 times")


@given(
    name=st.sampled_from(NAMES),
    walk=st.lists(st.tuples(st.integers(0, 20), st.sampled_from(ROLES)), max_size=30),
)
def test_a_step_leads_to_a_state_that_is_there_or_is_refused_with_what_is_allowed(
    name: str, walk: list[tuple[int, str]]
) -> None:
    one = flows()[name]
    steps, state = list(one.steps), one.first
    taken = dict.fromkeys(steps, 0)
    for number, role in walk:
        step = steps[number % len(steps)]
        said = dict.fromkeys(one.steps[step].needs, "1")
        if step not in allowed(one, state, role):  # type: ignore[arg-type]
            with pytest.raises(StepNotAllowed, match="") as caught:
                move(one, state, step, role=role, said=said, taken=taken)  # type: ignore[arg-type]
            assert caught.value.hint.startswith("allowed now: ")
            continue
        moved = move(one, state, step, role=role, said=said, taken=taken)  # type: ignore[arg-type]
        taken[step] += 1
        state = moved.state
        assert moved.ended == one.states[state].end


WRONG = {
    "a state that is not there": ("to: signed", "to: sigend", "step sign: no state sigend"),
    "no way to an end": ("from: signed, to: closed", "from: sent, to: closed", "no way leads from signed to an end"),
    "an element the answer has not": ("{state: '2'}", "{sate: '2'}", "the answer has no element sate"),
    "a data set that is not there": ("  risk_clue:", "  risk_clew:", "no data set risk_clew"),
    "no element of the record": ("number: fxyj_id", "number: fxyj", "risk_clue has no element fxyj"),
    "a term that is none": ("{working_days: 1}", "{}", "a term is working_days or hours"),
    "a word nobody knows": ("holder: hub", "holdr: hub", "holdr"),
}
TEXT = """flow: small
title: 小
title_en: small
opened_by:
  risk_clue: {number: fxyj_id}
answered_by: risk_clue_feedback
first: sent
states:
  sent: {title: 待签收, title_en: sent, term: {working_days: 1}}
  signed: {title: 已签收, title_en: signed, term: {working_days: 1}}
  closed: {title: 已办结, title_en: closed, holder: hub, end: true}
steps:
  sign: {title: 签收, title_en: sign, from: sent, to: signed, by: assignee, answers: {state: '2'}}
  close: {title: 办结, title_en: close, from: signed, to: closed, by: assignee}
"""


def test_a_sound_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(TEXT, "utf-8")
    assert read(tmp_path)["small"].open_states() == ("sent", "signed")


@pytest.mark.parametrize("what", WRONG)
def test_a_mistake_is_told_with_file_and_line(what: str, tmp_path: Path) -> None:
    old, new, told = WRONG[what]
    assert old in TEXT
    (tmp_path / "small.yaml").write_text(TEXT.replace(old, new, 1), "utf-8")
    with pytest.raises(BadConfiguration) as caught:
        read(tmp_path)
    assert told in str(caught.value)
    assert "small.yaml:" in str(caught.value)
