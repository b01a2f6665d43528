"""`hub audit …`: nothing in the journal was changed, added or removed; records are what was judged."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from hub.audit import verify as look_through
from hub.bootstrap import build, prepare
from hub.cli.options import Config, Json
from hub.cli.output import DATA, DONE, out, print_json, told
from hub.content_audit import prove
from standards.clock import SHANGHAI

audit = typer.Typer(no_args_is_help=True, help="流水审计 audit of the journal")


@audit.command("verify")
@told
def verify(
    head: Annotated[str, typer.Option(help="另存的链值，证明其之前未被改动 a value of the chain kept elsewhere")] = "",
    config: Config = Path("hub.toml"),
    as_json: Json = False,
) -> None:
    """证明流水没有被改动、增加或删除；退出码 1 表示有问题  prove that nothing was changed, added or removed."""
    settings, _body = prepare(config)
    hub = build(settings)
    try:
        found = look_through(hub.ledger, hub.clock.now() - settings.retention.journal, head)
    finally:
        hub.ledger.close()
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
