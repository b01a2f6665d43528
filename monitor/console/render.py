"""Pages out of templates: every value is escaped, every word is from `texts`."""

from __future__ import annotations

from functools import cache, partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from monitor.console import chart
from monitor.console.texts import text

#: Nothing from elsewhere, no scripts, no frames, no forms to elsewhere.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("monitor.console"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {"drawn": chart.drawn, "mark": chart.mark, "short": chart.short, "number": number}
    return made


def number(value: int | float | None) -> str:
    """With thousands apart; a dash where there is none."""
    return "—" if value is None else f"{value:,}"


def page(name: str, language: str, **values: Any) -> str:
    """A page in a language."""
    template = _environment().get_template(f"{name}.html")
    return template.render(t=partial(text, language=language), language=language, **values)


@cache
def static(name: str) -> str:
    """A file beside the pages: `style.css`, `icon.svg`."""
    return (files("monitor.console") / "static" / name).read_text("utf-8")
