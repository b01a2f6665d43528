"""Flows: what must be answered by whom within which term.  The flows themselves are data (`data/*.yaml`)."""

from standards.flows.due import Due, due_of, urge_at, urgings
from standards.flows.grammar import Escalation, Flow, Opening, Role, State, Step, Term
from standards.flows.load import flow, flows
from standards.flows.moves import Moved, StepNotAllowed, allowed, move

__all__ = [
    "Due",
    "Escalation",
    "Flow",
    "Moved",
    "Opening",
    "Role",
    "State",
    "Step",
    "StepNotAllowed",
    "Term",
    "allowed",
    "due_of",
    "flow",
    "flows",
    "move",
    "urge_at",
    "urgings",
]
