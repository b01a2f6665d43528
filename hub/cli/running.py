"""`hub serve`, `hub check` and `hub restored`: what needs the whole hub in this process."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hub import logs, trying
from hub.bootstrap import ROLES, build, ledger_url, prepare
from hub.circle_checks import circle_notes
from hub.cli.options import Config, Json
from hub.cli.output import DONE, OTHER_SIDE, out, print_json, table, told
from hub.generations import assemble
from hub.onboarding import admit
from hub.restored import go_on
from hub.serve import lock_state, run
from hub.zone_checks import zone_notes
from standards.errors import BadConfiguration, BadRecord, HubError


@told
def serve(
    config: Config = Path("hub.toml"),
    roles: Annotated[str, typer.Option(help=f"本进程承担的角色 roles: {','.join(ROLES)}")] = ",".join(ROLES),
) -> None:
    """运行枢纽  run the hub."""
    logs.configure()
    chosen = tuple(r.strip() for r in roles.split(",") if r.strip())
    unknown = [r for r in chosen if r not in ROLES]
    if unknown:
        raise BadConfiguration(
            f"no role {unknown[0]}", what_zh=f"没有角色 {unknown[0]}", hint=f"there are: {', '.join(ROLES)}"
        )
    run(config, chosen, told=lambda address: out.print(f"枢纽已启动 hub runs: {address}") if address else None)


@told
def check(config: Config = Path("hub.toml"), as_json: Json = False) -> None:
    """检查配置，并真正连接台账、消息中间件和每个对端  check the settings and really try every connection."""
    settings, body = prepare(config)
    results: list[tuple[str, bool, str]] = [("settings", True, f"{config.name}: 配置无误 no mistakes")]
    hub = build(settings)
    try:
        results.append(("ledger", True, ledger_url(settings, hub.state).partition("@")[2] or hub.ledger.name))
        # Tried, not published: a hub that runs goes on with the settings it was started with.
        generation = assemble(0, body, hub.state / "generations" / f"check-{body.digest[:12]}", hub.seal)
        admit(settings, hub.ledger)
        results += [(f"internet zone {n}", True, said) for n, said in zone_notes(generation).items()]
        results += [(f"not sent to {n}", True, said) for n, said in circle_notes(generation).items()]
        tries = [(f"broker {hub.broker.name}", hub.broker.check)]
        tries += [
            (f"destination {n}", trying.of_destination(generation, n, hub.transports)) for n in settings.destinations
        ]
        tries += [(f"lookup {n}", trying.of_lookup(generation, n)) for n in settings.lookups]
        tries += [(f"connection {n}", trying.of_source(generation, n, hub.transports)) for n in settings.connections]
        for name, attempt in tries:
            try:
                results.append((name, True, attempt() or "ok"))
            except HubError as error:
                said = error.what_zh + (f"（{error.hint_zh}）" if error.hint_zh else "")
                said += f" {error.what}" if error.what != error.what_zh else ""
                results.append((name, False, said))
    finally:
        hub.stop()
    if as_json:
        print_json([{"what": name, "ok": good, "said": said} for name, good, said in results])
    else:
        for name, good, said in results:
            out.print(
                f"[{'green' if good else 'red'}]{'✓' if good else '✗'}[/] {name}: {said.replace('[', chr(92) + '[')}"
            )
    raise typer.Exit(DONE if all(good for _, good, _ in results) else OTHER_SIDE)


@told
def restored(
    by: Annotated[str, typer.Option(help="谁恢复的，记入流水 who restored it; goes into the journal")],
    config: Config = Path("hub.toml"),
    as_json: Json = False,
) -> None:
    """恢复较旧备份后、启动前：今天的编号不再重复发出  after an older copy was put back, before the hub serves."""
    if not by.strip():
        raise BadRecord("say who restored it", what_zh="请写明由谁恢复", hint="--by NAME", hint_zh="--by 姓名")
    settings, _body = prepare(config)
    lock = lock_state(Path(settings.hub.state))
    hub = build(settings)
    try:
        providers = {settings.hub.code, *(party.code for party in settings.parties.values())}
        found = go_on(hub.ledger, hub.clock, by.strip(), providers)
    finally:
        hub.ledger.close()
        lock.close()
    if as_json:
        print_json(asdict(found))
        return
    out.print(
        f"台账停在 the ledger ends at {found.ends_at or '-'}：此后的报送枢纽不知道 what came since is not known",
        markup=False,
    )
    out.print(
        f"今天的回执编号自 {found.receipt_no} 起 receipt numbers of today go on from there；"
        f"批次号已跳过 {found.batches} 组 series of batch numbers go on higher",
        markup=False,
    )
    table(
        "",
        ["接入 connection", "台账中最后一次报送 last known hand-over"],
        [[one["connection"], one["last_at"]] for one in found.connections],
    )
    out.print("请各单位重报此后的数据，已有的算重复 have them repeat what came since; what is known counts as repeats")
