"""Which adapters there are: built in, and what other packages bring through the entry-point group `hub.adapters`."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points

from adapters.base import Manifest
from standards.errors import BadConfiguration, UnknownName

GROUP = "hub.adapters"

#: Built-in adapters by name; loaded when first asked for.
BUILT_IN = {
    "rest": "adapters.rest",
    "file": "adapters.file",
    "table": "adapters.table",
    "soap": "adapters.soap",
    "rest_pull": "adapters.rest_pull",
    "soap_pull": "adapters.soap_pull",
    "rest_push": "adapters.rest_push",
    "hub": "adapters.hub",
    "mailbox": "adapters.mailbox",
    "table_lookup": "adapters.table.lookup",
    "rest_lookup": "adapters.rest_lookup",
    "upper_platform": "adapters.upper_platform",
}


def names() -> list[str]:
    """Every adapter that can be used."""
    return sorted({*BUILT_IN, *(ep.name for ep in entry_points(group=GROUP))})


def load(name: str) -> Manifest:
    """An adapter by name.

    Raises UnknownName with the near name, or BadConfiguration when it is there but broken.
    """
    try:
        if name in BUILT_IN:
            manifest = import_module(BUILT_IN[name]).MANIFEST
        else:
            found = {ep.name: ep for ep in entry_points(group=GROUP)}.get(name)
            if found is None:
                near = get_close_matches(name, names(), 1)
                raise UnknownName(
                    f"no adapter {name}",
                    what_zh=f"没有名为 {name} 的适配器",
                    hint=f"did you mean {near[0]}?" if near else f"there are: {', '.join(names())}",
                )
            manifest = found.load()
    except (ImportError, AttributeError) as error:
        raise BadConfiguration(f"the adapter {name} is broken: {error}", what_zh=f"适配器 {name} 无法加载") from error
    if not isinstance(manifest, Manifest):
        raise BadConfiguration(f"the adapter {name} has no manifest", what_zh=f"适配器 {name} 缺少清单")
    return manifest
