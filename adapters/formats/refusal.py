"""Saying in both languages why a hand-over as a whole cannot be read, where, and how to mend it."""

from __future__ import annotations

from standards.errors import PayloadTooLarge, UnreadablePayload


def unreadable(what_zh: str, what: str, hint_zh: str, hint: str) -> UnreadablePayload:
    """The bytes are not what they should be."""
    return UnreadablePayload(what, what_zh=what_zh, hint=hint, hint_zh=hint_zh)


def too_large(what_zh: str, what: str, hint_zh: str, hint: str) -> PayloadTooLarge:
    """The bytes may be sound, but there are more than the hub takes at once."""
    return PayloadTooLarge(what, what_zh=what_zh, hint=hint, hint_zh=hint_zh)


def in_member(error: UnreadablePayload | PayloadTooLarge, name: str) -> UnreadablePayload | PayloadTooLarge:
    """The same error, saying in which file of a zip it stands."""
    return type(error)(
        f'file "{name}": {error.what}',
        what_zh=f"压缩包中的文件“{name}”：{error.what_zh}",
        hint=error.hint,
        hint_zh=error.hint_zh,
        params={**error.params, "member": name},
    )
