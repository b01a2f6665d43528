"""Grafana's dashboards and Prometheus' settings: about figures that are there, and understood by promtool."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from monitor.metrics import METRICS
from tests.house.repository import ROOT
from tests.services.promtool import PromtoolSaysNo, promtool
from tools.dashboards import DASHBOARDS, FINDINGS_OF_A_DAY, FOLDER, SOURCE, texts

DEPLOY = ROOT / "deploy"
SAMPLES = {sample: metric for metric in METRICS.values() for sample in metric.samples}


def expressions() -> list[tuple[str, str, str]]:
    """Title, expression and legend of every series in the files."""
    return [
        (panel["title"], target["expr"], target["legendFormat"])
        for path in sorted(FOLDER.glob("*.json"))
        for panel in json.loads(path.read_text("utf-8"))["panels"]
        for target in panel["targets"]
    ]


def check(folder: Path, found: list[str]) -> None:
    rules = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(found)]
    path = folder / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}, allow_unicode=True), "utf-8")
    promtool("check", "rules", path)


def test_the_files_are_those_of_the_table() -> None:
    assert {path: path.read_text("utf-8") for path in FOLDER.glob("*")} == texts(), "python -m tools.dashboards"


def test_every_expression_is_understood_and_about_figures_that_are_there(tmp_path: Path) -> None:
    found = expressions()
    assert len(found) > 50
    check(tmp_path, [expr for _, expr, _ in found])
    for title, expr, legend in found:
        named = re.findall(r"\bhub_[a-z_]+", expr)
        assert set(named) <= set(SAMPLES), title
        known = {label for name in named for label in SAMPLES[name].labels} | {"instance", "job", "le"}
        by = {word.strip() for group in re.findall(r"by \(([^)]*)\)", expr) for word in group.split(",")}
        shown = set(re.findall(r"\{\{(\w+)\}\}", legend))
        assert by | shown | set(re.findall(r"(\w+)!?=\"", expr)) <= known, title
        if by:
            assert shown <= by, f"{title}: what is summed away cannot be shown"


def test_a_wrong_expression_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(PromtoolSaysNo):
        check(tmp_path, ["sum by (x (hub_holds_open)"])


def test_every_metric_is_shown_somewhere() -> None:
    shown = {name for _, expr, _ in expressions() for name in re.findall(r"\bhub_[a-z_]+", expr)}
    assert {SAMPLES[name].name for name in shown} == set(METRICS)


def test_panels_do_not_lie_on_each_other() -> None:
    for path in FOLDER.glob("*.json"):
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not cells & taken, panel["title"]
            assert at["x"] + at["w"] <= 24
            taken |= cells


def test_grafana_is_told_where_both_are() -> None:
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text("utf-8"))
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/hub.yaml").read_text("utf-8"))
    assert source["datasources"][0]["uid"] == SOURCE["uid"]
    assert provider["providers"][0]["options"]["path"] in (ROOT / "docs/deploy.md").read_text("utf-8")
    assert len({one.uid for one in DASHBOARDS}) == len(DASHBOARDS)


@pytest.mark.parametrize("name", ["prometheus.yml", "prometheus-remote.yml"])
def test_prometheus_understands_its_settings_and_scrapes_under_the_name_the_rules_know(
    tmp_path: Path, name: str
) -> None:
    folder = Path(shutil.copytree(DEPLOY / "prometheus", tmp_path / "prometheus"))
    (folder / "hub.key").write_text("hub_x_y", "ascii")

    assert "SUCCESS" in promtool("check", "config", folder / name)

    job = yaml.safe_load((folder / name).read_text("utf-8"))["scrape_configs"][0]["job_name"]
    rules = (folder / "alerts.yml").read_text("utf-8")
    assert set(re.findall(r'job="([^"]+)"', rules)) == {job}


def test_on_the_hubs_own_machine_no_key_is_asked_for() -> None:
    assert "SUCCESS" in promtool("check", "config", DEPLOY / "prometheus" / "prometheus.yml"), "without hub.key"


def test_a_code_that_is_new_today_is_counted_whole_and_an_old_one_by_what_it_grew(tmp_path: Path) -> None:
    here = 'instance="hub:8080",job="supervision-exchange-hub"'
    findings = {"old": "7000+1x3000", "new": "_x2499 500x500", "restarted": "90x2000 _x99 90x900"}
    series = {f'hub_findings_total{{code="{code}",dataset="d",{here}}}': line for code, line in findings.items()}
    series[f"hub_ledger_up{{{here}}}"] = "1x2000 0x99 1x900"
    asked = {
        "expr": FINDINGS_OF_A_DAY,
        "eval_time": "2880m",
        "exp_samples": [
            {"labels": f'{{code="{code}"}}', "value": n} for code, n in (("old", 1440), ("new", 500), ("restarted", 0))
        ],
    }
    tests = [{"interval": "1m", "promql_expr_test": [asked], "input_series": listed(series)}]
    path = tmp_path / "panels.test.yml"
    path.write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": tests}), "utf-8")

    promtool("test", "rules", path)


def listed(series: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": values} for name, values in series.items()]
