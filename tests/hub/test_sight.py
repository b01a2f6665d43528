"""Facts for metrics: cheap at any size, true over midnight, and a ledger that is gone is a fact, too."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import event

from hub.bootstrap import build, prepare
from hub.ledger import credentials, submissions, tallies, timings
from hub.ledger.engine import Ledger
from hub.settings import Settings
from hub.sight import machine
from hub.sight.counters import Counters, spreads, told
from hub.sight.feeds import feeds_of
from hub.sight.standing import Heard
from standards.errors import LedgerBusy
from tests.hub.city import config
from tests.hub.conftest import NOW, POSTGRESQL, SQLITE
from tests.hub.ledger.test_contract import a_submission

BOTH = pytest.mark.parametrize("ledger_url", [SQLITE, POSTGRESQL], indirect=True)


def test_a_bucket_holds_what_took_no_longer_than_its_bound() -> None:
    counts: dict[str, int] = {}
    for seconds in (0.4, 1, 1.2, 60, 61, 90000, -5):
        for (_, _, _, name), n in timings.took(timings.JUDGED, timedelta(seconds=seconds)).items():
            counts[name] = counts.get(name, 0) + n

    buckets, total = timings.histogram(counts, timings.JUDGED)

    assert dict(buckets) == {
        "1": 3,
        "5": 4,
        "15": 4,
        "60": 5,
        "300": 6,
        "900": 6,
        "3600": 6,
        "21600": 6,
        "86400": 6,
        "+Inf": 7,
    }
    assert total == pytest.approx(0.4 + 1 + 1.2 + 60 + 61 + 90000)


@BOTH
def test_counters_stay_true_over_midnight_and_old_days_are_read_once(ledger: Ledger) -> None:
    counters = Counters()
    key = ("ecology", "punish_action", "", "accepted")
    read: list[str] = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *words: read.append(words[2]))

    def total(now: datetime) -> float:
        with ledger.read() as connection:
            found = {name: value for name, value, _ in told(counters.totals(connection, now))}
        return found.get("hub_records", 0)

    for day in range(5):
        now = NOW + timedelta(days=day)
        ledger.write(lambda c, now=now: tallies.add(c, {key: 10}, now))  # type: ignore[misc]
        assert total(now) == 10 * (day + 1)
        # A transaction that began before midnight.
        ledger.write(lambda c, now=now: tallies.add(c, {key: 1}, now - timedelta(days=1)))  # type: ignore[misc]
        assert total(now) == 10 * (day + 1) + 1
        ledger.write(lambda c, now=now: tallies.add(c, {key: -1}, now - timedelta(days=1)))  # type: ignore[misc]
        ledger.write(tallies.fold)
    read.clear()
    assert total(now) == 50
    assert len([statement for statement in read if "FROM tally" in statement]) == 1, "only the newest days"


@BOTH
def test_how_long_things_took_is_told_by_data_set_and_destination(ledger: Ledger) -> None:
    took = timings.took(timings.JUDGED, timedelta(seconds=3), dataset="punish_action")
    took |= timings.took(timings.RECEIPTED, timedelta(minutes=2), destination="province")
    ledger.write(lambda c: tallies.add(c, took, NOW))
    ledger.write(lambda c: tallies.add(c, timings.failed("province", "system-unreachable"), NOW))

    with ledger.read() as connection:
        totals = Counters().totals(connection, NOW)

    found = {
        name: (dict(buckets)["5"], dict(buckets)["+Inf"], total, labels)
        for name, buckets, total, labels in spreads(totals)
    }
    assert found == {
        "hub_submission_judging_seconds": (1, 1, 3.0, {"dataset": "punish_action"}),
        "hub_parcel_receipt_seconds": (0, 1, 120.0, {"destination": "province"}),
    }
    assert list(told(totals)) == [
        ("hub_delivery_failures", 1, {"destination": "province", "code": "system-unreachable"})
    ]


def test_what_can_be_counted_stands_at_zero_before_anything_came(tmp_path: Path) -> None:
    trial = '[connections.trial]\nparty = "market"\ndataset = "credit_license"\nstage = "joint_test"'
    hub = build(prepare(written(tmp_path, trial))[0])
    hub.generations.publish(prepare(tmp_path / "hub.toml")[1], "test")

    text = hub.metrics().decode()

    hub.stop()
    records = {(party, dataset) for party, dataset in feeds_of(hub.generations.current()).records}
    assert records == {("ecology", "punish_action"), ("market", "punish_action"), ("ecology", "check_action")}
    for verdict in ("read", "accepted", "rejected", "held", "duplicate"):
        assert f'hub_records_total{{dataset="check_action",party="ecology",verdict="{verdict}"}} 0.0' in text
    for result in ("accepted", "refused"):
        said = f'hub_answered_records_total{{dataset="check_action",destination="province",result="{result}"}} 0.0'
        assert said in text
    assert 'hub_submission_judging_seconds_bucket{dataset="check_action",le="+Inf"} 0.0' in text
    assert 'hub_parcel_receipt_seconds_count{destination="province"} 0.0' in text


@BOTH
def test_a_partys_last_key_counts_one_without_end_silences_and_a_log_in_is_none(ledger: Ledger) -> None:
    soon, later = NOW + timedelta(days=5), NOW + timedelta(days=50)
    for party, ends in (
        ("a", soon),
        ("a", later),
        ("b", soon),
        ("b", None),
        ("c", NOW - timedelta(days=40)),
        ("d", NOW + timedelta(hours=8)),
    ):
        ledger.write(lambda c, p=party, e=ends: credentials.make(c, p, NOW, expires_at=e))  # type: ignore[misc]

    with ledger.read() as connection:
        found = list(machine.keys(connection, NOW))

    assert found == [("hub_key_expiry_timestamp_seconds", later.timestamp(), {"party": "a"})]


def test_a_file_of_certificates_ends_with_its_first(tmp_path: Path) -> None:
    ends = [datetime(2027, 5, 1, tzinfo=UTC), datetime(2026, 12, 24, tzinfo=UTC)]
    path = tmp_path / "ca.pem"
    path.write_bytes(b"".join(certificate(one) for one in ends))

    assert machine.first_end(path) == ends[1]
    assert machine.first_end(tmp_path / "none.pem") is None


def certificate(ends: datetime) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def test_workers_are_counted_by_role_and_those_of_an_earlier_run_are_not(tmp_path: Path) -> None:
    gone = 2**22 - 3
    (tmp_path / "workers").write_text(f"translate-0 {gone}\ntranslate-1 {os.getpid()}\nkeeper {os.getpid()}", "ascii")
    (tmp_path / "deaths").write_text("translate-0 2\ntranslate-1 1", "ascii")

    found = {(name, labels["role"]): value for name, value, labels in machine.workers(tmp_path)}

    assert found["hub_workers_wanted", "translate"] == 2
    assert found["hub_workers", "translate"] == 1
    assert (found["hub_worker_deaths", "translate"], found["hub_worker_deaths", "keeper"]) == (3, 0)
    (tmp_path / "workers").write_text(f"translate-0 {gone}", "ascii")
    assert list(machine.workers(tmp_path)) == []


@BOTH
def test_when_a_connection_was_last_heard_is_read_on_from_where_it_was(ledger: Ledger) -> None:
    hub = {"name": "x", "title": "x", "level": "city", "region": "140200", "code": "x"}
    settings = Settings.model_validate(
        {
            "hub": hub,
            "parties": {"ecology": {"title": "x", "code": "x"}},
            "connections": {"ecology-penalties": {"party": "ecology"}, "silent": {"party": "ecology"}},
        }
    )
    heard = Heard()
    old = a_submission(receipt_no="261103-000001-0", connection="silent", received_at=NOW - timedelta(days=20))
    ledger.write(lambda c: submissions.add(c, old))

    def last(now: datetime) -> dict[str, float]:
        with ledger.read() as connection:
            return {labels["connection"]: value for _, value, labels in heard.told(connection, settings, now)}

    quiet = {"silent": (NOW - timedelta(days=20)).timestamp()}
    assert last(NOW) == {}, "one is sought at a time"
    assert last(NOW) == quiet
    for minutes in (1, 30, 25):  # the last one was committed late
        at = NOW + timedelta(minutes=minutes)
        one = a_submission(receipt_no=f"261123-0000{minutes:02}-0", received_at=at)
        ledger.write(lambda c, one=one: submissions.add(c, one))  # type: ignore[misc]
        newest = NOW + timedelta(minutes=1 if minutes == 1 else 30)
        assert last(at) == quiet | {"ecology-penalties": newest.timestamp()}
    assert last(NOW + timedelta(days=3)) == quiet | {"ecology-penalties": (NOW + timedelta(minutes=30)).timestamp()}


def test_a_ledger_that_does_not_answer_is_a_fact_among_those_that_are_known(tmp_path: Path) -> None:
    class Gone:
        name = "postgresql"

        def read(self) -> None:
            raise LedgerBusy("gone")

    hub = build(prepare(written(tmp_path))[0])
    hub.generations.publish(prepare(tmp_path / "hub.toml")[1], "test")
    hub.sight.ledger = Gone()  # type: ignore[assignment]

    text = hub.metrics().decode()

    hub.stop()
    assert "hub_ledger_up 0.0" in text
    assert "hub_calendar_last_year" in text
    assert "hub_records" not in text


def written(folder: Path, more: str = "") -> Path:
    path = folder / "hub.toml"
    path.write_text(config("http://127.0.0.1:1", more=more), "utf-8")
    return path
