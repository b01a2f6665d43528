"""Words of the page of alarms, canaries and contacts."""

from __future__ import annotations

from collections.abc import Mapping

#: Key -> Chinese, English.
TEXTS: Mapping[str, tuple[str, str]] = {
    "alarms": ("告警", "Alarms"),
    "alarms_further": ("更晚出现、未列出的告警：", "later alarms not listed:"),
    "alarms_none": ("没有告警", "no alarms"),
    "alarms_over": ("近一月已恢复", "Over, last month"),
    "alarm_grave": ("严重", "grave"),
    "alarm_acknowledge": ("确认", "Acknowledge"),
    "alarm_acknowledged": ("已确认", "acknowledged"),
    "alarm_note": ("说明", "Note"),
    "alarm_at_it": ("处理人", "Who is at it"),
    "alarm_told": ("已通知", "Told"),
    "alarm_waiting": ("待通知", "to be told"),
    "alarm_untold": ("未能通知", "could not be told"),
    "alarm_recovered": ("恢复", "Recovered"),
    "alarm_contacts": ("联系人", "Contacts"),
    "alarm_contact": ("联系人", "Contact"),
    "alarm_way": ("方式", "Way"),
    "alarm_rules": ("规则", "Rules"),
    "alarm_all": ("全部", "all"),
    "alarm_after": ("无人确认时升级", "When nobody acknowledged"),
    "alarm_minutes": ("分钟", "min"),
    "alarm_in_wait": ("待发", "Waiting"),
    "alarm_error": ("最近错误", "Last error"),
    "alarm_test": ("发送测试消息", "Send a test message"),
    "alarm_tested": ("测试消息已发送", "the test message was sent"),
    "alarm_no_contacts": (
        "没有配置联系人：在 [alarms.contacts] 中添加",
        "no contacts: add some in [alarms.contacts]",
    ),
    "way_mail": ("邮件", "mail"),
    "way_webhook": ("Webhook", "webhook"),
    "way_wecom": ("企业微信机器人", "WeCom robot"),
    "way_dingtalk": ("钉钉机器人", "DingTalk robot"),
    "canaries": ("通路探测", "Ways and their test records"),
    "canary_hint": (
        "探测记录是带标记的测试数据，从不计入业务数据。往返：到达对方并取回回执；仅连接：只试连接；无：该通路没有探测。",
        "Test records are marked and never counted as data. There and back: to the receiver and its verdict; "
        "connection only: the connection is tried; none: this way has no test records.",
    ),
    "canary_reach": ("范围", "How far"),
    "canary_age": ("距今（秒）", "Age, seconds"),
    "canary_last": ("最近返回", "Last came back"),
    "canary_took": ("耗时（秒）", "Took, seconds"),
    "canary_late": ("超时", "late"),
    "canary_lost": ("最近一次未返回", "the last one did not come back"),
    "canary_on_time": ("正常", "in time"),
    "canary_paused": ("已暂停", "paused"),
    "canary_problem": ("问题", "Problem"),
}
