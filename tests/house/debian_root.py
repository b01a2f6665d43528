"""A Debian of its own in a folder (debootstrap), to try there what is meant for another machine.  Needs root."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
#: Where the machine's certificates lie inside (the usual place is overwritten when ca-certificates is installed there).
CA_INSIDE = "/etc/hub-test-ca.crt"


class DebianRoot:
    """A folder with a minimal Debian, made once per suite and machine and copied from a tarball afterwards."""

    def __init__(self, folder: Path, *, suite: str, packages: tuple[str, ...]) -> None:
        self.folder = folder
        tarball = _tarball(suite, packages)
        folder.mkdir(parents=True, exist_ok=True)
        _must("tar", "-C", folder, "-xf", tarball)
        self._make_site()

    def _make_site(self) -> None:
        """The site's way to its networks and mirrors, as an administrator would bring it onto a new machine."""
        for name in ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf"):
            if Path(name).exists():
                shutil.copy(name, self.folder / name[1:])
        if CA_BUNDLE.exists():
            shutil.copy(CA_BUNDLE, self.folder / CA_INSIDE[1:])

    def path(self, inside: str) -> Path:
        return self.folder / inside.lstrip("/")

    def run(
        self, *words: str, cwd: str = "/", env: Mapping[str, str] | None = None, user: str = "root"
    ) -> subprocess.CompletedProcess[str]:
        """The command inside, with nothing of our environment but the way to the package index."""
        chosen = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", **_index_settings(), **(env or {})}
        # A mount namespace of its own, so that /proc goes away by itself.
        script = (
            'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; root=$1; user=$2; cwd=$3; shift 3; '
            'exec chroot --userspec="$user" "$root" /usr/bin/env -i -C "$cwd" "$@"'
        )
        return subprocess.run(
            [
                *("unshare", "--mount", "sh", "-ec", script, "sh", str(self.folder), user, cwd),
                *(f"{name}={value}" for name, value in chosen.items()),
                *words,
            ],
            capture_output=True,
            text=True,
            check=False,
        )


def _index_settings() -> dict[str, str]:
    """pip's settings of this machine (its mirror, never named here) and its certificates."""
    given = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return given | ({"PIP_CERT": CA_INSIDE} if CA_BUNDLE.exists() else {})


def mirror() -> str:
    """Where this machine gets its Debian packages from, by its own sources."""
    for path in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        if path.suffix not in {".list", ".sources"} or not path.is_file():
            continue
        for line in path.read_text().splitlines():
            match line.split():
                case ["URIs:", url, *_] if "security" not in url:
                    return url
                case ["deb", *options, url, _, _] if "security" not in url and (not options or options[0][0] == "["):
                    return url
    raise AssertionError("no Debian mirror is named in this machine's /etc/apt")


def _tarball(suite: str, packages: tuple[str, ...]) -> Path:
    key = hashlib.sha256(" ".join((suite, *sorted(packages))).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / "hub-test-roots"
    folder.mkdir(mode=0o700, exist_ok=True)
    assert folder.stat().st_uid == os.geteuid(), f"{folder} belongs to somebody else"
    tarball = folder / f"{suite}-{key}.tar"
    if not tarball.exists():
        with tempfile.TemporaryDirectory(dir=folder) as made:
            root = Path(made) / "root"
            _must("debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite, root, mirror())
            unfinished = tarball.with_suffix(f".{os.getpid()}")
            _must("tar", "-C", root, "-cf", unfinished, ".")
            unfinished.replace(tarball)
    return tarball


def _must(*words: str | Path) -> None:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words[0]} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
