"""The name of a file as callers write it: in the address or in a header, in UTF-8 or in GBK."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote_to_bytes

from starlette.requests import Request

from standards.encodings import decode, is_gb


def told(request: Request, name: str) -> str:
    """The name that came as `name=`, or else in a Content-Disposition header; '' where none came."""
    if "\ufffd" in name:
        query = request.scope["query_string"].decode("latin-1")
        name = mended(parse_qs(query, encoding="latin-1").get("name", [""])[-1])
    return name[:255] or _of_header(request.headers.get("content-disposition", ""))


def _of_header(header: str) -> str:
    plain = ""
    for part in header.split(";"):
        word, _, value = part.strip().partition("=")
        value = value.strip().strip('"')
        if word.lower() == "filename*":
            charset, _, quoted = value.partition("'")
            known = charset if is_gb(charset) else "utf-8"
            return _last(decode(unquote_to_bytes(quoted.partition("'")[2]), known, "replace"))
        if word.lower() == "filename":
            plain = mended(value)
    return _last(plain)


def _last(name: str) -> str:
    return name.rpartition("/")[2].rpartition("\\")[2][:255]


def mended(name: str) -> str:
    """A name whose bytes were read as Latin-1, as headers are; UTF-8 first, then GB18030, else as it stands."""
    try:
        raw = name.encode("latin-1")
    except UnicodeEncodeError:
        return name
    for encoding in ("utf-8", "gb18030"):
        try:
            return decode(raw, encoding)
        except UnicodeDecodeError:
            continue
    return name
