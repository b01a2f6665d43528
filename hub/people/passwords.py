"""Passwords: what one must be like, and argon2, whose home is here."""

from __future__ import annotations

import re
import secrets
import threading
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.settings import People
from standards.errors import HubError, SystemBusy

#: 64 MiB each: only so many at once, the others wait a moment.
_AT_ONCE = threading.BoundedSemaphore(2)
_PATIENCE = 10.0
_LONGEST = 200
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
#: What people put around a common word to please a rule.
_BEFORE, _BEHIND = re.compile(r"^[\W\d_]+"), re.compile(r"[\W\d_]+$")
_LEET = str.maketrans("013457@$!", "oieastasi")
_RUNS = "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"
#: No letters and digits that are read as one another over the telephone.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_ALPHABET = (_LETTERS, _LETTERS.upper(), "23456789", "-+=_")


class BadPassword(HubError):
    """A password that is not good enough."""

    code = "bad-password"
    status = 422
    title_zh = "密码不符合要求"
    title = "the password is not good enough"


def hashed(password: str) -> str:
    """What is stored of a password.  Raises SystemBusy."""
    with _Turn():
        return _HASHER.hash(password)


def fits(stored: str, password: str) -> bool:
    """Whether it is the password; takes as long when nothing is stored.  Raises SystemBusy."""
    with _Turn():
        try:
            return _HASHER.verify(stored or _nobodys(), password[:_LONGEST]) and bool(stored)
        except (VerificationError, InvalidHashError):
            return False


def outdated(stored: str) -> bool:
    """Whether it is hashed by parameters of the past."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe(16))


class _Turn:
    def __enter__(self) -> None:
        if not _AT_ONCE.acquire(timeout=_PATIENCE):
            raise SystemBusy("too many log-ins at once", what_zh="登录请求过多，请稍后再试", retry_after=5)

    def __exit__(self, *_: object) -> None:
        _AT_ONCE.release()


def initial() -> str:
    """A password to begin with: sixteen characters, every kind among them."""
    picked = [secrets.choice(kind) for kind in _ALPHABET]
    picked += [secrets.choice("".join(_ALPHABET)) for _ in range(12)]
    secrets.SystemRandom().shuffle(picked)
    return "".join(picked)


def judge(password: str, name: str, title: str, rules: People) -> None:
    """Raises BadPassword with everything that is wrong with it."""
    found: list[tuple[str, str]] = []
    if len(password) < rules.password_length:
        found.append((f"至少 {rules.password_length} 个字符", f"at least {rules.password_length} characters"))
    if len(password) > _LONGEST:
        found.append((f"最多 {_LONGEST} 个字符", f"at most {_LONGEST} characters"))
    if kinds(password) < rules.password_kinds:
        found.append(
            (
                f"小写字母、大写字母、数字、其他字符中至少 {rules.password_kinds} 种",
                f"small letters, capitals, digits, others: at least {rules.password_kinds} kinds",
            )
        )
    low = password.lower()
    if any(len(word) > 1 and word.lower() in low for word in (name, title)):
        found.append(("不能包含用户名或姓名", "not with the name in it"))
    if is_common(password):
        found.append(("不能是常用密码或键盘顺序", "not one of the commonest, nor keys in a row"))
    if found:
        raise BadPassword(
            "the password: " + "; ".join(en for _, en in found), what_zh="密码" + "；".join(zh for zh, _ in found)
        )


def kinds(password: str) -> int:
    """How many kinds of characters are in it."""
    tests = (str.islower, str.isupper, str.isdigit, lambda c: not (c.islower() or c.isupper() or c.isdigit()))
    return sum(any(test(c) for c in password) for test in tests)


def is_common(password: str) -> bool:
    """Whether it is a common word, alone, repeated or dressed up, or a run of keys."""
    low = password.lower()
    if len(set(low)) < 5:
        return True
    bare = {low, _BEFORE.sub("", low), _BEHIND.sub("", low), _BEFORE.sub("", _BEHIND.sub("", low))}
    for text in bare | {one.translate(_LEET) for one in bare}:
        if text in _common() or _repeats(text) in _common():
            return True
    return _longest_run(low) * 2 > len(low)


@cache
def _common() -> frozenset[str]:
    return frozenset((files("hub.people") / "common.txt").read_text("utf-8").split())


def _repeats(text: str) -> str:
    """The piece that a text is a repetition of; the text itself when it is none."""
    for size in range(1, len(text) // 2 + 1):
        if len(text) % size == 0 and text[:size] * (len(text) // size) == text:
            return text[:size]
    return text


def _longest_run(text: str) -> int:
    """Characters of the longest piece that goes along the alphabet or a row of keys, either way."""
    longest = 0
    for run in (*_RUNS, *(r[::-1] for r in _RUNS)):
        for start in range(len(text)):
            size = max(longest, 2) + 1
            while text[start : start + size] in run and start + size <= len(text):
                longest, size = size, size + 1
    return longest
