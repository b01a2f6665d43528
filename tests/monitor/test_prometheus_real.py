"""A real Prometheus over a running hub, with the settings, rules and dashboards as shipped.

Changed for the test: addresses, the intervals (30 s to 1 s), the authority of the proxy's certificate, how long the hub
remembers its figures (5 s to half a second), and `for` of DestinationDown (15 minutes to a second).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite
from typing import Any

import httpx2
import pytest
import yaml
from typer.testing import CliRunner

from demo import ecology
from hub import serve
from hub.bootstrap import prepare
from hub.cli.main import app
from hub.ledger import credentials
from hub.serve import Running
from hub.sight import sight as figures
from tests.house.repository import ROOT
from tests.hub.alarms.test_ways import Certificate
from tests.hub.city import config, until
from tests.hub.tasks.test_journeys import MORE as TASKS
from tests.hub.tasks.test_journeys import complaint, sample
from tests.receiver import Receiver
from tests.services.front import Front
from tests.services.prometheus import SETTINGS, PrometheusSaysNo, PrometheusServer
from tools.dashboards import FINDINGS_OF_A_DAY, FOLDER

SHIPPED = ROOT / "deploy" / "prometheus"
MORE = (
    TASKS
    + """
[canary]
every = "1s"

[alarms]
every = "1s"
disk_free_gb = 0.001

