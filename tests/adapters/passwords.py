"""Database URLs as the settings take them."""

from __future__ import annotations

from sqlalchemy.engine import make_url


def without_password(url: str) -> tuple[str, str]:
    """A database URL as the settings take it, and the password that goes by reference."""
    parsed = make_url(url)
    return parsed._replace(password=None).render_as_string(), str(parsed.password or "")
