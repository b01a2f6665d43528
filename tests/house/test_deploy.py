"""deploy/: the example settings are right, and compose and systemd agree with the Dockerfile and with them."""

import configparser
import re
import shutil
from pathlib import Path

import pytest
import yaml

from hub.bootstrap import prepare
from tests.house.dockerfile import Dockerfile
from tests.house.repository import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
FINAL = Dockerfile.parse((ROOT / "Dockerfile").read_text()).stages[-1]
IMAGE = {name: value for step in FINAL.all("ENV") for name, value in step.pairs().items()}


@pytest.fixture(scope="module")
def unit() -> dict[str, str]:
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(DEPLOY / "hub.service")
    return dict(read["Service"])


def references() -> set[str]:
    """The secrets that the example settings fetch from the environment."""
    lines = [line.partition("#")[0] for line in (DEPLOY / "hub.toml").read_text("utf-8").splitlines()]
    return set(re.findall(r'"env:(\w+)"', "\n".join(lines)))


def test_the_example_settings_have_no_mistake(tmp_path: Path) -> None:
    path = Path(shutil.copy(DEPLOY / "hub.toml", tmp_path))

    settings, _ = prepare(path)

    assert settings.routes


def test_compose_hands_over_every_secret_that_the_settings_ask_for_and_no_other() -> None:
    environment = COMPOSE["services"]["hub"]["environment"]

    assert set(environment) == references()
    assert all("${" in value and ":?}" in value for value in environment.values()), "a password has no default"


def test_compose_puts_settings_and_state_where_the_image_looks() -> None:
    hub = COMPOSE["services"]["hub"]
    mounted = {volume.split(":")[1] for volume in hub["volumes"]}

    assert mounted == {IMAGE["HUB_CONFIG"], IMAGE["HUB_HUB__STATE"]}
    assert [port.split(":")[1] for port in hub["ports"]] == [FINAL.last("EXPOSE").text] == [IMAGE["HUB_API__PORT"]]
    assert {name for volume in hub["volumes"] if (name := volume.split(":")[0])[0] != "."} <= set(COMPOSE["volumes"])


def test_the_unit_starts_what_the_image_starts_with_the_same_settings(unit: dict[str, str]) -> None:
    said = dict(word.split("=", 1) for word in unit["Environment"].split())

    assert unit["ExecStart"].split() == ["/opt/hub/bin/hub", *FINAL.last("CMD").words[1:]]
    assert said == {name: value for name, value in IMAGE.items() if name.startswith("HUB_")}
    assert unit["WorkingDirectory"] == said["HUB_HUB__STATE"] == f"/var/lib/{unit['StateDirectory']}"
    assert "ExecStartPre" not in unit, "a hub must start while a counterpart is down"
