"""Our SOAP service called by others: PHP's SoapClient, npm `soap`, Java's JAX-WS.  Each with success and the fault."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.adapters.soap.conftest import Service
from tests.adapters.soap.test_service import records

CLIENTS = Path(__file__).with_name("clients")

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]


def ran(*words: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(w) for w in words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def check(line: str) -> None:
    said = json.loads(line.strip().splitlines()[-1])
    assert (int(said["accepted"]), int(said["read"])) == (1, 1)
    assert said["fault"]["code"] == "wrong-key"
    assert "密钥" in said["fault"]["text"]


def test_php(service: Service, tmp_path: Path) -> None:
    record = json.dumps(records(1)[0], ensure_ascii=False)
    check(ran("php", CLIENTS / "call.php", service.wsdl, service.key, "wrong", record, cwd=tmp_path))


def test_node(service: Service, tmp_path: Path) -> None:
    ran("npm", "install", "--silent", "--no-audit", "--no-fund", "soap", cwd=tmp_path)
    shutil.copy(CLIENTS / "call.js", tmp_path)
    record = json.dumps(records(1)[0], ensure_ascii=False)
    check(ran("node", "call.js", service.wsdl, service.key, "wrong", record, cwd=tmp_path))


def test_java(service: Service, tmp_path: Path) -> None:
    (tmp_path / "hub.wsdl").write_bytes(httpx2.get(service.wsdl).content)
    ran("wsimport", "-quiet", "-Xnocompile", "-p", "hub", "-s", ".", "hub.wsdl", cwd=tmp_path)
    path = ":".join([".", "/usr/share/java/*"])
    ran(
        "javac",
        "-nowarn",
        "-cp",
        path,
        "-d",
        ".",
        CLIENTS / "Call.java",
        *(tmp_path / "hub").glob("*.java"),
        cwd=tmp_path,
    )
    words = [f"{name}={value}" for name, value in records(1)[0].items()]
    line = ran(
        *("java", "-Dfile.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8", "-cp", path, "Call"),
        *(service.wsdl, service.key, "wrong", *words),
        cwd=tmp_path,
    )
    check(line)
