"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option("--config", envvar="HUB_CONFIG", help="配置文件 settings file")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON 供脚本使用 for scripts")]
Url = Annotated[str, typer.Option("--url", envvar="HUB_URL", help="枢纽地址 address of the hub")]
Key = Annotated[str, typer.Option("--key", envvar="HUB_KEY", help="密钥 key")]
