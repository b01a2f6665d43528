"""What the demo shows: progress while it runs, one table, one rejected record, and what to try next."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from demo import sums
from demo.records import Department
from demo.systems import Line
from demo.trouble import Trouble
from demo.watch import Rows

_LEVELS = {"city": "市", "province": "省"}
_WAYS = {"folder": "文件夹 folder", "rest": "接口 HTTP"}
_COLUMNS = (
    ("read", "读取\nread"),
    ("accepted", "通过\naccepted"),
    ("held", "挂起\nheld"),
    ("rejected", "退回\nrejected"),
    ("duplicate", "重复\nduplicate"),
    ("delivered", "送达\ndelivered"),
    ("receipted", "已回执\nreceipted"),
)
#: Narrower than this the table cannot be read; what is no terminal has no width.
_WIDTH = 118


class Screen:
    """Steps and progress on standard error, results on standard output; nothing but JSON there when asked for it."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._out = Console(highlight=False, soft_wrap=True)
        if not self._out.is_terminal:
            self._out = Console(highlight=False, soft_wrap=True, width=_WIDTH)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._err,
            transient=True,
            disable=quiet or not self._err.is_terminal,
        )
        self._tasks: dict[str, tuple[TaskID, Department]] = {}

    def working(self) -> AbstractContextManager[object]:
        """While there is progress to be shown."""
        return nullcontext() if self.quiet else self._progress

    def step(self, zh: str, en: str) -> None:
        """Something begins or has happened."""
        if not self.quiet:
            self._err.print(f"[bold]›[/] {escape(zh)}  [dim]{escape(en)}[/]")

    def expect(self, city: Sequence[Department]) -> None:
        """One bar for each department: every record is judged, every accepted one receipted."""
        for one in city:
            should = sums.expected(one)
            total = should["read"] + should["receipted"]
            self._tasks[one.connection] = (self._progress.add_task(one.title, total=total), one)

    def seen(self, rows: Rows) -> None:
        """The counts as they stand now."""
        for connection, (task, _) in self._tasks.items():
            row = rows.get(connection)
            if row is not None:
                self._progress.update(task, completed=row["read"] + row["receipted"])

    def table(self, city: Sequence[Department], rows: Rows) -> None:
        """The counts of every connection."""
        drawn = Table(title="各接入 · connections", title_justify="left", header_style="bold")
        drawn.add_column("单位与数据\ndepartment and data", overflow="fold")
        drawn.add_column("方式\nway in", overflow="fold")
        for _, title in _COLUMNS:
            drawn.add_column(title, justify="right", no_wrap=True)
        sum_of = dict.fromkeys((name for name, _ in _COLUMNS), 0)
        for one in city:
            row = rows.get(one.connection, {})
            cells = [row.get(name, 0) for name, _ in _COLUMNS]
            for (name, _), number in zip(_COLUMNS, cells, strict=True):
                sum_of[name] += number
            drawn.add_row(
                f"{one.title}\n[dim]{one.title_en}[/]", f"{_WAYS[one.way]}\n[dim]{one.form}[/]", *map(str, cells)
            )
        drawn.add_section()
        drawn.add_row("合计 total", "", *map(str, sum_of.values()), style="bold")
        self._out.print(drawn)
        self._out.print(
            "读取 = 通过 + 挂起 + 退回 + 重复；通过 = 已回执；已回执而未送达的，是省中心拒收的。\n"
            "[dim]read = accepted + held + rejected + duplicate; accepted = receipted; "
            "receipted but not delivered: refused by the centre.[/]"
        )

    def centre(self, city: Sequence[Department], counts: Sequence[Mapping[str, Any]]) -> None:
        """The centre's own four counts."""
        drawn = Table(title="省中心四项计数 · the centre's own counts", title_justify="left", header_style="bold")
        drawn.add_column("数据集\ndata set")
        for title in ("前置\nfront", "标准\nstandard", "正确\nright", "错误\nwrong"):
            drawn.add_column(title, justify="right")
        wanted = {one.dataset for one in city}
        for row in counts:
            if row["dataset"] in wanted:
                drawn.add_row(row["dataset"], *(str(row[n]) for n in ("front", "standard", "right", "wrong")))
        self._out.print(drawn)

    def systems(self, lines: Sequence[Line], nation: int) -> None:
        """What every named system came to, at its level."""
        drawn = Table(title="业务系统 · named systems", title_justify="left", header_style="bold")
        drawn.add_column("层级\nlevel")
        drawn.add_column("系统\nsystem", overflow="fold")
        titles = ("数据路数\nfeeds", "发来\nsent", "通过\naccepted", "退回\nrejected", "收到\nstored there")
        for title in titles:
            drawn.add_column(title, justify="right")
        for line in lines:
            numbers = (line.feeds, line.sent, line.accepted, line.rejected, line.stored)
            mark = "[red]✗[/] " if line.wrong else ""
            drawn.add_row(_LEVELS[line.level], f"{mark}{line.title}\n[dim]{line.title_en}[/]", *map(str, numbers))
        self._out.print(drawn)
        self._out.print(f"经省级枢纽到达国家系统：{nation} 条 · [dim]reached the nation through the province[/]")

    def rejected(self, record: Mapping[str, Any]) -> None:
        """One rejected record with all that is wrong with it."""
        if not record:
            return
        self._out.print("\n[bold]一条被退回的记录[/] · [dim]one rejected record[/]")
        self._out.print(
            f"{record['title']}  {record['file']}  {record['place_zh']}  回执 {record['receipt_no']}",
            markup=False,
        )
        for said in record["findings"]:
            self._out.print(f"  [bold red]✗[/] \\[{said['code']}] {escape(said['text'])}。{escape(said['hint'])}。")
            self._out.print(f"    [dim]{escape(said['text_en'])}. {escape(said['hint_en'])}.[/]")
        self._out.print()

    def verdict(self, wrong: Sequence[sums.Wrong], seconds: float) -> None:
        """Whether everything adds up."""
        for one in wrong:
            self._err.print(f"[bold red]✗[/] {escape(one.zh)}  [dim]{escape(one.en)}[/]")
        if wrong:
            self._err.print(
                f"[bold red]有 {len(wrong)} 处数目或结论不符[/]  [dim]{len(wrong)} thing(s) do not agree[/]"
            )
            return
        self._out.print(
            "[bold green]✓[/] 数目全部相符：每条退回和挂起的记录都给出了预设的问题，省中心每个修订只存一次。"
            f"用时 {seconds:.1f} 秒\n  [dim]all counts agree: every rejected and held record has the finding that was "
            f"planted, the centre stored each revision once. {seconds:.1f} seconds[/]"
        )

    def troubles(self, planted: Sequence[Trouble], address: str) -> None:
        """What was planted, and where it is seen."""
        self._out.print(f"\n[bold]四个故障[/] · [dim]four troubles[/]   {address}/console")
        for one in planted:
            self._out.print(f"  [bold red]✗[/] {escape(one.zh)}  [dim]{escape(one.en)}[/]")
            self._out.print(f"    → {escape(one.mend_zh)}  [dim]{escape(one.mend_en)}[/]")

    def hints(self, address: str, state: Path, try_me: Path) -> None:
        """What to do with a running demo."""
        settings, key = _short(state / "hub.toml"), _short(state / "keys" / "drug")
        hub = _short(Path(sys.executable).with_name("hub"))
        say = self._out.print
        say(f"\n[bold]枢纽正在运行[/] · [dim]the hub runs[/]   {address}   {address}/docs")
        say("\n浏览器 · [dim]browser[/]   控制台 console，报送窗口 sender's window")
        say(f"  {address}/console   $(cat {_short(state / 'hub' / 'operator.key')})", markup=False)
        say(f"  {address}/sender    $(cat {key})", markup=False)
        say("\n推送一件许可（再推一次即为重复） · [dim]push one licence (once more, and it is a duplicate)[/]")
        say(
            f'  curl -H "Authorization: Bearer $(cat {key})" --data-binary @{_short(try_me)} \\\n'
            f'    "{address}/v1/submissions?connection=drug-licences&wait=20&wait_for=settled"',
            markup=False,
        )
        say("\n把文件放进文件夹，回执写在 done 或 failed 里 · [dim]put a file in; its receipt is in done or failed[/]")
        for name in ("ecology", "registry", "emergency"):
            say(f"  {_short(state / 'folders' / name)}", markup=False)
        say("\n命令 · [dim]commands[/]")
        for words in ("status", "failures", "check"):
            say(f"  {hub} {words} --config {settings}", markup=False)
        say(f"\n日志 · [dim]logs[/]  {escape(_short(state / 'hub.log'))}")
        say("结束 · [dim]stop[/]  Ctrl-C\n")


def _short(path: Path) -> str:
    """Below the present folder where it is so."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
