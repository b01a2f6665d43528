"""What a receiver gets of the attachments its records name: nothing, a reference, or the right to fetch them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hub.attachments import ELEMENTS, named, reference
from hub.generations import Generation
from hub.ledger import attachments
from hub.ledger.engine import Ledger
from hub.ledger.submissions import Submission
from hub.zones import INTERNET
from standards.model import DataSet
from standards.parcel import Parcel


def policy(generation: Generation, submission: Submission, destination: str, dataset: DataSet) -> str:
    """What the route says: forward, reference or no; nothing goes to the internet zone."""
    settings = generation.settings.destinations.get(destination)
    if settings is None or settings.zone == INTERNET:
        return "no"
    routes = generation.routes(submission.connection, submission.party, dataset)
    return next((route.attachments for route in routes if route.destination == destination), "no")


def enclose(
    ledger: Ledger, generation: Generation, submission: Submission, dataset: DataSet, parcel: Parcel, now: datetime
) -> Parcel:
    """The parcel with references to what its records name; who is sent the bytes may fetch them from now on."""
    elements = ELEMENTS & dataset.by_id.keys()
    if not elements:
        return parcel
    marked = (record.own() for record in parcel.records if b"attachment:" in bytes(record.content))
    wanted = {one for own in marked for element in elements for one in named(own.get(element, ""))}
    said = policy(generation, submission, parcel.destination, dataset) if wanted else "no"
    if said == "no":
        return parcel
    with ledger.read() as connection:
        found = attachments.find(connection, sorted(wanted))
    # A record may name what is its own party's only: an id that was guessed opens nothing.
    own = {identifier: one for identifier, one in found.items() if one.party == submission.party}
    if said == "forward" and own:
        party = generation.settings.destinations[parcel.destination].party
        ledger.write(lambda c: attachments.grant(c, sorted(own), party, parcel.id, now))
    return replace(parcel, attachments=tuple(reference(one) for _, one in sorted(own.items())))
