"""`hub audit …`: nothing in the journal was changed, added or removed; records are what was judged."""

from __future__ import annotations

import time
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from hub.audit import Fault, Verified
from hub.audit import verify as look_through
from hub.bootstrap import build, prepare
from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import DATA, DONE, out, print_json, told
from hub.content_audit import prove
from standards.clock import SHANGHAI
from standards.errors import SystemUnreachable, Temporary

#: Seconds between two looks at whether the hub is done.
_LOOK = 0.3

audit = typer.Typer(no_args_is_help=True, help="流水审计 audit of the journal")


@audit.command("verify")
@told
def verify(
    head: Annotated[str, typer.Option(help="另存的链值，证明其之前未被改动 a value of the chain kept elsewhere")] = "",
    apart: Annotated[
        bool, typer.Option("--apart", help="不经枢纽，直接读取账本 read the ledger itself, not through the hub")
    ] = False,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """证明流水没有被改动、增加或删除；退出码 1 表示有问题  prove that nothing was changed, added or removed.

    由运行中的枢纽核验，未运行时由本命令核验；结果均记入流水，显示在审计页面；--apart 只由本命令核验，不留记录。
    """
    found = None if apart else _by_the_hub(config, url, key, head)
    if found is None:
        found = _here(config, head, kept=not apart)
    if as_json:
        print_json(asdict(found))
    else:
        for one in found.faults:
            out.print(f"✗ {one.first_id}–{one.last_id}: {one.zh}  {one.en}", markup=False)
        mark = "✗ 有改动 tampered" if found.faults else "✓ 完整 intact"
        out.print(
            f"{mark}：{found.seals} 个封存 seals，{found.rows} 行 rows，已按期清理 pruned {found.pruned}，"
            f"尚未封存 not yet sealed {found.unsealed}",
            markup=False,
        )
        out.print(f"链值 head {found.head or '-'}", markup=False)
    raise typer.Exit(DATA if found.faults else DONE)


def _here(config: Path, head: str, *, kept: bool) -> Verified:
    """Look through the ledger in this process; `kept`: what it came to is remembered for the audit page."""
    settings, _body = prepare(config)
    hub = build(settings)
    try:
        found = look_through(hub.ledger, hub.clock.now() - settings.retention.journal, head)
        if kept:
            hub.auditing().remember(found, "hub audit verify")
    finally:
        hub.ledger.close()
    return found


def _by_the_hub(config: Path, url: str, key: str, head: str) -> Verified | None:
    """Let the running hub look through its journal, so that its page tells of it; None: none runs."""
    try:
        client = Client.find(config, url, key)
        begun = client.post("/v1/audit/proofs", head=head)
    except SystemUnreachable:
        return None
    while not begun["proof"]:  # somebody else's is running: then ours
        time.sleep(_LOOK)
        begun = client.post("/v1/audit/proofs", head=head)
    while True:
        state = client.get("/v1/audit/seals")
        told = state["verified"]
        if told is not None and told["proof"] == begun["proof"]:
            break
        if not state["proving"]:
            raise Temporary("the hub could not look through its journal", what_zh="枢纽未能完成核验，请查看日志")
        time.sleep(_LOOK)
    names = {one.name for one in fields(Verified)} - {"faults"}
    return Verified(**{name: told[name] for name in names}, faults=[Fault(**one) for one in told["faults"]])


@audit.command("content")
@told
def content(
    since: Annotated[datetime | None, typer.Option(help="自何日收到的起，缺省全部 received since; absent: all")] = None,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
) -> None:
    """证明标准记录的内容与校验时一致；退出码 1 表示有改动  prove that records are what was judged."""
    settings, _body = prepare(config)
    hub = build(settings)
    try:
        kept = hub.clock.now() - settings.retention.metadata - timedelta(days=31)
        found = prove(hub.ledger, hub.seal, since.replace(tzinfo=SHANGHAI) if since is not None else kept)
    finally:
        hub.ledger.close()
    if as_json:
        print_json(asdict(found))
    else:
        for one in found.faults:
            out.print(f"✗ {one.receipt_no} {one.row or ''} {one.cd_id}: {one.zh}  {one.en}", markup=False)
        mark = "✗ 有改动 altered" if found.altered else "✓ 一致 as judged"
        out.print(
            f"{mark}：{found.chunks} 块 chunks，{found.records} 条 records，已按期清理 pruned {found.pruned}，"
            f"不符 altered {found.altered}",
            markup=False,
        )
    raise typer.Exit(DATA if found.altered else DONE)
