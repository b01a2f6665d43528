"""What reports say of accepted records, counted as they are stored: how soon they came, which items they used.

Pure.  To look through a year's records whenever somebody opens a report would take minutes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date

from standards.calendar import WorkCalendar
from standards.errors import CalendarMissing
from standards.model import DataSet, Kind, Library

_NO_ITEM = ("", "无")
_MAIN_ITEM = 8
#: Counters of a day that begin so hold a Timely.
PREFIX = "timely."

#: Owner, day of the event, main item.
Use = tuple[str, str, str]


@dataclass(slots=True)
class Timely:
    """How soon records came after what they tell of."""

    #: Records that have a date of their event.
    dated: int = 0
    #: Of these, the ones whose data set has a term in days.
    termed: int = 0
    #: Of these, the ones that came within it.
    in_time: int = 0
    #: Those a centre counts: arrived on or after the day of the event.
    counted: int = 0
    #: Whole days from the event to the arrival, plus one, added up.
    days: int = 0

    def add(self, other: Timely) -> None:
        """Both together."""
        self.dated += other.dated
        self.termed += other.termed
        self.in_time += other.in_time
        self.counted += other.counted
        self.days += other.days


def timely(event: str, arrived: date, count: int, term: int | None, calendar: WorkCalendar) -> Timely | None:
    """What so many records of one event day say that arrived on a day; None when the day cannot be read.

    By the centre's formula (DOMAIN 1.7) a row that arrived before its event is not counted.
    """
    try:
        happened = date.fromisoformat(event[:10])
    except ValueError:
        return None
    one = Timely(dated=count)
    if arrived >= happened:
        one.counted, one.days = count, ((arrived - happened).days + 1) * count
    if term is not None:
        try:
            in_time = arrived <= calendar.add_working_days(happened, term)
        except (CalendarMissing, OverflowError):
            return one
        one.termed, one.in_time = count, count if in_time else 0
    return one


def counters(events: Iterable[str], arrived: date, dataset: DataSet, calendar: WorkCalendar) -> dict[str, int]:
    """Counters of the day for records that tell of these days."""
    whole = Timely()
    for event, count in Counter(events).items():
        one = timely(event, arrived, count, dataset.deadline.working_days, calendar) if event else None
        if one is not None:
            whole.add(one)
    return {f"{PREFIX}{name}": n for name, n in asdict(whole).items() if n}


def from_counters(counts: Mapping[str, int]) -> Timely:
    """The same back."""
    return Timely(**{name: counts.get(f"{PREFIX}{name}", 0) for name in asdict(Timely())})


def item_elements(dataset: DataSet) -> list[str]:
    """Elements of a behaviour data set that name items; none for other data sets."""
    if dataset.library is not Library.ACTIONS:
        return []
    return [e.id for e in dataset.elements if Kind.ITEM in (e.type, e.of)]


def main_items(values: Iterable[str]) -> set[str]:
    """The main items of item codes; several codes of one element are parted by semicolons."""
    codes = (code.strip() for value in values for code in value.replace("；", ";").split(";"))
    return {code[:_MAIN_ITEM] for code in codes if code not in _NO_ITEM}


def uses(behaviours: Iterable[tuple[str, str, str]]) -> set[Use]:
    """Which items were used on which day, by owner; `behaviours`: owner, day and what an element names.

    A day that cannot be read and an owner that is not known use nothing.
    """
    told = set(behaviours)
    days = {day: day[:10] for day in {day for _, day, _ in told} if _is_day(day)}
    items = {named: main_items([named]) for named in {named for _, _, named in told}}
    return {(owner, days[day], item) for owner, day, named in told if owner and day in days for item in items[named]}


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True
