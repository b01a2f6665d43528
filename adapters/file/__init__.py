"""Channel `file`: folders.  A party puts files into one and finds its receipts there; parcels are written into one.

In: a file is taken when it is complete (size and time unchanged over two looks, or a marker file beside it) and moves
to `work`; when it is judged it moves to `done` (every record accepted or a duplicate) or `failed`, with
`<name>.回执.json` and `<name>.回执.txt` beside it.  What cannot be taken at all moves to `failed` with
`<name>.退回.txt`.  Receipts are written again when the submission is settled and whenever a higher level changes them.

Out: each parcel is one file (CSV, NDJSON, CloudEvent JSON, XML), written under a temporary name and renamed; the same
parcel again replaces it.
"""

from __future__ import annotations

from adapters.base import Manifest
from adapters.file.destination import FileDestination
from adapters.file.settings import FileDestinationSettings, FileSourceSettings
from adapters.file.source import FileSource

MANIFEST = Manifest(
    name="file",
    title="文件交换",
    title_en="files in folders",
    source_settings=FileSourceSettings,
    destination_settings=FileDestinationSettings,
    make_source=FileSource,
    make_destination=FileDestination,
    about=__doc__ or "",
)

__all__ = ["MANIFEST", "FileDestination", "FileDestinationSettings", "FileSource", "FileSourceSettings"]
