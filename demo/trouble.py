"""What a planted trouble is about, and how it is mended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """In Chinese and English."""

    zh: str
    en: str
    mend_zh: str
    mend_en: str
