"""Another hub keeps to what every destination must keep to: a real one, judging again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from adapters.conformance import DestinationConformance, Stored, settle
from adapters.conformance.parcels import a_parcel, a_record, around, contents, revised
from adapters.hub import HubSettings, NeighbourHub
from hub import serve
from hub.bootstrap import prepare
from hub.ledger import credentials
from hub.ledger.tables import record, record_head
from standards.errors import AnswerNotUnderstood
from standards.parcel import Result
from tests.hub.levels.chain import CODES, CONFIG, free_port
from tests.receiver import Receiver
from tests.services.tcp_proxy import TcpProxy


class HubRig:
    """A provincial hub on a port of this machine, with a proxy before it."""

    knows_revisions = True

    def __init__(self, folder: Path, make_proxy: Callable[[int], TcpProxy]) -> None:
        self.receiver = Receiver().start()
        region, code = CODES["province"]
        text = CONFIG.format(
            level="province",
            region=region,
            code=code,
            below_code=CODES["city"][1],
            above="nation",
            adapter="rest_push",
            settings=f'{{ url = "{self.receiver.url}" }}',
            ledger="",
            port=free_port(),
            parcel=500,
            more="",
        )
        (folder / "hub.toml").write_text(text, "utf-8")
        self.running = serve.start(*prepare(folder / "hub.toml"))
        now = self.running.hub.clock.now()
        key = self.running.hub.ledger.write(lambda c: credentials.make(c, "below", now, by="test"))[1]
        self.proxy = make_proxy(urlsplit(self.running.address).port or 0)
        given = HubSettings(
            url=self.proxy.url(self.running.address).rstrip("/"),
            key="env:KEY",
            quick_tries=1,
            connect_seconds=2,
            answer_seconds=10,
            wait_seconds=8,
        )
        self.destination: Any = NeighbourHub(given, around(KEY=key))

    def stored(self) -> dict[str, Stored]:
        with self.running.hub.ledger.read() as connection:
            heads = connection.execute(
                select(record_head.c.cd_id, record_head.c.operation, record_head.c.digest, record_head.c.revision)
            ).all()
            times = {
                (r[0], r[1]): r[2]
                for r in connection.execute(
                    select(record.c.cd_id, record.c.revision, func.count())
                    .where(record.c.verdict == "accepted")
                    .group_by(record.c.cd_id, record.c.revision)
                )
            }
        return {h[0]: Stored(h[1], h[2].hex(), times[h[0], h[3]]) for h in heads}

    def spoil(self, content: dict[str, str]) -> tuple[dict[str, str], str]:
        return {**content, "area_number": "000000"}, "area_number"

    def work(self) -> None:
        """It works by itself."""

    def take_away(self) -> None:
        self.proxy.refuse()

    def bring_back(self) -> None:
        self.proxy.heal()

    def lose_answers(self) -> None:
        self.proxy.swallow_answers()

    def close(self) -> None:
        self.destination.close()
        self.running.stop()
        self.receiver.stop()


@pytest.mark.contract(suite="destination", on="hub")
class TestNeighbourHub(DestinationConformance):
    @pytest.fixture
    def rig(self, tmp_path: Path, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[HubRig]:
        rig = HubRig(tmp_path, tcp_proxy)
        yield rig
        rig.close()

    def test_what_is_older_is_told_as_such_and_what_is_newer_goes_on(self, rig: HubRig) -> None:
        content = contents(1)[0]
        settle(rig, a_parcel([revised(content, 5, penalty_result="罚款叁仟元")]))
        assert [line.result for line in settle(rig, a_parcel([revised(content, 4)]))] == [Result.STALE]
        sixth = revised(content, 6)
        assert settle(rig, a_parcel([sixth])) == []
        assert rig.stored()[sixth.cd_id].digest == sixth.digest

    def test_what_is_no_hub_is_told(self, rig: HubRig) -> None:
        given = HubSettings(url=rig.receiver.url.removesuffix("/parcels"), quick_tries=1)
        stranger = NeighbourHub(given, around())
        rig.receiver.refuse = lambda _record: None
        with pytest.raises(AnswerNotUnderstood):
            stranger.follow("")
        stranger.close()
        assert a_record(contents(1)[0]).digest_is_right()
