"""`hub check` about alarms and canaries: unknown rules and words with the near name, contacts nobody can reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.alarms.checks import check_alarms
from hub.complaints import Complaints
from hub.config import parse
from standards.errors import BadConfiguration
from tests.hub.alarms.test_rules import MORE
from tests.hub.city import config

ROOT = Path(__file__).resolve().parents[3]


def complaints(more: str) -> list[str]:
    text = config("http://127.0.0.1:1", more=more)
    check = Complaints(parse(text, "hub.toml"), text, "hub.toml")
    check_alarms(check)
    lines = text.splitlines()
    return [f"{lines[p.line - 1]} | {p.what} {p.hint}" for p in check.problems]


def test_what_is_right_is_not_complained_of() -> None:
    assert complaints(MORE) == []
    assert complaints("") == []


def test_the_example_of_the_guide_has_no_mistake() -> None:
    guide = (ROOT / "docs" / "operators.md").read_text("utf-8")
    example = guide[guide.index("[alarms]\n") :].partition("```")[0]
    assert complaints(example) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('settle = "1m"', 'off = ["backlogs"]', "off =", "did you mean backlog?"),
        ('settle = "1m"', 'grave = ["disk"]', "grave =", "no rule disk did you mean disk_low?"),
        ('after = "30m"', 'rules = ["canary"]', "rules =", "did you mean canary_late?"),
        ('to = ["duty@example.gov.cn"]', "", "[alarms.contacts.duty]", "says no 'to'"),
        ('to = ["duty@example.gov.cn"]', 'to = ["a@b"]\nkey = "env:K"', "key =", "means nothing"),
        ('way = "mail"', 'way = "webhook"', "[alarms.contacts.duty]", "says no 'url'"),
        ('way = "mail"', 'way = "dingtalk"', "[alarms.contacts.duty]", "says no 'key'"),
        ('quiet = "22:00-07:00"', 'quiet = "22:00-22:00"', "quiet =", "begin and end"),
        ('title = "值班运维"', 'title = "值班运维"\nafter = "1m"', "", "nobody is told at once"),
        ("[alarms]", '[canary]\nevery = "20m"\n\n[alarms]', "[canary]", "each one would be late"),
    ],
)
def test_each_mistake_is_told_at_its_line(old: str, new: str, line: str, said: str) -> None:
    assert old in MORE
    found = complaints(MORE.replace(old, new, 1))

    assert any(one.startswith(line) and said in one for one in found), found


def test_a_contact_by_mail_needs_a_mail_server() -> None:
    without = (
        MORE.partition("[alarms.mail]")[0] + "[alarms.contacts.duty]" + MORE.partition("[alarms.contacts.duty]")[2]
    )

    assert all("there is no [alarms.mail]" in one for one in complaints(without))
    assert len(complaints(without)) == 2


def test_a_canary_never_goes_through_a_receiver_that_would_take_it_for_data() -> None:
    text = config("http://127.0.0.1:1").replace('idempotent = "id"', 'idempotent = "id"\ncanary = "through"')
    check = Complaints(parse(text, "hub.toml"), text, "hub.toml")

    check_alarms(check)

    (one,) = check.problems
    assert "would take them for data" in one.what
    assert text.splitlines()[one.line - 1] == 'canary = "through"'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("quiet", "quite", "did you mean quiet?"),
        ("after", "aftr", "did you mean after?"),
        ('quiet = "22:00-07:00"', 'quiet = "22-7"', "alarms.quiet"),
        ('sender = "hub@example.gov.cn"', 'sender = "a@b"\npassword = "geheim"', "say env:NAME or file:/path"),
        ('way = "mail"', 'way = "pigeon"', "alarms.contacts.duty.way"),
    ],
)
def test_words_and_values_that_cannot_be_are_told(old: str, new: str, said: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        parse(config("http://127.0.0.1:1", more=MORE.replace(old, new, 1)), "hub.toml")

    assert said in str(caught.value)
