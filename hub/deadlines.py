"""When a case must be disposed of: working days, to the end of the last of them.  Never guessed."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path

from hub.ledger.cases import Due
from standards.calendar import WorkCalendar
from standards.clock import SHANGHAI, local
from standards.errors import CalendarMissing


class Deadlines:
    """Counts working days by the official calendar and the operator's year files."""

    def __init__(self, working_days: int, folder: Path | None = None) -> None:
        self._days = working_days
        self.calendar = WorkCalendar(folder if folder is not None and folder.is_dir() else None)

    def __call__(self, found_at: datetime, working_days: int | None = None) -> Due:
        """The end of the last working day; without a calendar no time, and the reason."""
        try:
            last = self.calendar.add_working_days(
                local(found_at).date(), self._days if working_days is None else working_days
            )
        except CalendarMissing as missing:
            return Due(None, f"calendar {missing.year} not loaded")
        return Due(datetime.combine(last, time(23, 59, 59), SHANGHAI))
