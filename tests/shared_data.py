"""Real sample files that are not in the repository: where they lie, and the one reason for which a test may skip."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
NO_SHARED_DATA = "not run: no shared data"


def shared_folder() -> Path | None:
    """HUB_SHARED_DATA, or the folder that the project keeps beside its repository."""
    given = os.environ.get("HUB_SHARED_DATA")
    folder = Path(given) if given else REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def shared(name: str) -> Path:
    """The shared file, say `penalty_cn/x.xlsx`.  Skips the test where there are no shared data at all.

    A folder that is there and lacks the file is a fault of the folder, and the test fails.
    """
    folder = shared_folder()
    if folder is None:
        pytest.skip(NO_SHARED_DATA)
    path = folder / name
    assert path.exists(), f"{path} is missing in the shared data"
    return path
