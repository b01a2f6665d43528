"""`hub demo`: the demo city, its five departments, and the provincial centre above it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import Json
from hub.cli.output import DATA, DONE, print_json, told

_INTERRUPTED = 130


@told
def demo(
    check: Annotated[
        bool, typer.Option("--check", help="走完全程、核对数目后结束 end after one full round, 0 when all counts agree")
    ] = False,
    state: Annotated[
        Path, typer.Option("--state", help="演示目录，每次重新建立 folder of the demo, made anew each time")
    ] = Path("state/demo"),
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="接口端口，缺省 8080，被占用时另选 port of the API")
    ] = None,
    with_troubles: Annotated[
        bool,
        typer.Option(
            "--troubles", help="然后埋下四个故障，供在控制台上练习 then four troubles, to be mended in the console"
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """演示城市：五个部门各用一种方式报送，省中心给出回执  the demo city, its five departments and the province.

    大同市五个部门用文件夹（CSV、Excel）和接口（XML、JSON）报送约 4500 条模拟数据，其中有预设的错误、挂起、
    重复和更正；枢纽校验、转换、投递到模拟的省中心，再逐级带回回执，最后核对全部数目。不需要 RabbitMQ、
    PostgreSQL 和网络。

    Five departments of the city hand over some 4500 invented records by folder (CSV, Excel) and HTTP (XML, JSON), with
    planted faults, holds, repeats and corrections; the hub judges, translates and delivers them to a simulated
    provincial centre and brings its receipts back; then every count is checked.  Nothing else needs to be installed.

    没有 --check 时，核对之后枢纽继续运行，按 Ctrl-C 结束。Without --check the hub goes on running until Ctrl-C.

    --troubles：一路接入久未报送、一个投递目标中断、一批未知代码、一件超期异常；都在控制台首页上，各有去处理的链接。
    --troubles: a silent feed, a dead destination, a wave of an unknown code, an overdue case; all on the first page.

    退出码 exit code: 0 相符 all agree; 1 数目不符 counts differ; 2 用法或环境 wrong use or set-up; 3 某一方没有应答
    somebody did not answer.
    """
    from demo import troubles
    from demo.play import playing, round_trip, something_to_try
    from demo.show import Screen

    screen = Screen(quiet=as_json)
    done = False
    try:
        with playing(state, port, screen) as running:
            outcome = round_trip(running, screen)
            done = not outcome.wrong
            try_me = something_to_try(running)
            if as_json:
                print_json(outcome.document(running.city))
            else:
                screen.table(running.city, outcome.rows)
                screen.centre(running.city, outcome.counts)
                screen.systems(outcome.systems, outcome.nation)
                screen.rejected(outcome.finding)
                screen.verdict(outcome.wrong, outcome.seconds)
            if with_troubles and done:
                screen.step("埋下四个故障", "planting four troubles")
                planted = troubles.plant(running)
                if not as_json:
                    screen.troubles(planted, outcome.address)
            if not check and done:
                if not as_json:
                    screen.hints(outcome.address, outcome.state, try_me)
                threading.Event().wait()
    except KeyboardInterrupt:
        screen.step("已结束", "ended")
        raise typer.Exit(DONE if done else _INTERRUPTED) from None
    raise typer.Exit(DONE if done else DATA)
