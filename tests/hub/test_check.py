"""`hub check`: every mistake of the settings at once, with its line and the near name; exit codes for scripts."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub import config as reading
from hub.cli.main import app
from hub.config import secret
from standards.errors import BadConfiguration
from tests.hub.city import config


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Settings that are right, but for what a test does to them."""
    path = tmp_path / "hub.toml"
    path.write_text(config("http://127.0.0.1:9"), "utf-8")
    return path


def changed(path: Path, old: str, new: str) -> int:
    """Replace a word; its line."""
    text = path.read_text("utf-8")
    assert text.count(old) >= 1, old
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def checked(path: Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["check", "--config", str(path)])
    return done.exit_code, re.sub(r"\s+", " ", done.output)


def test_settings_that_are_right_but_a_receiver_that_is_not_there(path: Path) -> None:
    code, said = checked(path)
    assert code == 3
    assert "✓ settings" in said
    assert "✗ destination province" in said
    assert "✓ connection ecology-penalties" in said


def test_what_was_tried_is_told_to_machines(path: Path) -> None:
    done = CliRunner().invoke(app, ["check", "--config", str(path), "--json"])
    tried = {one["what"]: one["ok"] for one in json.loads(done.output)}
    assert tried["ledger"] is True
    assert tried["broker embedded"] is True
    assert tried["destination province"] is False


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "大同市生态环境局"', 'tittle = "大同市生态环境局"', "did you mean title?"),
        ('level = "city"', 'level = "town"', "hub.level"),
        ('code = "11140200E9QM7HGU4X"', 'code = "123"', "hub.code"),
        ("quick_tries = 1", "quick_trys = 1", "did you mean quick_tries?"),
        ('adapter = "rest_push"', 'adapter = "rest_pusch"', "did you mean rest_push?"),
        ('to = ["province"]', 'to = ["provinze"]', "did you mean province?"),
        ('mapping = "demo_ecology/punish_action"', 'mapping = "demo_ecology/punish"', "punish_action"),
        ('dataset = "check_action"', 'dataset = "check_acton"', "did you mean check_action?"),
        ('party = "market"', 'party = "markt"', "did you mean market?"),
        ('probe = "0.3s"', 'probe = "soon"', "probe"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_near_name(path: Path, old: str, new: str, said: str) -> None:
    line = changed(path, old, new)
    code, told = checked(path)
    assert code == 2
    assert said in told
    assert f"hub.toml:{line}" in told


def test_every_mistake_is_told_at_once(path: Path) -> None:
    changed(path, 'adapter = "rest_push"', 'adapter = "rest_pusch"')
    changed(path, 'to = ["province"]', 'to = ["provinze"]')
    changed(path, 'dataset = "check_action"', 'dataset = "check_acton"')
    _, told = checked(path)
    assert all(word in told for word in ("rest_pusch", "provinze", "check_acton", "3 处错误"))


def test_a_city_never_writes_to_the_nation(path: Path) -> None:
    changed(path, 'level = "province"\n\n[connections', 'level = "nation"\n\n[connections')
    code, told = checked(path)
    assert code == 2
    assert "never writes to the nation" in told


def test_a_file_that_is_no_toml_or_not_there(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[hub\nname=", "utf-8")
    assert checked(broken)[0] == 2
    assert checked(tmp_path / "none.toml")[0] == 2


def test_the_environment_wins_over_the_file(path: Path) -> None:
    assert reading.load(path, {"HUB_HUB__TITLE": "另一个枢纽"}).hub.title == "另一个枢纽"
    assert reading.load(path, {"HUB_SHARED_DATA": "x"}).hub.name == "datong"


def test_a_secret_comes_from_environment_or_file_and_its_absence_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("s3\n", "utf-8")
    monkeypatch.setenv("SOME_KEY", "s1")
    assert secret("env:SOME_KEY") == "s1"
    assert secret(f"file:{tmp_path / 'key'}") == "s3"
    for missing in ("env:NOT_THERE", f"file:{tmp_path / 'none'}"):
        with pytest.raises(BadConfiguration):
            secret(missing)
