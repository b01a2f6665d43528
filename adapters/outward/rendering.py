"""A parcel as the receiver wants it: rows by the form of its data set; records that do not fit are refused singly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.base import Surroundings
from mappings.outward import OutForm, Row, Unfit, Words, body
from standards.clock import SHANGHAI
from standards.errors import BadConfiguration
from standards.parcel import AnswerLine, Parcel, Result


@dataclass(frozen=True, slots=True)
class Rendered:
    """A parcel in the receiver's words."""

    form: OutForm
    #: cd_id and row of each record that fits, in the order of the rows.
    rows: tuple[tuple[str, Row], ...]
    #: Records the form cannot hold.
    refused: tuple[AnswerLine, ...]
    words: Words

    def body(self) -> bytes:
        """The message."""
        return body([row for _, row in self.rows], self.form.file.wire, self.words)


class Rendering:
    """The forms of one destination."""

    def __init__(self, forms: Mapping[str, str], around: Surroundings) -> None:
        self._around = around
        self._forms = {dataset: around.form(name) for dataset, name in forms.items()}

    def of(self, parcel: Parcel) -> Rendered:
        """The parcel's rows.  Raises BadConfiguration when there is no form for its data set."""
        form = self._forms.get(parcel.dataset)
        if form is None:
            raise BadConfiguration(
                f"{self._around.name} has no form for {parcel.dataset}",
                what_zh=f"{self._around.name} 没有为 {parcel.dataset} 指定输出格式",
                hint=f"there are: {', '.join(self._forms)}",
            )
        rows, refused = [], []
        for record in parcel.records:
            values = {"cd_operation": record.operation, **record.values()}
            try:
                rows.append((record.cd_id, form.row(values)))
            except Unfit as error:
                refused.append(
                    AnswerLine(
                        cd_id=record.cd_id,
                        result=Result.REFUSED,
                        code="form",
                        element=error.element,
                        message=f"{error.zh} ({error.en})",
                    )
                )
        words = Words(
            count=len(rows),
            dataset=parcel.dataset,
            batch=parcel.batch,
            parcel=str(parcel.id),
            origin=parcel.origin,
            sender=self._around.hub_code,
            receiver=self._around.party_code,
            moment=parcel.created_at.astimezone(SHANGHAI),
        )
        return Rendered(form, tuple(rows), tuple(refused), words)
