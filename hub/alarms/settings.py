"""What an operator can set about alarms and canaries: `[canary]` and `[alarms]` of hub.toml."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from hub.setting_words import Duration, Name, Part, SecretReference

#: How far a canary goes: through the destination and back; to its connection; not at all.
CanaryWay = Literal["auto", "through", "connection", "no"]


class CanarySettings(Part):
    """Test records on every way, up to the next level and back."""

    every: Duration = Field(timedelta(minutes=5), description="How often one is sent on each way; 0: never.")
    late: Duration = Field(
        timedelta(minutes=15), description="A way is not open when they were sent for so long and none came back."
    )


class Mail(Part):
    """The server that mail leaves through."""

    host: str = Field(description="Name of the SMTP server.")
    port: PositiveInt = Field(587, le=65535, description="Its port; 465 with `tls`.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls; tls: from the first byte; none: only inside one's own machine room."
    )
    sender: str = Field(description="Address that mail comes from.")
    user: str = Field("", description="Login; empty: none.")
    password: SecretReference | None = Field(None, description="Where to find the password of the login.")
    ca_file: str = Field("", description="Certificates to trust instead of the machine's own.")


class Contact(Part):
    """Somebody who is told of alarms."""

    title: str = Field(description="Who it is, for people: 值班运维.")
    way: Literal["mail", "webhook", "wecom", "dingtalk"] = Field(
        description="mail; webhook: signed JSON; wecom 企业微信群机器人; dingtalk 钉钉群机器人."
    )
    to: tuple[str, ...] = Field((), description="mail: addresses.")
    url: str = Field(
        "",
        pattern=r"^$|^https?://",
        description="webhook: its address; robots: address of a gateway that stands for theirs, without a path.",
    )
    key: SecretReference | None = Field(None, description="wecom: `key` of the robot; dingtalk: its `access_token`.")
    secret: SecretReference | None = Field(
        None, description="webhook: secret that the body is signed with (HMAC-SHA256); dingtalk: 加签 secret."
    )
    ca_file: str = Field("", description="Certificates to trust besides the machine's own.")
    rules: tuple[str, ...] = Field((), description="Only alarms of these rules; empty: all.")
    after: Duration = Field(
        timedelta(0), description="Told only when nobody acknowledged an alarm for so long: the second contact."
    )


class Alarms(Part):
    """Alarms: when they are raised, and who is told."""

    every: Duration = Field(timedelta(seconds=30), description="How often the rules look.")
    off: tuple[str, ...] = Field((), description="Rules that are not wanted.")
    grave: tuple[str, ...] = Field(
        ("destination_down", "canary_late", "disk_low"), description="Rules whose alarms get through in quiet hours."
    )
    quiet: str = Field(
        "",
        pattern=r"^$|^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="Hours in which only grave alarms are told, clock of China: 22:00-07:00; the others wait.",
    )
    settle: Duration = Field(
        timedelta(minutes=2), description="An alarm has recovered when its cause was away for so long."
    )
    give_up: Duration = Field(timedelta(days=1), description="A message that could not be delivered for so long ends.")
    destination_down: Duration = Field(timedelta(minutes=10), description="A destination is down for so long.")
    backlog: Duration = Field(timedelta(hours=1), description="The oldest that waits to be judged or sent is so old.")
    error_share: float = Field(0.2, gt=0, le=1, description="Share of rejected records of a connection.")
    error_window: Duration = Field(timedelta(hours=1), description="Hand-overs of so long are looked at.")
    error_least: PositiveInt = Field(50, description="Records in that time at least.")
    expiring: Duration = Field(timedelta(days=30), description="Keys and certificates that end within this.")
    certificates: tuple[str, ...] = Field(
        (), description="Certificates to watch: PEM files, or https:// addresses that are asked for theirs."
    )
    disk_free_gb: PositiveFloat = Field(5.0, description="Free space where the state folder is, in GB, at least.")
    calendar_from_month: PositiveInt = Field(
        11, le=12, description="From this month on the working days of next year must be known."
    )
    mail: Mail | None = Field(None, description="The server that mail leaves through.")
    contacts: dict[Name, Contact] = Field({}, description="Who is told.")
