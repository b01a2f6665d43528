"""Parcels in a receiver's own words: rows by a form, and the receiver's answer back as an answer of ours."""

from adapters.outward.answering import answer_of
from adapters.outward.rendering import Rendered, Rendering
from adapters.outward.settings import Formed

__all__ = ["Formed", "Rendered", "Rendering", "answer_of"]
