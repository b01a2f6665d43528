"""The demo from beginning to end: province and city start, five departments hand over, everything is counted."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

from demo import city as the_city
from demo import handing, province, sums, upper
from demo.neighbours import Neighbours
from demo.records import Department
from demo.show import Screen
from demo.state import Place, free_port, take
from demo.sums import Wrong
from demo.systems import Line, Side, until_settled
from demo.watch import Rows, Watch, idle
from hub import logs, serve
from hub.bootstrap import prepare
from hub.cli.client import Client
from hub.ledger.delivered import Tally, tally
from standards.clock import SystemClock, local
from standards.registry import built_in


@dataclass(slots=True)
class Outcome:
    """What one round came to."""

    state: Path
    address: str
    seconds: float
    rows: Rows
    counts: list[dict[str, Any]]
    finding: dict[str, Any]
    systems: list[Line]
    #: Records that the nation holds.
    nation: int
    wrong: list[Wrong] = field(default_factory=list)

    def document(self, city: tuple[Department, ...]) -> dict[str, Any]:
        """For scripts."""
        return {
            "ok": not self.wrong,
            "seconds": round(self.seconds, 1),
            "address": self.address,
            "state": str(self.state),
            "connections": [
                {**self.rows.get(one.connection, {"connection": one.connection}), "expected": sums.expected(one)}
                for one in city
            ],
            "centre": self.counts,
            "finding": self.finding,
            "systems": [{n: v for n, v in asdict(line).items() if n != "wrong"} for line in self.systems],
            "nation": self.nation,
            "wrong": [{"zh": one.zh, "en": one.en} for one in self.wrong],
        }


@dataclass(slots=True)
class Demo:
    """A running city with its province."""

    place: Place
    province: province.Province
    running: serve.Running
    operator: Client
    city: tuple[Department, ...]
    today: date
    upper: upper.Upper
    neighbours: Neighbours


@contextmanager
def playing(root: Path, port: int | None, screen: Screen) -> Iterator[Demo]:
    """Province and city run while the block does.  Raises BadConfiguration, NotAllowed, SystemUnreachable."""
    with ExitStack() as stack, _termination_interrupts():
        place = take(root)
        stack.callback(place.leave)
        stack.callback(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        log = stack.enter_context((place.root / "hub.log").open("w", encoding="utf-8"))
        logs.configure(json=True, stream=log)
        screen.step("启动省中心（模拟）和大同市枢纽", "starting the provincial centre (simulated) and the city's hub")
        centre = province.start(place.root)
        stack.callback(centre.stop)
        screen.step(
            "启动省级枢纽、国家系统（模拟）和两级枢纽旁的各业务系统（模拟）",
            "starting the province's hub, the simulated nation, and the simulated systems beside both hubs",
        )
        above = upper.start(place.root / "shanxi")
        stack.callback(above.stop)
        key = place.keep_key("province", above.key)
        neighbours = Neighbours("city", place.root / "systems").start()
        stack.callback(neighbours.stop)
        text = the_city.settings(place.root, free_port(port), centre.url)
        place.settings.write_text(text + upper.settings_below(above, neighbours, key), "utf-8")
        for name in ("ecology", "registry", "emergency"):
            place.folder(name).mkdir()
        settings, body = prepare(place.settings)
        running = serve.start(settings, body)
        stack.callback(running.stop)
        neighbours.attach(running.address, upper.keys_of(running))
        # Whoever is in a hurry and asks twice still gets an orderly end.
        stack.callback(signal.signal, signal.SIGINT, signal.SIG_IGN)
        stack.callback(signal.signal, signal.SIGTERM, signal.SIG_IGN)
        place.say(running.address)
        operator = Client.find(place.settings)
        today = local(SystemClock().now()).date()
        city = the_city.departments(built_in(), today, handing.template(operator))
        yield Demo(place, centre, running, operator, city, today, above, neighbours)


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """A request to terminate ends the demo as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def round_trip(demo: Demo, screen: Screen) -> Outcome:
    """Everybody hands over, everything settles, everything is counted.  Raises SystemBusy, SystemUnreachable."""
    started = time.monotonic()
    screen.expect(demo.city)
    with screen.working():
        watch = Watch(demo.operator, screen.seen)
        wrong = _hand_over(demo, screen, watch)
        watch.until(lambda rows: not list(sums.of_city(demo.city, rows)) and _all_idle(demo.city, rows))
        rows = watch.rows()
        counts = demo.province.get("/sim/counts")
        stored = demo.province.get("/sim/stored?limit=1000000")["stored"]
        receipts = {one.connection: watch.receipts(one) for one in demo.city}
    wrong += sums.of_city(demo.city, rows)
    wrong += sums.of_centre(demo.city, counts, stored)
    for one in demo.city:
        wrong += sums.of_receipts(one, receipts[one.connection])
    lines, nation, differs = _systems(demo, screen)
    wrong += differs
    return Outcome(
        state=demo.place.root,
        address=demo.running.address,
        seconds=time.monotonic() - started,
        rows=rows,
        counts=counts,
        finding=_worst(demo.city, receipts),
        systems=lines,
        nation=nation,
        wrong=wrong,
    )


