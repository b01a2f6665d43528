"""The Grafana dashboards of `deploy/grafana/`, made from the table below:  python -m tools.dashboards

A panel is a line: what it is called, how it is drawn, in which unit, and its expressions with their legends.
`tests/monitor/test_dashboards.py` holds the files against this table and every expression against promtool.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "grafana" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "prometheus"}
_WIDTH = 24


@dataclass(frozen=True)
class Panel:
    """One picture."""

    title: str
    #: Expression and legend of each series.
    series: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    #: From which value on it is red; with `red_below`, up to which.
    red: float | None = None
    red_below: bool = False
    #: Of a `stat`: value, or name where the value says nothing; Grafana's own choice when empty.
    text: str = ""


@dataclass(frozen=True)
class Dashboard:
    """One page."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def stat(title: str, expr: str, *, unit: str = "short", red: float | None = None, below: bool = False) -> Panel:
    """One number."""
    return Panel(title, ((expr, ""),), "stat", unit, 4, 4, red, below)


def or_zero(expr: str) -> str:
    """What has no series while there is none of it is 0 then; with no word from the ledger it stays unknown."""
    return f"{expr} or 0 * max(hub_ledger_up == 1)"


#: A code that is new counts from its beginning: a counter that is first seen at 500 never grew.  New is what was told
#: in fewer scrapes of the day than the ledger answered in.
FINDINGS_OF_A_DAY = (
    "topk(15, sum by (code) ("
    "(hub_findings_total and count_over_time(hub_findings_total[24h])"
    " < on (job, instance) group_left () sum_over_time(hub_ledger_up[24h]))"
    " or increase(hub_findings_total[24h])))"
)

OVERVIEW = Dashboard(
    "hub-overview",
    "枢纽总览 Hub overview",
    (
        stat("枢纽应答 hub answers", 'min(up{job="supervision-exchange-hub"})', red=1, below=True),
        stat(
            "目标可用 destinations up",
            "sum(hub_destination_up) / count(hub_destination_up)",
            unit="percentunit",
            red=1,
            below=True,
        ),
        stat(
            "待送最久 oldest waiting",
            or_zero('max(hub_destination_oldest_seconds{state="waiting"})'),
            unit="s",
            red=3600,
        ),
        stat("未校验最久 oldest not judged", "max(hub_submissions_oldest_seconds)", unit="s", red=900),
        stat("探针 canary", "max(hub_canary_age_seconds)", unit="s", red=1800),
        stat("超期异常 overdue cases", or_zero("sum(hub_cases_overdue)"), red=1),
        Panel(
            "记录/秒 records a second",
            (
                ('sum by (verdict) (rate(hub_records_total{verdict!="read"}[5m]))', "{{verdict}}"),
                ('sum(rate(hub_records_total{verdict="read"}[5m]))', "read"),
            ),
            unit="ops",
        ),
        Panel(
            "接收方应答/秒 answers a second",
            (("sum by (destination, result) (rate(hub_answered_records_total[5m]))", "{{destination}} {{result}}"),),
            unit="ops",
        ),
        Panel(
            "收到至校验 from received to judged",
            (
                ("histogram_quantile(0.5, sum by (le) (rate(hub_submission_judging_seconds_bucket[15m])))", "50 %"),
                ("histogram_quantile(0.95, sum by (le) (rate(hub_submission_judging_seconds_bucket[15m])))", "95 %"),
            ),
            unit="s",
        ),
        Panel(
            "校验至回执 from judged to receipt",
            (
                ("histogram_quantile(0.5, sum by (le) (rate(hub_parcel_receipt_seconds_bucket[15m])))", "50 %"),
                ("histogram_quantile(0.95, sum by (le) (rate(hub_parcel_receipt_seconds_bucket[15m])))", "95 %"),
            ),
            unit="s",
        ),
        Panel("队列 queues", (("hub_queue_messages", "{{queue}}"), ("hub_outbox_messages", "outbox"))),
        Panel("未校验报送 hand-overs not judged", (("hub_submissions_unfinished", "{{state}}"),)),
        Panel("异常 open cases", (("sum by (class) (hub_cases_open)", "{{class}}"),)),
        Panel("告警 open alarms", (("hub_alarms_open", "{{rule}}"),), "bargauge"),
        Panel(
            "任务 open tasks",
            (("sum by (flow) (hub_tasks_open)", "{{flow}}"), ("hub_tasks_overdue", "{{flow}} 超期 overdue")),
        ),
    ),
)

