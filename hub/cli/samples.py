"""A sample file as columns of text."""

from __future__ import annotations

from pathlib import Path

from adapters.formats import open_records
from adapters.formats.base import ReadOptions
from adapters.formats.payload import FilePayload
from standards.errors import BadConfiguration

#: Rows of a sample that are looked at.
_ROWS = 2000


def columns_of(sample: Path, options: ReadOptions | None = None) -> dict[str, list[str]]:
    """The first rows of a sample as columns.  Raises BadConfiguration when it has none."""
    _, chunks = open_records(FilePayload(sample.name, sample), options or ReadOptions())
    columns: dict[str, list[str]] = {}
    rows = 0
    for chunk in chunks:
        for name in chunk.fields:
            columns.setdefault(name, [""] * rows)
        for name, values in columns.items():
            values.extend(chunk.columns.get(name) or [""] * chunk.count)
        rows += chunk.count
        if rows >= _ROWS:
            break
    if not columns:
        raise BadConfiguration(f"no records in {sample.name}", what_zh=f"{sample.name} 中没有读到记录")
    return {name: values[:_ROWS] for name, values in columns.items()}