[destinations.court]
party = "market"
adapter = "rest_push"
canary = "no"
settings = {{ url = "https://127.0.0.1:1/", ca_file = "{ca}" }}
"""
)
SHORTENED = "DestinationDown"
#: Panels that show nothing here, and why; no other may be empty once a file was delivered.
EMPTY = {
    "工作进程 workers": "a supervisor of several processes tells of them; this hub is one process",
    "退出的进程 deaths": "the same",
}
#: Panels that show nothing while all is well: they must while the destination is down.
OF_TROUBLE = {"待送记录 backlog", "最早一包 oldest parcel", "失败/分 failures a minute"}


@dataclass
class Site:
    """A hub behind its proxy, who receives from it, and the server that watches it from elsewhere."""

    running: Running
    receiver: Receiver
    key: str
    server: PrometheusServer
    #: The one on the hub's own machine.
    beside: PrometheusServer
    _files: int = 0

    def post(self, party: str, connection: str, **words: Any) -> dict[str, Any]:
        hub = self.running.hub
        ends = hub.clock.now() + timedelta(days=90)
        key = hub.ledger.write(lambda c: credentials.make(c, party, hub.clock.now(), expires_at=ends))[1]
        said = httpx2.post(
            f"{self.running.address}/v1/submissions?connection={connection}&wait=20&name=a",
            headers={"authorization": f"Bearer {key}"},
            timeout=30,
            **words,
        )
        assert said.status_code < 300, said.text
        answer: dict[str, Any] = said.json()
        return answer

    def hand_over(self, rows: int = 40) -> None:
        """Another file of the ecology bureau, some of it wrong."""
        self._files += 1
        made = ecology.rows(rows, faults=0.3, seed=self._files, first=1000 * self._files)
        self.post("ecology", "ecology-penalties", content=b"".join(ecology.pieces(made)))

    def values(self, expr: str, server: PrometheusServer | None = None) -> list[float]:
        """What an expression is now, without what is no number."""
        found = (server or self.server).ask("query", query=expr)
        pairs = [found["result"]] if found["resultType"] == "scalar" else [one["value"] for one in found["result"]]
        return [value for _, text in pairs if isfinite(value := float(text))]

    def target(self, server: PrometheusServer | None = None) -> dict[str, Any]:
        """What is scraped; {} before it is."""
        active = (server or self.server).ask("targets")["activeTargets"]
        return dict(active[0]) if active else {}

    def watched(self, server: PrometheusServer | None = None) -> None:
        """Once the target is up."""
        until(lambda: self.target(server).get("health") == "up")

    def delivered(self) -> None:
        """Once a file more was handed over, delivered and seen."""
        expr = "sum(increase(hub_answered_records_total[5m]))"
        before = sum(self.values(expr))
        self.hand_over()
        until(lambda: sum(self.values(expr)) > before)

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """Those of a rule that are pending or firing."""
        return [one for one in self.server.ask("alerts")["alerts"] if one["labels"]["alertname"] == name]


def panels() -> Iterator[tuple[str, str]]:
    """Title and expression of every series of the dashboards."""
    for path in sorted(FOLDER.glob("*.json")):
        page = json.loads(path.read_text("utf-8"))
        assert "templating" not in page, "its variables would have to be put in"
        for panel in page["panels"]:
            yield from ((panel["title"], target["expr"]) for target in panel["targets"])


def prometheus(name: str, target: str, **changes: Any) -> PrometheusServer:
    """With shipped settings, not started."""
    made = PrometheusServer()
    settings = yaml.safe_load((SHIPPED / name).read_text("utf-8"))
    settings["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = settings["scrape_configs"]
    job |= {"static_configs": [{"targets": [target]}], **changes}
    made.write(SETTINGS, yaml.safe_dump(settings))
    rules = yaml.safe_load((SHIPPED / "alerts.yml").read_text("utf-8"))
    (shortened,) = (rule for group in rules["groups"] for rule in group["rules"] if rule["alert"] == SHORTENED)
    shortened["for"] = "1s"
    made.write("alerts.yml", yaml.safe_dump(rules, allow_unicode=True))
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    certificate = Certificate(folder)
    receiver = Receiver().start()
    path = folder / "hub.toml"
    path.write_text(config(receiver.url, more=MORE.format(ca=certificate.path)), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "_SECONDS", 0.5)
        running = serve.start(*prepare(path))
        front = Front(running.address, certificate.path, certificate.key)
        words = ["key", "new", "--right", "see", "--note", "prometheus", "--config", str(path)]
        key = CliRunner().invoke(app, words).stdout
        elsewhere = prometheus(
            "prometheus-remote.yml", f"localhost:{front.port}", tls_config={"ca_file": "site-ca.pem"}
        )
        elsewhere.write("site-ca.pem", certificate.path.read_text("ascii"))
        elsewhere.write("hub.key", key)
        beside = prometheus("prometheus.yml", running.address.removeprefix("http://"))
        for server in (elsewhere, beside):
            server.start()
        made = Site(running, receiver, key, elsewhere, beside)
        made.post("centre", "from-above", json=[complaint()])
        yield made
        for server in (elsewhere, beside):
            server.remove()
        front.stop()
        running.stop()
        receiver.stop()


def test_it_is_scraped_through_the_proxy_with_a_key_that_may_only_look_and_with_no_other(site: Site) -> None:
    site.watched()

    site.server.write("hub.key", "hub_000000000000_wrong")
    until(lambda: site.target()["health"] == "down")
    said = site.target()["lastError"]
    site.server.write("hub.key", site.key)

    site.watched()
    assert "401" in said
    assert site.target()["labels"]["job"] == "supervision-exchange-hub"
    assert site.target()["scrapeUrl"].startswith("https://")


def test_on_the_hubs_own_machine_it_is_scraped_without_a_key(site: Site) -> None:
    site.watched(site.beside)

    assert site.values("hub_ledger_up", site.beside) == [1]


@pytest.mark.parametrize("server", ["server", "beside"])
def test_every_rule_is_loaded_and_can_be_evaluated(site: Site, server: str) -> None:
    site.watched()

    def told() -> list[dict[str, Any]]:
        groups = getattr(site, server).ask("rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    until(lambda: all(rule["health"] != "unknown" for rule in told()))

    shipped = yaml.safe_load((SHIPPED / "alerts.yml").read_text("utf-8"))["groups"]
    assert {rule["name"] for rule in told()} == {rule["alert"] for group in shipped for rule in group["rules"]}
    assert {(rule["health"], rule.get("lastError", "")) for rule in told()} == {("ok", "")}


def test_every_panel_can_be_drawn_and_shows_something_once_a_file_was_delivered(site: Site) -> None:
    site.watched()
    site.delivered()
    # Told by rounds of a second each.
    until(lambda: bool(site.values("hub_alarms_open") and site.values("hub_canary_age_seconds")))
    now = site.running.hub.clock.now().timestamp()

    for _, expr in panels():
        site.server.ask("query_range", query=expr, start=now - 60, end=now, step=15)
    empty = {title for title, expr in panels() if not site.values(expr)}

    assert empty - OF_TROUBLE == set(EMPTY)


def test_the_first_file_of_a_party_is_in_the_rates(site: Site) -> None:
    read = 'hub_records_total{party="market",dataset="punish_action",verdict="read"}'
    site.watched()
    until(lambda: site.values(read) == [0])

    site.post("market", "market-penalties", json=[sample("punish_action")])

    until(lambda: site.values(f"rate({read}[5m])") > [0])


def test_findings_of_a_code_that_was_never_seen_before_are_counted(site: Site) -> None:
    site.watched()
    site.delivered()

    until(lambda: sum(site.values(FINDINGS_OF_A_DAY)) == sum(site.values("hub_findings_total")) > 0)


def test_what_is_no_expression_is_refused(site: Site) -> None:
    with pytest.raises(PrometheusSaysNo, match="parse error"):
        site.server.ask("query", query="sum by (x (hub_holds_open)")


def test_a_destination_that_is_down_fires_by_its_name_and_rests_when_it_answers(site: Site) -> None:
    site.watched()
    site.receiver.status = 503
    site.hand_over()

    until(lambda: [one["state"] for one in site.alerts(SHORTENED)] == ["firing"])
    (alert,) = site.alerts(SHORTENED)
    until(lambda: all(site.values(expr) for title, expr in panels() if title in OF_TROUBLE))
    site.receiver.status = None

    until(lambda: not site.alerts(SHORTENED))
    assert (alert["labels"]["destination"], alert["labels"]["severity"]) == ("province", "page")
    assert "投递目标 province 15 分钟不可用" in alert["annotations"]["summary"]
