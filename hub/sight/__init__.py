"""What is measured: read from the ledger, the broker and this machine when it is asked for."""

from hub.sight.counters import Told
from hub.sight.sight import Sight

__all__ = ["Sight", "Told"]
