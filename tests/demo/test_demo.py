"""The demo itself, as a person or a script starts it: one round that ends, and one that keeps running."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import Result
from typer.testing import CliRunner

from demo.play import Outcome
from demo.records import Department
from demo.sums import Wrong
from demo.systems import Line
from hub.cli.main import app
from tests.demo.stated import NAMES, STATED
from tests.demo.test_departments import city

HUB = (sys.executable, "-m", "hub", "demo")
#: The narrow width of a log file: what is no terminal still gets a table that can be read.
PLAIN = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}


def told(stdout: str, slip: Path) -> None:
    """Every count is printed and one rejected record, and the sender who hands in by folder has a slip beside it."""
    rows = [[int(cell) for cell in re.findall(r"(?<=│) +(\d+) (?=│)", line)] for line in stdout.splitlines()]
    printed = [tuple(row) for row in rows if len(row) == 7]
    assert [row[:5] for row in printed[:-1]] == list(STATED.values())
    assert all(accepted == receipted >= delivered > 0 for _, accepted, _, _, _, delivered, receipted in printed)
    assert printed[-1] == tuple(map(sum, zip(*printed[:-1], strict=True)))
    assert re.search(r"✗ \[10006\.uscc\] .*不是有效的统一社会信用代码.*请对照营业执照核对", stdout)
    assert "is not a valid credit code" in stdout
    assert "该主键已由其他单位报送" in slip.read_text("utf-8-sig")


def slip_in(state: Path) -> Path:
    return state / "folders" / "emergency" / "failed" / "安全生产检查.xlsx.回执.txt"


@pytest.mark.full
def test_one_round_in_a_process_of_its_own_ends_with_0_and_prints_what_it_came_to(tmp_path: Path) -> None:
    done = subprocess.run(
        [*HUB, "--check", "--state", str(tmp_path), "--port", "0"],
        capture_output=True,
        text=True,
        env=PLAIN,
        timeout=180,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    told(done.stdout, slip_in(tmp_path))


@dataclass
class Running:
    process: subprocess.Popen[str]
    state: Path
    outcome: dict[str, Any]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demo that has made its round and goes on."""
    state = tmp_path_factory.mktemp("demo")
    process = subprocess.Popen(
        [*HUB, "--json", "--state", str(state), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line.rstrip() == "}":
            break
    assert text, "it ended without a word"
    yield Running(process, state, json.loads(text))
    process.kill()
    process.wait()


def test_a_script_reads_the_counts_that_the_departments_state(running: Running) -> None:
    rows = {row["connection"]: tuple(row[name] for name in NAMES) for row in running.outcome["connections"]}

    assert running.outcome["ok"] is True
    assert running.outcome["wrong"] == []
    assert rows == STATED


@dataclass
class Played:
    """Stands in for a demo that was started once more."""

    city: tuple[Department, ...]


def checked(running: Running, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Result:
    """`hub demo --check`, whose round came to what the running demo's came to."""
    said = running.outcome
    outcome = Outcome(
        state=running.state,
        address=said["address"],
        seconds=said["seconds"],
        rows={row["connection"]: row for row in said["connections"]},
        counts=said["centre"],
        finding=said["finding"],
        systems=[Line(**line) for line in said["systems"]],
        nation=said["nation"],
        **changes,
    )
    monkeypatch.setattr("demo.play.playing", lambda *_: nullcontext(Played(city(date(2026, 3, 1)))))
    monkeypatch.setattr("demo.play.round_trip", lambda *_: outcome)
    monkeypatch.setattr("demo.play.something_to_try", lambda _: running.state)
    return CliRunner(env=PLAIN).invoke(app, ["demo", "--check"])


def test_one_round_ends_with_0_and_prints_every_count_and_one_rejected_record(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = checked(running, monkeypatch)

    assert done.exit_code == 0, done.output
    told(done.stdout, slip_in(running.state))


def test_a_round_whose_counts_differ_ends_with_1_and_says_where(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = checked(running, monkeypatch, wrong=[Wrong("差一条", "one is missing")])

    assert done.exit_code == 1
    assert "差一条" in done.stderr


def test_the_hub_goes_on_and_takes_what_the_hints_push(running: Running) -> None:
    key = (running.state / "keys" / "drug").read_text()
    data = (running.state / "pushed" / "try-me.json").read_bytes()
    url = f"{running.outcome['address']}/v1/submissions?connection=drug-licences&wait=20&wait_for=settled"

    answers = [httpx2.post(url, content=data, headers={"authorization": f"Bearer {key}"}, timeout=30) for _ in "12"]

    first, again = (answer.json()["counts"] for answer in answers)
    assert (first["read"], first["accepted"]) == (1, 1)
    assert (again["read"], again["duplicate"]) == (1, 1)


def test_a_second_demo_in_the_same_folder_is_wrong_use_and_names_the_first(running: Running) -> None:
    done = subprocess.run([*HUB, "--state", str(running.state)], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert running.outcome["address"] in done.stderr
    assert "--state" in done.stderr


def test_ctrl_c_ends_it_and_its_province_in_order(running: Running) -> None:
    centre = re.search(r'^url = "(http.*)/parcels"', (running.state / "hub.toml").read_text(), re.M)
    assert centre is not None

    running.process.send_signal(signal.SIGINT)

    assert running.process.wait(60) == 0
    for url in (running.outcome["address"], centre[1]):
        with pytest.raises(httpx2.TransportError):
            httpx2.get(url, timeout=2)
