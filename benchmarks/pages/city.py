"""The city whose pages are asked: thirty parties, every data set of the standard, some hundred connections."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from standards.identifiers import make_uscc
from standards.registry import Standard

#: Departments that report; the ecology bureau has the bulk road's connection too.
DEPARTMENTS = 28
#: Data sets of one department.
_EACH = 4
#: Lists that change seldom.
_LISTS = ("supervise_item_main", "supervise_item_sub", "check_implement_list", "enforcement_officer")
#: Where the mapped files of the bulk road come in.
BULK = "penalties"
#: Takes everything; is paused for some days and has a backlog.
PROVINCE, CREDIT = "province", "credit"

_HEAD = """
[hub]
name = "bench"
title = "bench"
level = "city"
region = "140200"
code = "11140200E9QM7HGU4X"
state = "{state}"

[ledger]
url = "{ledger}"

[broker]
url = "{broker}"

[api]
port = 0

[parties.p00]
title = "市生态环境局"
code = "11140200A4L2GB1F45"

[parties.centre]
title = "省监管数据中心"
code = "11140000N8Y3CP4F3H"
kind = "platform"
level = "province"

[parties.credit]
title = "省信用平台"
code = "11140000N8Y3CP4F4L"
kind = "platform"
level = "province"

[connections.penalties]
party = "p00"
mapping = "demo_ecology/punish_action"

[destinations.province]
party = "centre"
adapter = "rest_push"
settings = {{ url = "{endpoint}" }}

[destinations.credit]
party = "credit"
adapter = "rest_push"
paused = true
settings = {{ url = "{endpoint}" }}

[[routes]]
to = ["province"]
"""


@dataclass(frozen=True, slots=True)
class Feed:
    """One connection and what comes through it."""

    connection: str
    party: str
    #: Credit code of the party.
    owner: str
    dataset: str
    #: How much of everything comes through it.
    weight: float


def parties() -> dict[str, str]:
    """Departments and their credit codes."""
    random = Random(11)
    found = {"p00": "11140200A4L2GB1F45"}
    for n in range(1, DEPARTMENTS):
        found[f"p{n:02}"] = make_uscc(random, "140200")
    return found


def feeds(standard: Standard) -> list[Feed]:
    """The connections that were used, the busiest first."""
    datasets = [one.id for one in standard]
    names = list(parties().items())
    made = []
    for n in range(DEPARTMENTS * _EACH):
        party, owner = names[n % DEPARTMENTS]
        dataset = datasets[n % len(datasets)]
        weight = (0.01 if dataset in _LISTS else 1.0) / (1 + n / 20)
        made.append(Feed(f"{party}-{dataset.replace('_', '-')}-{n}", party, owner, dataset, weight))
    return made


def config(standard: Standard, *, state: str, ledger: str, broker: str, endpoint: str) -> str:
    """The city's hub.toml."""
    text = [_HEAD.format(state=state, ledger=ledger, broker=broker, endpoint=endpoint)]
    text += [
        f'[parties.{name}]\ntitle = "市{name}局"\ncode = "{code}"\n'
        for name, code in parties().items()
        if name != "p00"
    ]
    text += [
        f'[connections.{one.connection}]\nparty = "{one.party}"\ndataset = "{one.dataset}"\n' for one in feeds(standard)
    ]
    return "\n".join(text)
