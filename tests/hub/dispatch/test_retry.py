"""When a delivery that failed is due again: pure decisions."""

from datetime import timedelta
from typing import Any

import pytest

from hub.dispatch.retry import Decision, Next, after_failure
from hub.settings import Retry
from standards.errors import BadSetup, HubError, ReceiverRefused, SystemBusy, SystemUnreachable, Temporary
from tests.hub.conftest import NOW

RETRY = Retry(
    waits=(timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5)),
    jitter=0.2,
    probe=timedelta(seconds=30),
    give_up=timedelta(days=3),
)


def decided(error: HubError, **changes: Any) -> Decision:
    words: dict[str, Any] = {
        "attempt": 1,
        "count": 1,
        "since": NOW,
        "now": NOW,
        "retry": RETRY,
        "idempotent": "id",
        "chance": lambda: 0.5,
    }
    return after_failure(error, **{**words, **changes})


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 10), (2, 60), (3, 300), (4, 300), (40, 300)])
def test_each_attempt_waits_longer_and_the_last_wait_repeats(attempt: int, seconds: int) -> None:
    assert decided(Temporary("x"), attempt=attempt).due_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 8), (0.5, 10), (1.0, 12)])
def test_jitter_spreads_the_wait_to_both_sides(chance: float, seconds: int) -> None:
    assert decided(Temporary("x"), chance=lambda: chance).due_at == NOW + timedelta(seconds=seconds)


def test_a_receiver_that_names_a_time_is_not_asked_before_it() -> None:
    assert decided(Temporary("x", retry_after=120.0)).due_at == NOW + timedelta(seconds=120)
    assert decided(Temporary("x", retry_after=1.0)).due_at == NOW + timedelta(seconds=10)
    assert decided(SystemBusy("x", retry_after=120.0)).probe_at == NOW + timedelta(seconds=120)


@pytest.mark.parametrize("error", [SystemUnreachable("x"), SystemBusy("x"), BadSetup("x")])
def test_when_all_of_the_destination_is_down_its_parcels_wait_for_one_probe(error: HubError) -> None:
    decision = decided(error)
    assert decision.next is Next.WITH_DESTINATION
    assert decision.probe_at == NOW + timedelta(seconds=30)
    assert decision.setup is isinstance(error, BadSetup)


@pytest.mark.parametrize("error", [Temporary("x"), SystemUnreachable("x"), BadSetup("x")])
def test_after_the_time_to_give_up_a_parcel_is_parked_for_a_person(error: HubError) -> None:
    assert decided(error, since=NOW - timedelta(days=3)).next is Next.PARK
    assert decided(error, since=NOW - timedelta(days=3) + timedelta(seconds=1)).next is not Next.PARK


@pytest.mark.parametrize(
    ("error", "probe"), [(SystemBusy("x"), 30), (SystemUnreachable("x"), 30), (Temporary("x"), None)]
)
def test_a_parcel_that_is_parked_leaves_its_destination_to_the_next_probe(error: HubError, probe: int | None) -> None:
    """Or nobody would try it until the lease of the probe that was parked has ended."""
    found = decided(error, since=NOW - timedelta(days=3))
    assert found.next is Next.PARK
    assert found.probe_at == (None if probe is None else NOW + timedelta(seconds=probe))


@pytest.mark.parametrize(("idempotent", "next_"), [("none", Next.IN_DOUBT), ("id", Next.WITH_DESTINATION)])
def test_a_lost_answer_is_repeated_only_where_a_repeat_cannot_double(idempotent: str, next_: Next) -> None:
    assert decided(SystemUnreachable("x", answer_lost=True), idempotent=idempotent).next is next_


@pytest.mark.parametrize(("count", "next_"), [(2, Next.SPLIT), (1, Next.REFUSED)])
def test_a_refusal_of_all_is_halved_until_it_names_one_record(count: int, next_: Next) -> None:
    assert decided(ReceiverRefused("x"), count=count).next is next_
