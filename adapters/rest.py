"""Channel `rest`: a system pushes to our HTTP door (`POST /v1/submissions`).

Nothing runs for it: the API takes the bytes, commits them and answers with a receipt number.  Reading options of the
connection and its mapping say how the bytes are read.
"""

from __future__ import annotations

from adapters.base import AdapterSettings, Manifest


class RestSettings(AdapterSettings):
    """Nothing to set: keys belong to the party (`hub key new`)."""


MANIFEST = Manifest(
    name="rest",
    title="接口推送",
    title_en="pushed over HTTP",
    source_settings=RestSettings,
    pushed=True,
    about=__doc__ or "",
)
