"""System `upper_platform`: the 互联网+监管 platform of the level above – the provincial centre for a city, the national
system for a province (a city never delivers to the nation).

Behaviours, objects and items go into its front-end tables (mode `table`, on top of the channel of that name) or to its
HTTP services through a signing gateway (mode `http`; gjgxjhpt of the national sharing platform, x-tif of provincial
gateways).  Its judgement comes back as a receipt with its level and the element of every fault: from the base and error
tables, with the answer, or asked for later.

`adapters.upper_platform.simulator` is such a centre, for tests, demo and `hub adapter simulate`.
"""

from __future__ import annotations

from adapters.base import Manifest
from adapters.upper_platform.destination import UpperPlatform
from adapters.upper_platform.settings import UpperPlatformSettings

MANIFEST = Manifest(
    name="upper_platform",
    title="上级“互联网+监管”平台",
    title_en="upper supervision platform",
    kind="system",
    destination_settings=UpperPlatformSettings,
    make_destination=UpperPlatform,
    about=__doc__ or "",
)

__all__ = ["MANIFEST", "UpperPlatform", "UpperPlatformSettings"]
