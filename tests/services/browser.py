"""The browser for tests of pages: Debian's chromium, which nothing may make call out."""

import shutil

from tests.services.process import ServiceFailed

#: A test's pages are our own, so the sandbox (which root cannot use) may go; nothing is looked up in the background.
LAUNCH_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable_path() -> str:
    if found := shutil.which("chromium"):
        return found
    raise ServiceFailed("no chromium is installed: './run setup' brings it")
