"""Telling a person's number from an organisation's.  Pure."""

from __future__ import annotations

from collections.abc import Mapping

from standards.identifiers import PROVINCES, check_id_number, check_reg_no, upgrade_id_number
from standards.masks import mask
from standards.masks_in_text import mask_text
from standards.model import DataSet, Kind

#: Certificates of organisations (CL_CERT_TYPE), or none told; a number under any other is a person's.
ORGANISATIONS = frozenset({"001", "002", "003", "099", ""})

#: Kinds of which a bare number is a quantity or a firm's registration, however it looks.
QUANTITIES = frozenset({Kind.DECIMAL, Kind.INT, Kind.REG_NO})

#: Nobody who is older still has a number of 15 digits; a number of a file with the day in it looks older.
_OLDEST = "31"


def is_person(number: str) -> bool:
    """True when a number looks like that of a person (GB 11643, also of before 1999), not of an organisation."""
    if len(number) == 18:
        return number[:17].isdigit() and check_id_number(number) is None
    if len(number) != 15 or number[6:8] < _OLDEST or number[:2] not in PROVINCES:
        return False
    return upgrade_id_number(number) is not None and check_reg_no(number) is not None


def newest_form(number: str) -> str:
    """A person's number with 18 characters, also where 15 were told: by it a person is found in both."""
    return upgrade_id_number(number) or number


def personal_here(dataset: DataSet, values: Mapping[str, str]) -> set[str]:
    """Elements that are about a person here.

    Always, or because the certificate beside them is one of a person, or because a person's number stands there.
    """
    found = set(dataset.personal)
    found.update(name for name, value in values.items() if is_person(value))
    for element in dataset.elements:
        if element.identified_by is not None and values.get(element.identified_by, "") not in ORGANISATIONS:
            found.add(element.id)
    return found


def masked(dataset: DataSet, values: Mapping[str, str]) -> dict[str, str]:
    """A record for who may not see personal values."""
    personal = personal_here(dataset, values)
    return {name: mask(value) if name in personal else in_text(dataset, name, value) for name, value in values.items()}


def in_text(dataset: DataSet, name: str, value: str) -> str:
    """The value of an element that is not personal, for who may not see personal values: none stands inside it."""
    element = dataset.by_id.get(name)
    return unless_bare(value, quantity=element is not None and element.type in QUANTITIES)


def unless_bare(value: str, *, quantity: bool) -> str:
    """The value without numbers of persons; what stands bare where a quantity does is none."""
    return value if quantity and value.isascii() else mask_text(value)


def quantities(dataset: DataSet) -> frozenset[str]:
    """Elements of which a bare number is no person's."""
    return frozenset(element.id for element in dataset.elements if element.type in QUANTITIES)
