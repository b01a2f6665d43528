"""What the hub puts into a data set's own elements where the sender left them empty (`filled_by: hub`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Connection

from hub.generations import Generation
from hub.ledger import filled as fillings
from hub.ledger.cases import Due
from hub.ledger.parcels import StoredParcel
from hub.ledger.submissions import Submission
from hub.vault import Seal
from standards.clock import local_text
from standards.model import DataSet, FilledBy

#: Working days until an answer is due, where the standard gives none and the order says nothing (DOMAIN 3.1, 7.6).
_DUE_DAYS = {"complaint_report": 7, "risk_clue": 5, "joint_task": 5}
_DUE = ("deadline_time", "due_time")


def fill(dataset: DataSet, submission: Submission, due: Callable[[datetime, int], Due]) -> dict[str, str]:
    """Element and value; the sender's own value, where there is one, wins over it."""
    filled: dict[str, str] = {}
    for element in dataset.elements:
        if element.filled_by is not FilledBy.HUB:
            continue
        if element.id == "submitted_date":
            filled[element.id] = local_text(submission.received_at)
        elif element.id in _DUE and dataset.id in _DUE_DAYS:
            moment = due(submission.received_at, _DUE_DAYS[dataset.id])
            if moment.at is not None:  # a year without calendar stays empty; its case says why
                filled[element.id] = local_text(moment.at)
    return filled


def looked_up(
    connection: Connection, generation: Generation, parcel: StoredParcel, seal: Seal
) -> Mapping[int, Mapping[str, str]]:
    """What lookups filled into the records of a parcel, by row; not asked for where nothing is looked up."""
    if not generation.settings.checks_by_lookup:
        return {}
    return fillings.of_rows(connection, seal, parcel.submission_id, parcel.first_row, parcel.last_row)
