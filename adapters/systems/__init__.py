"""The systems with a name: what each sends and receives, over which channel, in which words (DOMAIN 8).

A system is data: `<name>.yaml` here, its mappings and outward forms under `mappings/<name>/`.  From it come the
settings for `hub.toml` (`hub adapter recipe`), its simulator (`hub adapter simulate`), docs/systems.md and tests.
"""

from adapters.systems.definition import Feed, System
from adapters.systems.load import load_system, system_names, systems

__all__ = ["Feed", "System", "load_system", "system_names", "systems"]
