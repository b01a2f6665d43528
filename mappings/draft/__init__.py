"""Drafting a mapping from a sample: which of the sender's fields is which element, with a confidence for each line.

names.py, words.py   how like a field's name is to an element's: Chinese, pinyin, initials, English, abbreviations
looks.py, profile.py what a field's values look like: codes, dates, firms, authorities, addresses, document numbers …
structure.py, sample.py  what the sample as a whole says: groups of fields, terms between two dates
fit.py, evidence.py  how well one field suits one element, by all of this
place.py             each element gets the field that fits best, with the reason
pairs.py             the sample's words in the codes of a list
write.py, cases.py   the mapping file with its confidences and reasons, and its first cases
"""

from mappings.draft.place import HIGH, LOW, Placement, place
from mappings.draft.sample import Sample, look_at
from mappings.draft.write import Draft, draft

__all__ = ["HIGH", "LOW", "Draft", "Placement", "Sample", "draft", "look_at", "place"]
