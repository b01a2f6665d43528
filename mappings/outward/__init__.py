"""The other way: records in the standard's words as one system wants to receive them.

`<system>/<name>.out.yaml` beside the mappings.  See `grammar` for what stands in one.
"""

from mappings.outward.compile import OutForm, Row, Unfit
from mappings.outward.grammar import AnswerSpec, OutFile
from mappings.outward.lint import lint_form
from mappings.outward.load import LoadedForm, load_form, read_form
from mappings.outward.wire import Words, body, wrapped

__all__ = [
    "AnswerSpec",
    "LoadedForm",
    "OutFile",
    "OutForm",
    "Row",
    "Unfit",
    "Words",
    "body",
    "lint_form",
    "load_form",
    "read_form",
    "wrapped",
]