DESTINATIONS = Dashboard(
    "hub-destinations",
    "投递目标 Destinations",
    (
        Panel("可用 up", (("hub_destination_up", "{{destination}}"),), "state-timeline", width=24, height=6),
        Panel("待送记录 backlog", (("hub_destination_backlog_records", "{{destination}} {{state}}"),)),
        Panel(
            "最早一包 oldest parcel",
            (("hub_destination_oldest_seconds", "{{destination}} {{state}}"),),
            unit="s",
            red=3600,
        ),
        Panel(
            "最近成功 since the last success",
            (("time() - hub_destination_last_success_timestamp_seconds", "{{destination}}"),),
            unit="s",
        ),
        Panel(
            "失败/分 failures a minute",
            (("60 * sum by (destination, code) (rate(hub_delivery_failures_total[5m]))", "{{destination}} {{code}}"),),
        ),
        Panel("连续失败 failures in a row", (("hub_destination_failures", "{{destination}}"),)),
        Panel(
            "回执用时 time to receipt, 95 %",
            (
                (
                    "histogram_quantile(0.95, sum by (destination, le) (rate(hub_parcel_receipt_seconds_bucket[15m])))",
                    "{{destination}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            "路由/秒 routed a second",
            (("sum by (destination, dataset) (rate(hub_routed_records_total[5m]))", "{{destination}} {{dataset}}"),),
            unit="ops",
        ),
        Panel(
            "退回率 share refused",
            (
                (
                    'sum by (destination, dataset) (rate(hub_answered_records_total{result="refused"}[30m]))'
                    " / sum by (destination, dataset) (rate(hub_answered_records_total[30m]))",
                    "{{destination}} {{dataset}}",
                ),
            ),
            unit="percentunit",
            red=0.2,
        ),
        Panel("探针 canary age", (("hub_canary_age_seconds", "{{route}}"),), unit="s", red=1800),
    ),
)

SENDERS = Dashboard(
    "hub-senders",
    "报送方与质量 Senders and quality",
    (
        Panel(
            "最近报送 since the last hand-over",
            (("time() - hub_connection_last_seen_timestamp_seconds", "{{connection}}"),),
            "bargauge",
            "s",
            24,
        ),
        Panel(
            "收到/秒 read a second",
            (('sum by (party) (rate(hub_records_total{verdict="read"}[5m]))', "{{party}}"),),
            unit="ops",
        ),
        Panel(
            "退回率 share rejected",
            (
                (
                    'sum by (party, dataset) (rate(hub_records_total{verdict="rejected"}[30m]))'
                    ' / sum by (party, dataset) (rate(hub_records_total{verdict="read"}[30m]))',
                    "{{party}} {{dataset}}",
                ),
            ),
            unit="percentunit",
            red=0.2,
        ),
        Panel(
            "问题代码（24 小时） findings of a day",
            ((FINDINGS_OF_A_DAY, "{{code}}"),),
            "bargauge",
        ),
        Panel("挂起 held", (("hub_holds_open", "held"),)),
        Panel("未办异常 open cases", (("sum by (party, class) (hub_cases_open)", "{{party}} {{class}}"),), "bargauge"),
        Panel(
            "期限 terms",
            (
                ("hub_cases_due_tomorrow", "{{class}} 明日到期 due tomorrow"),
                ("hub_cases_overdue", "{{class}} 超期 overdue"),
                ("hub_cases_without_due", "无期限 without a term"),
            ),
        ),
        Panel("密钥到期 keys end in", (("hub_key_expiry_timestamp_seconds - time()", "{{party}}"),), "bargauge", "s"),
        Panel(
            "无人负责的任务 tasks of nobody",
            (("hub_tasks_pool", "{{flow}}"), ("sum by (flow, state) (hub_tasks_open)", "{{flow}} {{state}}")),
        ),
    ),
)

MACHINE = Dashboard(
    "hub-machine",
    "机器 Machine",
    (
        stat("台账 ledger", "min(hub_ledger_up)", red=1, below=True),
        stat("消息代理 broker", "min(hub_broker_up)", red=1, below=True),
        stat("调度 scheduler", "min(hub_scheduler_elected)", red=1, below=True),
        stat("未封存 unsealed", "max(hub_journal_unsealed_oldest_seconds)", unit="s", red=600),
        stat("日历至 calendar until", "min(hub_calendar_last_year)", unit="none"),
        stat("配置代 generation", "max(hub_generation_number)", unit="none"),
        Panel("工作进程 workers", (("hub_workers", "{{role}}"), ("hub_workers_wanted", "{{role}} 应有 wanted"))),
        Panel("退出的进程 deaths", (("increase(hub_worker_deaths_total[1h])", "{{role}}"),)),
        Panel(
            "磁盘 disk",
            (
                ("hub_state_free_bytes", "空闲 free"),
                ("hub_state_size_bytes", "全部 size"),
                ("hub_ledger_size_bytes", "台账 ledger"),
            ),
            unit="bytes",
        ),
        Panel("读取指标用时 time of these figures", (("hub_ledger_read_seconds", "{{instance}}"),), unit="s"),
        Panel("outbox", (("hub_outbox_messages", "messages"), ("hub_outbox_oldest_seconds", "oldest (s)"))),
        Panel("死信 dead letters", (('hub_queue_messages{queue="hub.dead"}', "hub.dead"),), red=1),
        Panel(
            "证书到期 certificates end in",
            (("hub_certificate_expiry_timestamp_seconds - time()", "{{used_by}}"),),
            "bargauge",
            "s",
        ),
        Panel("重放 replays under way", (("hub_replays_running", "replays"),)),
        Panel("版本 version", (("hub_info", "{{hub}} {{level}} {{version}}"),), "stat", text="name"),
    ),
)

DASHBOARDS = (OVERVIEW, DESTINATIONS, SENDERS, MACHINE)


def page(dashboard: Dashboard) -> dict[str, Any]:
    """A dashboard as Grafana reads it."""
    panels, x, y, tallest = [], 0, 0, 0
    for number, panel in enumerate(dashboard.panels, 1):
        if x + panel.width > _WIDTH:
            x, y, tallest = 0, y + tallest, 0
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        x, tallest = x + panel.width, max(tallest, panel.height)
        panels.append(_panel(number, panel, place))
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["supervision-exchange-hub"],
        "timezone": "Asia/Shanghai",
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [
            {"type": "dashboards", "title": "枢纽 hub", "tags": ["supervision-exchange-hub"], "asDropdown": True}
        ],
        "panels": panels,
    }


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "red" if panel.red_below else "green", "value": None}]
    if panel.red is not None:
        steps.append({"color": "green" if panel.red_below else "red", "value": panel.red})
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        **({"options": {"textMode": panel.text}} if panel.text else {}),
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": SOURCE, "expr": expr, "legendFormat": legend or "__auto"}
            for n, (expr, legend) in enumerate(panel.series)
        ],
    }


def texts() -> dict[Path, str]:
    """Every file and what stands in it."""
    return {
        FOLDER / f"{one.uid}.json": json.dumps(page(one), ensure_ascii=False, indent=1) + "\n" for one in DASHBOARDS
    }


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in texts().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
