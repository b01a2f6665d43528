"""None of the systems that exchange with a hub is without a feed, a simulator and a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.systems import System, systems
from adapters.systems.recipe import recipe
from adapters.systems.rows import NamedRow, rows
from hub.config import load

ROOT = Path(__file__).resolve().parents[2]


def test_there_are_66_rows_and_59_of_them_exchange() -> None:
    assert [row.number for row in rows()] == list(range(1, 67))
    assert sum(row.exchanges for row in rows()) == 59


@pytest.mark.parametrize("row", [r for r in rows() if r.exchanges], ids=lambda r: f"{r.number}-{r.name[:20]}")
def test_every_row_that_exchanges_is_served_and_tested(row: NamedRow) -> None:
    assert row.test or list(row.feeds()), f"nothing serves row {row.number}, {row.name}"
    if row.test:
        assert (ROOT / row.test).exists(), f"row {row.number} names a test that is not there: {row.test}"
    directions = {feed.direction for _, _, feed in row.feeds()}
    if not row.test:
        wanted = {"→H": {"in"}, "H→": {"out"}, "↔": {"in", "out"}}
        for arrow, needed in wanted.items():
            if row.direction.startswith(arrow):
                assert needed <= directions, f"row {row.number} is {row.direction}, feeds go {directions}"


@pytest.mark.parametrize("system", systems(), ids=lambda s: s.system)
def test_a_recipe_is_settings_that_can_be_read(system: System, tmp_path: Path) -> None:
    head = '[hub]\nname = "x"\ntitle = "x"\nlevel = "city"\nregion = "140200"\ncode = "11140200E9QM7HGU4X"\n'
    path = tmp_path / "hub.toml"
    path.write_text(head + recipe(system, {"code": "11140200E9QM7HGU4X", "url": "http://127.0.0.1:1"}), "utf-8")
    settings = load(path)
    assert len(settings.connections) + len(settings.destinations) == len(system.feeds)
