"""Telling a person's number from an organisation's.  Pure."""

from __future__ import annotations

from standards.identifiers import check_id_number

#: Certificates of organisations (CL_CERT_TYPE), or none told; a number under any other is a person's.
ORGANISATIONS = frozenset({"001", "002", "003", "099", ""})


def is_person(number: str) -> bool:
    """True when a number looks like that of a person (GB 11643), not of an organisation."""
    return len(number) in (15, 18) and number[:17].isdigit() and check_id_number(number) is None
