"""What a data set is: its elements, needs and rules.  Definitions only; `standards/datasets/*.yaml` fills them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator


class Kind(StrEnum):
    """What sort of value an element holds.  The canonical form is always text."""

    TEXT = "text"  # one line
    LONGTEXT = "longtext"  # may hold line breaks
    CODE = "code"  # one code of `list`
    DATE = "date"  # YYYY-MM-DD
    DATETIME = "datetime"  # YYYY-MM-DD HH:MM:SS, Asia/Shanghai
    DECIMAL = "decimal"  # plain digits, `scale` places after the point
    INT = "int"
    LIST = "list"  # items of kind `of`, joined with ;
    USCC = "uscc"  # GB 32100-2015
    ID_NUMBER = "id_number"  # GB 11643-1999
    REG_NO = "reg_no"  # 15-digit business registration number
    ORG_CODE = "org_code"  # GB 11714-1997
    REGION = "region"  # GB/T 2260
    INDUSTRY = "industry"  # GB/T 4754-2017
    ITEM = "item"  # 14 digits, 监管事项目录编码 (sub-item)
    MAIN_ITEM = "main_item"  # 8 digits
    INVENTORY = "inventory"  # 检查实施清单编码: credit code + level 1-5 + rest
    JSON = "json"  # a JSON document as text


class FilledBy(StrEnum):
    """Who gives the element its value; only the sender's are demanded of the sender."""

    SENDER = "sender"
    HUB = "hub"
    RECEIVER = "receiver"


class Severity(StrEnum):
    """What a finding does to its record."""

    ERROR = "error"  # rejected
    HOLD = "hold"  # held until it is resolved or its due time passes
    WARNING = "warning"  # told, not stopped


class Mark(StrEnum):
    """Where a definition comes from (DOMAIN: a found, b memory, c = own profile)."""

    FOUND = "a"
    MEMORY = "b"
    OWN = "own"


