"""The columns of a front-end table: what the data set holds, what every exchange row carries, and the hub's receipt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from standards.model import DataSet, Element, FilledBy, Kind, Mark
from standards.registry import Standard


class Part(StrEnum):
    """What a column is for."""

    OWN = "own"  # an element of the data set
    TECHNICAL = "technical"  # a common element: CD_…, DATA_UP_…
    RECEIPT = "receipt"  # written back by the hub


@dataclass(frozen=True, slots=True)
class Column:
    """One column; its name is the element's id."""

    element: Element
    part: Part
    required: bool

    @property
    def name(self) -> str:
        """The name in lower case; Oracle and 达梦 have it in capitals."""
        return self.element.id


def _receipt(name: str, titles: tuple[str, str], kind: Kind, size: int | None, codes: str | None = None) -> Element:
    return Element(
        id=name,
        title=titles[0],
        title_en=titles[1],
        type=kind,
        max=size,
        list=codes,
        filled_by=FilledBy.HUB,
        mark=Mark.OWN,
        source="OWN",
    )


#: What the hub writes back beside a row it has read, or has delivered.
RECEIPT_ELEMENTS: tuple[Element, ...] = (
    _receipt("hub_receipt_no", ("回执编号", "Receipt number"), Kind.TEXT, 50),
    _receipt("hub_result", ("回执结果", "Receipt result"), Kind.CODE, 1, "CL_RECEIPT"),
    _receipt("hub_error_column", ("错误字段", "Faulty element"), Kind.TEXT, 100),
    _receipt("hub_error_code", ("错误代码", "Error code"), Kind.TEXT, 50),
    _receipt("hub_error_msg", ("错误说明", "Error in words"), Kind.LONGTEXT, 4000),
    _receipt("hub_receipt_time", ("回执时间", "Receipt time"), Kind.DATETIME, None),
)

#: A front-end row cannot be without these (TR, TW); everything else may be empty in a row that deletes.
_ALWAYS = frozenset({"cd_id", "cd_time", "cd_source", "cd_batch", "cd_operation"})


def columns(dataset: DataSet, standard: Standard) -> tuple[Column, ...]:
    """All columns of the front-end table of a data set, in their order."""
    keys = {name for name in dataset.natural_key if dataset.by_id[name].need == "must"}
    own = [Column(e, Part.OWN, e.id in keys) for e in dataset.elements]
    technical = [Column(e, Part.TECHNICAL, e.id in _ALWAYS) for e in standard.common_for(dataset)]
    receipt = [Column(e, Part.RECEIPT, False) for e in RECEIPT_ELEMENTS]
    return (*technical, *own, *receipt)
