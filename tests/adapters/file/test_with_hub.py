"""A bureau puts files into a folder of a hub and finds its receipts there; the hub puts parcels into another folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from adapters.conformance.parcels import contents
from hub.bootstrap import Hub, build, prepare
from standards.model import FilledBy
from standards.registry import built_in
from tests.hub.city import until

CONFIG = """
[hub]
name = "datong"
title = "大同市监管数据交换枢纽"
level = "city"
region = "140200"
code = "11140200E9QM7HGU4X"

[api]
port = 0

[parties.market]
title = "大同市市场监督管理局"
code = "111402001D22DR363Y"

[parties.credit]
title = "市信用平台"
code = "11140200A4L2GB1F45"

[connections.penalties]
party = "market"
dataset = "punish_action"
adapter = "file"
settings = {{ folder = "{folder}/in", stable_seconds = 0.1, pause_seconds = 0.1 }}

[destinations.credit]
party = "credit"
adapter = "file"
direction = "across"
settings = {{ folder = "{folder}/out", header = "titles", name = "{{dataset}}_{{batch}}_{{parcel}}" }}

[[routes]]
to = ["credit"]
"""


@pytest.fixture
def start(tmp_path: Path) -> Callable[[], Hub]:
    """Starts a hub on the same ledger and folders; the caller stops it."""
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    path = tmp_path / "hub.toml"
    path.write_text(CONFIG.format(folder=tmp_path), "utf-8")

    def start() -> Hub:
        settings, body = prepare(path)
        hub = build(settings)
        hub.generations.publish(body, "test")
        hub.start()
        return hub

    return start


def put(folder: Path, name: str, size: int, **changes: str) -> None:
    """Valid records as a CSV of a Chinese office."""
    own = [e.id for e in built_in().dataset("punish_action").elements if e.filled_by is FilledBy.SENDER]
    with (folder / name).open("w", encoding="gb18030", newline="") as file:
        writer = csv.DictWriter(file, own)
        writer.writeheader()
        writer.writerows({k: r.get(k, "") for k in own} | changes for r in contents(size))


def test_a_file_goes_its_whole_way_and_the_clerk_finds_what_is_wrong(start: Callable[[], Hub], tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    hub = start()
    try:
        put(inside, "八月处罚.csv", 20)
        put(inside, "坏的.csv", 3, set_date="2025年13月40日")
        until(lambda: (inside / "done" / "八月处罚.csv").exists() and (inside / "failed" / "坏的.csv").exists())
        until(lambda: len(list(outside.glob("*.csv"))) == 1)
        until(lambda: _state(inside / "done" / "八月处罚.csv.回执.json") == "settled")
    finally:
        hub.stop()

    receipt = json.loads((inside / "done" / "八月处罚.csv.回执.json").read_bytes())
    assert receipt["counts"]["accepted"] == 20
    words = (inside / "failed" / "坏的.csv.回执.txt").read_text("utf-8-sig")
    assert "处罚决定日期" in words
    assert "2025年13月40日" in words
    assert "第 2 行" in words
    with next(outside.glob("*.csv")).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20
    title = built_in().dataset("punish_action").by_id["punish_action_code"].title
    assert {r[title] for r in rows} == {c["punish_action_code"] for c in contents(20)}


def test_a_hub_that_stops_in_the_middle_goes_on_where_it_was(start: Callable[[], Hub], tmp_path: Path) -> None:
    inside = tmp_path / "in"
    hub = start()
    put(inside, "a.csv", 5)
    until(lambda: not (inside / "a.csv").exists())
    hub.stop()
    put(inside, "b.csv", 8)

    hub = start()
    try:
        until(lambda: {"a.csv", "b.csv"} <= {p.name for p in (inside / "done").iterdir()})
    finally:
        hub.stop()

    assert list((inside / "work").iterdir()) == []
    a, b = (json.loads((inside / "done" / f"{n}.csv.回执.json").read_bytes())["counts"] for n in "ab")
    assert (a["read"], a["accepted"]) == (5, 5)
    assert (b["read"], b["accepted"], b["duplicate"]) == (8, 3, 5)


def test_a_workbook_comes_back_marked_beside_its_receipt(start: Callable[[], Hub], tmp_path: Path) -> None:
    inside = tmp_path / "in"
    own = [e.id for e in built_in().dataset("punish_action").elements if e.filled_by is FilledBy.SENDER]
    given = Workbook()
    sheet = given.active
    assert sheet is not None
    sheet.append(own)
    for number, record in enumerate(contents(3)):
        changed = record | ({"set_date": "2025年13月40日"} if number == 1 else {})
        sheet.append([changed.get(name, "") for name in own])
    hub = start()
    try:
        given.save(tmp_path / "处罚.xlsx")
        (tmp_path / "处罚.xlsx").rename(inside / "处罚.xlsx")
        marked = inside / "failed" / "处罚.xlsx.标注.xlsx"
        until(lambda: marked.exists() and (inside / "failed" / "处罚.xlsx").exists())
        back = load_workbook(marked)
    finally:
        hub.stop()

    cell = back[sheet.title].cell(3, own.index("set_date") + 1)
    assert cell.value == "2025年13月40日"
    assert cell.comment is not None
    assert "处罚决定日期" in cell.comment.text
    assert sorted(p.name for p in (inside / "failed").iterdir()) == [
        "处罚.xlsx",
        "处罚.xlsx.回执.json",
        "处罚.xlsx.回执.txt",
        "处罚.xlsx.标注.xlsx",
    ]


def _state(receipt: Path) -> str:
    return str(json.loads(receipt.read_bytes())["state"]) if receipt.exists() else ""
