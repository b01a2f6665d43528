"""Folders that parcels are written into keep to what every destination must keep to, and to their own promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from adapters.conformance import DestinationConformance, settle
from adapters.conformance.parcels import NOW, a_parcel, a_record, again, contents, some
from adapters.file.forms import harmless
from standards.encodings import decode
from standards.errors import AnswerNotUnderstood, BadSetup
from standards.exports import xsd
from standards.parcel import Result, from_event
from standards.ports import Awaited
from standards.registry import built_in
from standards.xml import parse
from tests.adapters.file.rigs import FolderRig, without_rights
from tests.standards.gb_codes import DOUBLED, SWAPPED, TEXT


@pytest.mark.contract(suite="destination", on="file-xml")
class TestXmlFiles(DestinationConformance):
    @pytest.fixture
    def rig(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FolderRig]:
        rig = FolderRig(tmp_path, monkeypatch, form="xml")
        yield rig
        rig.close()


@pytest.mark.contract(suite="destination", on="file-csv-receipts")
class TestCsvFilesWithReceipts(DestinationConformance):
    @pytest.fixture
    def rig(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FolderRig]:
        rig = FolderRig(tmp_path, monkeypatch, receipts=True)
        yield rig
        rig.close()


def test_the_xml_is_as_the_standards_schema_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = FolderRig(tmp_path, monkeypatch, form="xml", encoding="gb18030")
    dataset = built_in().dataset("punish_action")
    schema = etree.XMLSchema(parse(xsd.export(dataset, built_in())))
    gone = a_record(contents(5)[4], revision=2, operation="d")

    rig.destination.deliver(a_parcel([*(a_record(c) for c in contents(4)), gone]))

    [path] = rig.files()
    assert b'encoding="GB18030"' in path.read_bytes()[:60]
    schema.assertValid(parse(path.read_bytes()))


@pytest.mark.parametrize("form", ["csv", "xml"])
def test_a_file_in_gb18030_has_the_bytes_of_the_newest_edition(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = FolderRig(tmp_path, monkeypatch, form=form, encoding="gb18030")

    rig.destination.deliver(a_parcel([a_record({**contents(1)[0], "penalty_result": TEXT})]))

    written = rig.files()[0].read_bytes()
    assert b"".join(code for code, _, _ in SWAPPED) + b"".join(long for _, _, long in DOUBLED) in written
    assert TEXT in decode(written, "gb18030")


def test_a_file_appears_whole_and_the_marker_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = FolderRig(tmp_path, monkeypatch, marker=".ok")
    seen: list[list[str]] = []
    rename = Path.replace

    def watched(path: Path, target: Path) -> Path:
        seen.append(sorted(p.name for p in rig.files()))
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    parcel = some(3)

    rig.destination.deliver(parcel)
    rig.destination.deliver(again(parcel))

    name = f"{parcel.batch}_{parcel.id}.csv"
    assert seen[:2] == [[], [name]]
    assert [p.name for p in rig.files()] == [name, f"{name}.ok"]


def test_a_folder_that_may_not_be_written_is_the_operators_business(monkeypatch: pytest.MonkeyPatch) -> None:
    with without_rights() as folder:
        rig = FolderRig(folder, monkeypatch)
        rig.root.chmod(0o500)

        for call in (lambda: rig.destination.deliver(some(1)), rig.destination.check):
            with pytest.raises(BadSetup) as caught:
                call()
            assert "没有权限" in caught.value.what_zh


def test_a_missing_folder_is_the_operators_business(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = FolderRig(tmp_path, monkeypatch)
    rig.root.rename(tmp_path / "elsewhere")

    with pytest.raises(BadSetup) as caught:
        rig.destination.deliver(some(1))

    assert "不存在" in caught.value.what_zh


def test_a_receipt_that_cannot_be_read_is_told_with_its_line_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = FolderRig(tmp_path, monkeypatch, receipts=True)
    parcel = some(2)
    rig.destination.deliver(parcel)
    receipt = rig.root / "receipts" / f"{rig.files()[0].name}.receipt.jsonl"
    receipt.write_text('{"cd_id": "x", "result": "refused"}\n全部通过\n', "utf-8")
    waiting = Awaited(parcel_id=parcel.id, dataset=parcel.dataset, batch=parcel.batch, sent_at=NOW, cd_ids=["x"])

    with pytest.raises(AnswerNotUnderstood) as caught:
        list(rig.destination.collect([waiting]))

    assert "第 2 行" in caught.value.what_zh
    receipt.write_text('{"cd_id": "x", "result": "refused", "message": "编号重复"}\n', "utf-8")
    [(_, answer)] = rig.destination.collect([waiting])
    assert [(line.result, line.message) for line in answer.lines] == [(Result.REFUSED, "编号重复")]
    assert not receipt.exists()
    assert (receipt.parent / "done" / receipt.name).exists()


@pytest.mark.parametrize(
    ("cell", "written"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("＝1", "'＝1"), ("-12.50", "-12.50"), ("罚款", "罚款"), ("", "")],
)
def test_no_cell_is_run_by_a_spreadsheet(cell: str, written: str) -> None:
    assert harmless(cell) == written


def test_the_whole_parcel_can_be_sent_as_the_event_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = FolderRig(tmp_path, monkeypatch, form="json")
    parcel = some(3)

    lines = settle(rig, parcel)

    [path] = rig.files()
    assert not lines
    assert from_event(path.read_bytes(), "province").records == parcel.records
