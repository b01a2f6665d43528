"""The real files, where they are at hand: counts add up, shares are as expected, repeats make nothing new."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hub.bootstrap import Hub
from tests.real.test_twins import adds_up
from tests.shared_data import shared
from tools.real.expected import REAL, RealInput, configuration
from tools.real.running import hand_over
from tools.real_input import is_as_expected, page, run

ROOT = Path(__file__).resolve().parents[2]
#: Read whole by `./run test` too: together they take a few seconds.
INPUTS = [pytest.param(one, id=one.name) for one in REAL]


def data_of(one: RealInput) -> bytes:
    for file in one.files:
        shared(file)
    return one.data(shared("."))


@pytest.mark.parametrize("one", INPUTS)
def test_a_real_file_is_judged_as_expected_and_repeats_make_nothing_new(hub: Hub, one: RealInput) -> None:
    data = data_of(one)

    view = hand_over(hub, one, data, "first")

    assert adds_up(view)
    assert is_as_expected(one, view), view.document["commonest"]
    same = hand_over(hub, one, data, "first")
    assert same.receipt_no == view.receipt_no
    again = hand_over(hub, one, data, "second")
    assert again.receipt_no != view.receipt_no
    assert adds_up(again)
    assert again.rejected == view.rejected
    distinct = view.accepted + view.duplicate
    # A number that stands twice in one file with two contents goes to and fro once more.
    assert distinct - again.duplicate <= 2
    known = {view.receipt_no, again.receipt_no}
    assert {d["held_by"] for d in again.document["duplicates"]} <= known


def test_the_page_says_what_a_run_says() -> None:
    made = page(run(shared(".")))

    assert made == (ROOT / "docs" / "real-input.md").read_text("utf-8")


#: One in every run, all of them with --full.
COMMANDS = [
    pytest.param(one.name, marks=[] if one.name == "registry-guizhou-1985" else pytest.mark.full) for one in REAL
]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_submits_waits_and_tells(tmp_path: Path, name: str) -> None:
    one = next(one for one in REAL if one.name == name)
    file = tmp_path / one.file_name
    file.write_bytes(data_of(one))
    (tmp_path / "out").mkdir()
    config = tmp_path / "hub.toml"
    config.write_text(configuration(tmp_path), "utf-8")
    hub = [sys.executable, "-m", "hub"]
    serving = subprocess.Popen(
        [*hub, "serve", "--config", str(config)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert serving.stdout is not None
        while not (tmp_path / "state" / "address").exists():
            assert serving.poll() is None
        words = ["submit", str(file), "--connection", name, "--config", str(config), "--wait", "--json"]
        done = subprocess.run([*hub, *words], capture_output=True, text=True, check=False, timeout=120)
    finally:
        serving.terminate()
        serving.wait(30)

    receipt = json.loads(done.stdout)
    counts = receipt["counts"]
    assert receipt["state"] == "settled"
    assert counts["read"] == counts["accepted"] + counts["rejected"] + counts["held"] + counts["duplicate"]
    assert done.returncode == (1 if counts["rejected"] else 0), done.stderr
