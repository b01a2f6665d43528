"""Which adapters there are: built in, and what other packages bring through the entry-point group `hub.adapters`."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

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
    "form_push": "adapters.form_push",
    "soap_push": "adapters.soap_push",
    "hub": "adapters.hub",
    "mailbox": "adapters.mailbox",
    "amqp": "adapters.amqp",
    "table_lookup": "adapters.table.lookup",
    "rest_lookup": "adapters.rest_lookup",
    "upper_platform": "adapters.upper_platform",
}


def names() -> list[str]:
    """Every adapter that can be used."""
    return sorted({*BUILT_IN, *_brought()})


def _loaded(entry: EntryPoint) -> object:
    try:
        return entry.load()
    except Exception as error:  # whatever somebody else's module does when it is imported
        raise ImportError(f"{type(error).__name__}: {error}") from error


def _brought() -> dict[str, EntryPoint]:
    """What other packages bring, by name; none of it is imported."""
    return {ep.name: ep for ep in entry_points(group=GROUP) if ep.name not in BUILT_IN}


def package_of(name: str) -> Path | None:
    """The folder of the package that brings an adapter; None for those that are built in."""
    found = _brought().get(name)
    if found is None:
        return None
    try:
        spec = find_spec(found.module)
    except (ImportError, ValueError):  # its parent is gone or broken: `load` says what is wrong with it
        return None
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent


def mapping_folders() -> list[Path]:
    """Folders `mappings` of the packages that bring adapters, in the order of the adapters' names."""
    packages = [package_of(name) for name in sorted(_brought())]
    folders = [package / "mappings" for package in packages if package is not None]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def load(name: str) -> Manifest:
    """An adapter by name.

    Raises UnknownName with the near name, or BadConfiguration when it is there but broken.
    """
    try:
        if name in BUILT_IN:
            manifest = import_module(BUILT_IN[name]).MANIFEST
        else:
            found = _brought().get(name)
            if found is None:
                near = get_close_matches(name, names(), 1)
                raise UnknownName(
                    f"no adapter {name}",
                    what_zh=f"没有名为 {name} 的适配器",
                    hint=f"did you mean {near[0]}?" if near else f"there are: {', '.join(names())}",
                )
            manifest = _loaded(found)
    except (ImportError, AttributeError) as error:
        raise BadConfiguration(f"the adapter {name} is broken: {error}", what_zh=f"适配器 {name} 无法加载") from error
    if not isinstance(manifest, Manifest):
        raise BadConfiguration(f"the adapter {name} has no manifest", what_zh=f"适配器 {name} 缺少清单")
    return manifest
