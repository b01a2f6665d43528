"""What stands in no file: hosts of package indexes, paths of one machine, private keys; and which files are long."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.repository import files, name_of

INDEX_HOSTS = re.compile(
    "|".join(
        [
            r"\bpypi" r"\.[a-z]",
            r"pythonhosted" r"\.org",
            r"\b(?:deb|security|snapshot|ftp)[.a-z]*\.debian" r"\.org",
            r"\bregistry" r"\.(?:npmjs|yarnpkg|npmmirror)",
            r"\bmirrors?" r"\.[a-z0-9-]+\.(?:com|cn|org|net|edu|ac)\b",
            r"\b(?:conda\.anaconda|proxy\.golang|crates)" r"\.(?:org|io)\b",
            r"\b(?:hub\.docker|docker|ghcr|quay)" r"\.(?:com|io)\b",
        ]
    )
)
MACHINE_PATHS = re.compile(r"/work/(?:main|shared)\b|/root/\.|/opt/" r"(?:pypi|wheels)\b|/home/(?!hub\b|u\b)[a-z]+/")
PRIVATE_KEYS = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE" r" KEY-----")
LONG_FILE_LINES = 400


def texts() -> Iterator[tuple[Path, str]]:
    for path in files():
        try:
            yield path, path.read_text("utf-8")
        except UnicodeDecodeError:  # a sample in another encoding, or no text at all
            continue


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (INDEX_HOSTS, "a package index (sites have their own: leave it to pip.conf and apt's sources)"),
        (MACHINE_PATHS, "a path of one machine"),
        (PRIVATE_KEYS, "a private key"),
    ],
    ids=["index-hosts", "machine-paths", "private-keys"],
)
def test_no_file_names(pattern: re.Pattern[str], what: str) -> None:
    found = [
        f"{name_of(path)}:{number}: {match[0]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if (match := pattern.search(line))
    ]

    assert not found, f"{what} is named in:\n" + "\n".join(found[:20])


# In pieces, or this file would be the first to be found.
HOSTS = [("pypi", "org"), ("deb", "debian", "org"), ("mirrors", "aliyun", "com"), ("registry", "npmjs", "org")]


@pytest.mark.parametrize("text", [f"https://{'.'.join(pieces)}/simple" for pieces in HOSTS])
def test_the_pattern_knows_a_host_when_it_sees_one(text: str) -> None:
    assert INDEX_HOSTS.search(text)


def test_long_files_are_reported() -> None:
    """Only said, never a failure: a long file is fine if it still has one subject."""
    lengths = {name_of(path): path.read_text().count("\n") for path in files("*.py")}
    long = sorted(f"{name} ({lines} lines)" for name, lines in lengths.items() if lines > LONG_FILE_LINES)
    if long:
        warnings.warn(f"do these still have one subject each? {', '.join(long)}", stacklevel=1)
