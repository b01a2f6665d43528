"""Drafting a mapping from a sample: which of the sender's fields is which element, with a confidence for each line.

names.py      how like a field's name is to an element's: Chinese, pinyin, initials, English, abbreviations, synonyms
profile.py    what a field's values look like: codes, dates, numbers, regions …
place.py      both together: each element gets the field that fits best, each field one element
write.py      the mapping file with its confidences, its code pairs and its first cases
"""

from mappings.draft.place import HIGH, LOW, Placement, place
from mappings.draft.profile import Profile, profile
from mappings.draft.write import Draft, draft

__all__ = ["HIGH", "LOW", "Draft", "Placement", "Profile", "draft", "place", "profile"]
