"""Words of the operator's pages: the map, flows, search, records, the board of cases, coverage, the handbook."""

from __future__ import annotations

from collections.abc import Mapping

#: Key -> Chinese, English.
TEXTS: Mapping[str, tuple[str, str]] = {}
