"""The receiving half of a simulated system: parcels, or rows in its own words, stored once; answered as it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from adapters.simulators.faults import Faults
from adapters.simulators.store import Store
from adapters.simulators.unpacking import rows_in, rows_in_body
from adapters.systems.definition import Feed, Replies
from mappings.load import MappingFolders
from mappings.outward import OutFile, load_form
from mappings.outward.compile import at
from standards import xml
from standards.encodings import encode
from standards.parcel import from_event


class Receiving:
    """One out-feed at its receiver."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.store = Store()
        folders = MappingFolders()
        self._forms: dict[str, OutFile] = {}
        for dataset, name in feed.forms.items():
            file = load_form(folders, name).file
            assert file is not None, name
            self._forms[dataset] = file

    def take(self, body: bytes, headers: Mapping[str, str], path: str, faults: Faults) -> tuple[bytes, str]:
        """Store a message; the answer and its content type."""
        if not self.feed.forms:
            return self._parcel(body, headers, faults)
        file = self._form(path)
        if self.feed.channel == "soap_push":
            packed = self._argument(body)
            answer = self._rows(rows_in_body(packed, file.wire), file, faults)
            return self._soap(answer, body), "text/xml; charset=utf-8"
        answer = self._rows(rows_in(body, file.wire), file, faults)
        return encode(answer, file.wire.encoding), "application/json" if answer.startswith("{") else "text/xml"

    def file(self, data: bytes, dataset: str, faults: Faults) -> int:
        """Store what stood in a file; how many rows."""
        file = self._forms[dataset]
        rows = rows_in(data, file.wire)
        self._rows(rows, file, faults)
        return len(rows)

    def records(self, records: list[dict[str, Any]]) -> list[str]:
        """Store records of a parcel that was fetched; their cd_ids."""
        for one in records:
            self.store.take((one["cd_id"],), (one["revision"], one["digest"]))
        return [one["cd_id"] for one in records]

    def _form(self, path: str) -> OutFile:
        """The form that was meant: by the end of the path, or the only one."""
        dataset = path.rstrip("/").rpartition("/")[2]
        return self._forms.get(dataset) or next(iter(self._forms.values()))

    def _parcel(self, body: bytes, headers: Mapping[str, str], faults: Faults) -> tuple[bytes, str]:
        parcel = from_event(body, "", headers)
        refused = []
        for record in parcel.records:
            if faults.refuses(record.cd_id):
                refused.append({"cd_id": record.cd_id, "code": "30001", "message": "演练：对方拒收"})
            else:
                self.store.take((record.cd_id,), (record.revision, record.digest))
        return json.dumps({"receipt_no": f"R{parcel.id}", "records": refused}).encode(), "application/json"

    def _rows(self, rows: list[dict[str, Any]], file: OutFile, faults: Faults) -> str:
        told: list[str] = []
        replies = self.feed.replies
        for number, row in enumerate(rows, 1):
            key = tuple(str(at(row, name)) for name in file.key)
            if not faults.refuses("|".join(key)):
                self.store.take(key, row)
                continue
            words = {"row": str(number), "key": key[0] if key else "", "message": "演练：对方拒收"}
            words |= {f"key{n}": value for n, value in enumerate(key)}
            told.append(_fill(replies.line, {**words, "column": next(iter(file.columns)).rpartition("/")[2]}))
        text = replies.wrong if told else replies.ok
        return _fill(text, {"lines": replies.between.join(told), "count": str(len(rows))})

    def _argument(self, body: bytes) -> str:
        """The string argument of a SOAP call."""
        root = xml.parse(body)
        wanted = self.feed.settings.get("body", "xml")
        for element in root.iter():
            if isinstance(element.tag, str) and xml.local(element.tag) == wanted:
                return element.text or ""
        raise ValueError(f"the call has no argument {wanted}")

    def _soap(self, answer: str, body: bytes) -> bytes:
        """The answer as the operation's result: `<op>Response/<op>Return` in the operation's namespace."""
        root = xml.parse(body)
        call = next(iter(root.find("{*}Body")))  # type: ignore[arg-type]
        namespace, _, name = str(call.tag).removeprefix("{").partition("}")
        text = answer.replace("&", "&amp;").replace("<", "&lt;")
        return (
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
            f'<r:{name}Response xmlns:r="{namespace}"><r:{name}Return>{text}</r:{name}Return></r:{name}Response>'
            "</soapenv:Body></soapenv:Envelope>"
        ).encode()


def _fill(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace("{" + word + "}", value)
    return text


def accepts(replies: Replies) -> bool:
    """Whether a receiver can refuse single rows."""
    return bool(replies.wrong)