def _systems(demo: Demo, screen: Screen) -> tuple[list[Line], int, list[Wrong]]:
    """Every named system sends and receives at its level; what is to be reported reaches the nation."""
    sides = [Side(demo.running, demo.neighbours), Side(demo.upper.hub, demo.upper.neighbours)]
    feeds = sum(len(system.feeds) for side in sides for system in side.neighbours.systems)
    screen.step(
        f"{sum(len(side.neighbours.systems) for side in sides)} 个业务系统的 {feeds} 路数据同时收发，"
        "应上报的经省级枢纽到国家",
        f"{feeds} feeds of the named systems at once; what is reported goes through the province to the nation",
    )
    for side in sides:
        side.begin()
    lines = until_settled(sides, lambda: _went_up(demo)[0] == _went_up(demo)[1])
    expected, there = _went_up(demo)
    wrong = [one for line in lines for one in line.wrong]
    if expected != there:
        wrong.append(
            Wrong(
                f"国家系统应存 {expected} 条，实存 {there} 条",
                f"the nation should hold {expected} records, it holds {there}",
            )
        )
    return lines, there, wrong


def _went_up(demo: Demo) -> tuple[int, int]:
    """Records that the province's hub says the nation accepted, and those that the nation holds; -1 while some go."""
    up = tally(demo.running.hub.ledger).get("province", Tally())
    further = tally(demo.upper.hub.hub.ledger).get("nation", Tally())
    if up.open or further.open:
        return -1, 0
    return further.accepted, len(demo.upper.nation.stored())


def _all_idle(city: tuple[Department, ...], rows: Rows) -> bool:
    return all(idle(rows, one.connection) for one in city)


def _hand_over(demo: Demo, screen: Screen, watch: Watch) -> list[Wrong]:
    """In the order in which a day brings it."""
    ecology, market, drug, emergency, registry = demo.city
    first, correction = ecology.files
    screen.step(
        "生态环境局、行政审批局把导出文件放进文件夹", "ecology and the business registry put their exports into folders"
    )
    handing.into_folder(demo.place, ecology, first)
    handing.into_folder(demo.place, registry, registry.files[0])
    watch.judged(ecology, 1)
    held = watch.rows()[ecology.connection]["held"]
    screen.step(
        f"{held} 件处罚所依据的检查尚未报送，先挂起；市场监管局、药监局通过接口推送",
        f"{held} penalties wait for checks that are not reported yet; market supervision and the drug regulator push",
    )
    pushing = handing.party_client(demo.place, demo.operator, market.party)
    handing.over_http(demo.place, pushing, market, market.files[0])
    wrong = _push_licences(demo, drug)
    watch.judged(market, 1)
    watch.until(
        lambda rows: rows[ecology.connection]["held"] <= held - first.released and idle(rows, ecology.connection)
    )
    screen.step(
        f"检查已到，{first.released} 件处罚自动继续；生态环境局补报更正，应急局交来填好的 Excel 模板",
        f"the checks are here, {first.released} penalties go on by themselves; ecology hands in its corrections, "
        "the emergency bureau its Excel template",
    )
    handing.into_folder(demo.place, ecology, correction)
    handing.into_folder(demo.place, emergency, emergency.files[0])
    return wrong


def _push_licences(demo: Demo, drug: Department) -> list[Wrong]:
    """Batches and single licences; the first push is repeated as after a lost answer."""
    client = handing.party_client(demo.place, demo.operator, drug.party)
    answers = [handing.over_http(demo.place, client, drug, file) for file in drug.files]
    again = handing.over_http(demo.place, client, drug, drug.files[0])
    if again["receipt_no"] == answers[0]["receipt_no"] and again["repeated"]:
        return []
    return [Wrong("重复推送没有得到同一份回执", "a repeated push did not get the same receipt")]


def _worst(city: tuple[Department, ...], receipts: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """The rejected record with the most findings."""
    worst: dict[str, Any] = {}
    for one in city:
        for document in receipts[one.connection].values():
            for record in document["records"]:
                if record["verdict"] == "rejected" and len(record["findings"]) > len(worst.get("findings", ())):
                    worst = {
                        **record,
                        "connection": one.connection,
                        "title": one.title,
                        "file": document["file"]["name"],
                        "receipt_no": document["receipt_no"],
                    }
    return worst


def something_to_try(demo: Demo) -> Path:
    """A file with a licence that was not handed over yet."""
    path = demo.place.sample("try-me.json")
    path.write_bytes(the_city.one_licence(demo.today))
    return path