def _text_to_bool(value: object) -> object:
    """YAML is read as text only; accept exactly the two words."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


Flag = Annotated[bool, BeforeValidator(_text_to_bool)]

_NEED = re.compile(r"^(must|optional|when: .+|group: [a-z][a-z0-9_]*(; when: .+)?)$", re.DOTALL)
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reference(_Frozen):
    """This element names a record of another data set."""

    dataset: Name = Field(description="Data set of the record that is named.")
    element: Name = Field(description="The element there that holds the same value.")
    unless: tuple[str, ...] = Field((), description="Values that name nothing, such as 无.")
    code: str = Field("30004", description="Finding code when the named record is not known.")
    along: Mapping[Name, Name] = Field(
        default_factory=dict, description="Further key elements there, and the elements here that hold their values."
    )
    where: str = Field("", description="What must be true of the record that is named, in its own elements.")


class Element(_Frozen):
    """One element of a data set."""

    id: Name
    title: str = Field(min_length=1)
    title_en: str = ""
    type: Kind
    max: int | None = Field(None, gt=0, description="Characters at most; for decimals all digits.")
    scale: int | None = Field(None, ge=0, description="Digits after the decimal point.")
    of: Kind | None = Field(None, description="Kind of each item of a list.")
    need: Annotated[str, Field(pattern=_NEED.pattern)] = "optional"
    filled_by: FilledBy = FilledBy.SENDER
    sender_may: Flag = Field(False, description="The sender may give it too; it is filled only where left empty.")
    personal: Flag = False
    list: str | None = Field(
        None, description="Code list of a code, or of each item of a list; on other kinds it is advice, a rule decides."
    )
    pattern: str | None = Field(None, description="Regular expression that the whole value must match.")
    pattern_says: str = Field("", description="The pattern in words, for people.")
    pattern_says_en: str = ""
    identified_by: Name | None = Field(None, description="Element whose certificate type says how to check it.")
    not_future: Flag = False
    min_items: int | None = Field(None, gt=0)
    refers: Reference | None = None
    mark: Mark = Mark.FOUND
    source: str = ""
    note: str = ""

    @property
    def when(self) -> str | None:
        """The condition under which the element is needed, if it has one."""
        _, found, condition = self.need.partition("when: ")
        return condition if found else None

    @property
    def group(self) -> str | None:
        """The group of which at least one element must be given, if it is in one."""
        if not self.need.startswith("group: "):
            return None
        return self.need.removeprefix("group: ").partition(";")[0]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.type is Kind.LIST) != (self.of is not None):
            raise ValueError("'of' belongs to a list and a list needs 'of'")
        if Kind.CODE in (self.type, self.of) and not self.list:
            raise ValueError("a code needs 'list'")
        if self.type is Kind.DECIMAL and (self.max is None or self.scale is None):
            raise ValueError("a decimal needs 'max' and 'scale'")
        if self.sender_may and self.filled_by is FilledBy.SENDER:
            raise ValueError("'sender_may' is for elements that the hub or a receiver fills")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"'pattern' is not a regular expression: {error}") from error
            if not self.pattern_says:
                raise ValueError("a pattern needs 'pattern_says'")
        return self


class Rule(_Frozen):
    """Something that must hold between the elements of one record."""

    id: Name
    when: str = Field(description="The rule is broken where this is true.")
    elements: tuple[Name, ...] = Field(min_length=1, description="The first is the one to mend.")
    code: str = Field(pattern=r"^\d{5}(\.[a-z_]+)?$")
    severity: Severity = Severity.ERROR
    says: str
    says_en: str
    fix: str = ""
    fix_en: str = ""
    mark: Mark = Mark.FOUND
    source: str = ""


class Deadline(_Frozen):
    """By when a record must have been reported, counted from `event_date`."""

    working_days: Annotated[int | None, Field(ge=0)] = None
    hours: Annotated[int | None, Field(ge=0)] = None
    real_time: Flag = False
    note: str = ""
    mark: Mark = Mark.OWN
    source: str = ""


class Subject(_Frozen):
    """The elements that say under whose name the record is filed (归于企业名下)."""

    code: Name | None = None
    name: Name | None = None


class Direction(StrEnum):
    """UP is towards the national platform."""

    UP = "up"
    DOWN = "down"
    ACROSS = "across"


class Library(StrEnum):
    """The eight target libraries of the provincial data centre."""

    ITEMS = "监管事项目录清单库"
    OBJECTS = "监管对象信息库"
    OFFICERS = "执法人员信息库"
    ACTIONS = "监管行为信息库"
    COMPLAINTS = "监管投诉举报信息库"
    CREDIT = "信用信息库"
    THIRD_PARTY = "互联网及第三方信息库"
    KNOWLEDGE = "监管知识库"


class DataSet(_Frozen):
    """One data set of the standard, in one version."""

    id: Name
    title: str
    title_en: str = ""
    version: str
    valid_from: date
    valid_to: date | None = None
    family: Literal["core", "control"] = "core"
    library: Library | None = None
    table: str = Field("", description="Front-end table; own name where the national one is not public.")
    table_mark: Mark = Mark.FOUND
    directions: tuple[Direction, ...]
    purpose: str = ""
    deadline: Deadline = Deadline()
    natural_key: tuple[Name, ...] = Field(min_length=1)
    key_personal: Flag = Field(False, description="The natural key may hold personal values: cd_id hides it.")
    subject: Subject = Subject()
    event_date: Name | None = None
    profile: str = Field("", description="What of this data set is our own profile rather than the national text.")
    note: str = ""
    elements: tuple[Element, ...]
    rules: tuple[Rule, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Element]:
        """The elements by their id."""
        return {element.id: element for element in self.elements}

    @property
    def about_exchange(self) -> bool:
        """Whether it is what two neighbours tell each other of the exchange itself: receipts, notices, reports."""
        return self.family == "control" and {Direction.UP, Direction.DOWN} <= set(self.directions)

    @cached_property
    def personal(self) -> frozenset[str]:
        """Ids of the elements that hold personal information."""
        return frozenset(e.id for e in self.elements if e.personal)

    @cached_property
    def from_sender(self) -> tuple[Element, ...]:
        """The elements a sender may or must give."""
        return tuple(e for e in self.elements if e.filled_by is FilledBy.SENDER or e.sender_may)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        ids = [e.id for e in self.elements]
        if doubled := {i for i in ids if ids.count(i) > 1}:
            raise ValueError(f"elements defined twice: {sorted(doubled)}")
        named = {*self.natural_key, self.subject.code, self.subject.name, self.event_date} - {None}
        named |= {e.identified_by for e in self.elements if e.identified_by}
        named |= {name for rule in self.rules for name in rule.elements}
        if unknown := {str(n) for n in named} - set(ids):
            raise ValueError(f"unknown elements named: {sorted(unknown)}")
        return self


class Code(_Frozen):
    """One code of a code list."""

    code: str
    name: str
    name_en: str = ""
    valid_from: str = ""
    valid_to: str = ""
    parent: str = ""


IsoDate = Annotated[date, PlainSerializer(lambda value: value.isoformat())]


class Origin(StrEnum):
    """Which part of the standard a code list belongs to."""

    STANDARD = "standard"  # the 81 lists of the standard
    ELEMENT = "element"  # written beside one element there
    PROFILE = "profile"  # of a data set that is our own
    REFERENCE = "reference"  # a public list that no element demands; for crosswalks


class CodeList(_Frozen):
    """A code list with its codes, in the order of the source."""

    id: str
    title: str
    mark: Mark
    mark_note: str = Field("", description="Which part has which mark, where one letter does not tell.")
    source: str
    origin: Origin = Origin.STANDARD
    adapter_only: Flag = False
    codes: tuple[Code, ...]

    @cached_property
    def names(self) -> dict[str, str]:
        """Code to name."""
        return {c.code: c.name for c in self.codes}
