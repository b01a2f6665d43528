"""The ways out, to real servers: mail over STARTTLS and TLS with login, signed JSON, robots that check signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.alarms import ways
from hub.alarms.expiry import ends_at
from hub.alarms.letter import Letter
from hub.alarms.postman import Postman, by_settings
from hub.alarms.settings import Alarms, Contact, Mail
from hub.config import secret as fetch
from standards.errors import BadSetup, HubError, NotAllowed, ReceiverRefused, SystemBusy, SystemUnreachable
from tests.hub.alarms.test_rules import FIRES, Watch
from tests.hub.levels.chain import free_port

LETTER = Letter(
    "0192-letter", "[datong] 告警 积压：province", "第一行\nsecond line", {"says": "raised", "rule": "backlog"}
)
SECRETS = {"env:PASSWORD": "geheim", "env:KEY": "robot-key", "env:SECRET": "SEC123"}


def secret(reference: str) -> str:
    return SECRETS[reference]


class Certificate:
    """A certificate of this machine, signed by itself."""

    def __init__(self, folder: Path, days: int = 20) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC).replace(microsecond=0)
        self.ends_at = now + timedelta(days=days)
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=365))
            .not_valid_after(self.ends_at)
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.path = folder / "server.pem"
        self.path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        self.key = folder / "server.key"
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.path, self.key)
        return context


class Mailbox:
    """A real mail server; `answer` to a message instead of taking it."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.logins: list[str] = []
        self.secure: list[bool] = []
        self.answer = ""

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        self.secure.append(session.ssl is not None)
        if self.answer:
            return self.answer
        self.mails.append(envelope.content)
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password == b"geheim", handled=False)


class _Server(Controller):
    def __init__(self, box: Mailbox, port: int, certificate: Certificate | None, security: str) -> None:
        self._box, self._certificate, self._security = box, certificate, security
        context = certificate.context() if certificate is not None and security == "tls" else None
        super().__init__(box, hostname="127.0.0.1", port=port, ssl_context=context)

    def factory(self) -> SMTP:
        starttls = self._security == "starttls" and self._certificate is not None
        return SMTP(
            self._box,
            tls_context=self._certificate.context() if starttls and self._certificate is not None else None,
            require_starttls=starttls,
            authenticator=self._box.authenticate,
            auth_required=self._security != "none",
            auth_require_tls=self._security == "starttls",
        )


@contextmanager
def mail_server(
    certificate: Certificate | None, security: str, port: int = 0, box: Mailbox | None = None
) -> Iterator[tuple[Mailbox, int]]:
    held = box or Mailbox()
    port = port or free_port()
    server = _Server(held, port, certificate, security)
    server.start()
    try:
        yield held, port
    finally:
        server.stop()


def settings(port: int, security: str, certificate: Certificate | None, user: str = "hub") -> Alarms:
    login = {"user": user, "password": "env:PASSWORD"} if user else {}
    return Alarms.model_validate(
        {
            "mail": {
                "host": "localhost" if security != "none" else "127.0.0.1",
                "port": port,
                "security": security,
                "sender": "枢纽 <hub@example.gov.cn>",
                "ca_file": str(certificate.path) if certificate else "",
                **login,
            }
        }
    )


DUTY = Contact.model_validate({"title": "值班", "way": "mail", "to": ["duty@example.gov.cn", "second@example.gov.cn"]})


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_out_encrypted_and_logged_in(security: str, certificate: Certificate) -> None:
    with mail_server(certificate, security) as (box, port):
        ways.send(settings(port, security, certificate), DUTY, secret, LETTER)

    (raw,) = box.mails
    mail = message_from_bytes(raw)
    assert str(make_header(decode_header(mail["Subject"]))) == LETTER.title
    assert mail["To"] == "duty@example.gov.cn, second@example.gov.cn"
    assert mail["Message-ID"] == "<0192-letter@example.gov.cn>", "a repeat is known by it"
    text = mail.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert text.decode().splitlines()[:2] == ["第一行", "second line"]
    assert box.logins == ["hub"]
    assert box.secure == [True] or security == "tls", "a server of `tls` speaks nothing else"


def test_mail_without_login_inside_the_machine_room() -> None:
    with mail_server(None, "none") as (box, port):
        ways.send(settings(port, "none", None, user=""), DUTY, secret, LETTER)

    assert len(box.mails) == 1


def test_what_goes_wrong_with_mail_is_told_by_who_must_act(certificate: Certificate, tmp_path: Path) -> None:
    def wrong(port: int, expected: type[HubError], security: str = "starttls", **words: Any) -> HubError:
        said = settings(port, security, words.pop("trusted", certificate), **words)
        with pytest.raises(expected) as caught:
            ways.send(said, DUTY, secret, LETTER)
        assert "geheim" not in str(caught.value)
        assert "duty@" not in str(caught.value)
        return caught.value

    with mail_server(certificate, "starttls") as (box, port):
        box.answer = "451 later"
        wrong(port, SystemBusy)
        box.answer = "554 no"
        wrong(port, ReceiverRefused)
        SECRETS["env:PASSWORD"] = "other"
        try:
            wrong(port, NotAllowed)
        finally:
            SECRETS["env:PASSWORD"] = "geheim"
        (tmp_path / "other").mkdir()
        wrong(port, BadSetup, trusted=Certificate(tmp_path / "other"))
        assert box.mails == []
    wrong(port, SystemUnreachable)
    with mail_server(None, "none") as (box, port):
        wrong(port, BadSetup)
        assert box.mails == [], "never in the clear when it must not be"


def test_a_mail_server_that_is_down_gets_each_message_once_when_it_is_back(
    certificate: Certificate, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "geheim")
    port = free_port()
    mail = settings(port, "starttls", certificate).mail
    assert isinstance(mail, Mail)
    words = "\n".join(f"{k} = {json.dumps(v)}" for k, v in mail.model_dump(mode="json").items())
    contact = '[alarms.contacts.duty]\ntitle = "值班"\nway = "mail"\nto = ["duty@example.gov.cn"]'
    watch = Watch(tmp_path, sqlite_url, f"[alarms.mail]\n{words}\n{contact}")
    watch.postman = Postman(watch.ledger, watch.generations, watch.clock, "one", by_settings(fetch))
    facts = FIRES["destination_down"]
    for _ in range(3):
        watch.look(facts)
    assert [(c["waiting"], c["error"].split(":")[0]) for c in watch.desk.contacts()] == [(1, "localhost")]

    with mail_server(certificate, "starttls", port) as (box, _):
        for _ in range(4):
            watch.look(facts, timedelta(minutes=5))
        for _ in range(4):
            watch.look(None, timedelta(minutes=5))

    subjects = [str(make_header(decode_header(message_from_bytes(raw)["Subject"]))) for raw in box.mails]
    assert subjects == ["[datong] 严重告警 投递目标不可用：province", "[datong] 恢复 投递目标不可用：province"]
    watch.ledger.close()


class Robot:
    """A server that takes JSON: what was asked of it, and what it answers."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: tuple[int, bytes] = (200, b'{"errcode": 0, "errmsg": "ok"}')
        robot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                robot.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status, said = robot.answer
                self.send_response(status)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            self._server.socket = certificate.context().wrap_socket(self._server.socket, server_side=True)
        head = "https" if certificate is not None else "http"
        self.url = f"{head}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def robot() -> Iterator[Robot]:
    made = Robot()
    yield made
    made.stop()


def send(way: str, robot: Robot, **words: str) -> None:
    contact = Contact.model_validate({"title": "群", "way": way, "url": robot.url, **words})
    ways.send(Alarms(), contact, secret, LETTER)


def test_a_webhook_is_signed_and_its_receiver_can_tell_a_repeat(certificate: Certificate) -> None:
    robot = Robot(certificate)
    send("webhook", robot, secret="env:SECRET", ca_file=str(certificate.path))
    robot.stop()

    ((_path, headers, body),) = robot.asked
    expected = hmac.new(b"SEC123", headers["x-hub-timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["x-hub-signature"] == f"sha256={expected}"
    assert abs(int(headers["x-hub-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    assert headers["x-hub-message"] == LETTER.id
    said = json.loads(body)
    assert (said["id"], said["rule"], said["title"]) == (LETTER.id, "backlog", LETTER.title)


def test_wecom_gets_one_text_with_the_key_of_the_robot(robot: Robot) -> None:
    send("wecom", robot, key="env:KEY")

    ((path, _headers, body),) = robot.asked
    parts = urlsplit(path)
    assert (parts.path, parse_qs(parts.query)) == ("/cgi-bin/webhook/send", {"key": ["robot-key"]})
    said = json.loads(body)
    assert said["msgtype"] == "text"
    assert said["text"]["content"].startswith(LETTER.title)
    assert len(said["text"]["content"].encode()) <= 2048


def test_dingtalk_is_signed_with_its_secret(robot: Robot) -> None:
    send("dingtalk", robot, key="env:KEY", secret="env:SECRET")

    ((path, _headers, body),) = robot.asked
    parts = urlsplit(path)
    words = {name: value[0] for name, value in parse_qs(parts.query).items()}
    digest = hmac.new(b"SEC123", f"{words['timestamp']}\nSEC123".encode(), hashlib.sha256).digest()
    assert parts.path == "/robot/send"
    assert words["access_token"] == "robot-key"
    assert base64.b64decode(words["sign"]) == digest
    assert len(words["timestamp"]) == 13, "milliseconds"
    assert json.loads(body)["text"]["content"].startswith(LETTER.title)


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (200, b'{"errcode": 45009, "errmsg": "api freq out of limit"}', SystemBusy),
        (200, b'{"errcode": 93000, "errmsg": "invalid webhook url"}', BadSetup),
        (200, b"<html>", BadSetup),
        (503, b"", SystemBusy),
        (404, b"", BadSetup),
    ],
)
def test_a_robot_that_does_not_take_it_is_told_without_its_key(
    status: int, said: bytes, expected: type[HubError], robot: Robot
) -> None:
    robot.answer = (status, said)

    with pytest.raises(expected) as caught:
        send("wecom", robot, key="env:KEY")

    assert "robot-key" not in f"{caught.value} {caught.value.what_zh}"
    assert len(robot.asked) == 1, "patience is the postman's"


def test_the_end_of_a_certificate_is_read_from_its_file_and_from_a_server(certificate: Certificate) -> None:
    robot = Robot(certificate)

    assert ends_at(str(certificate.path)) == certificate.ends_at
    assert ends_at(robot.url) == certificate.ends_at
    robot.stop()
    assert ends_at(robot.url) is None
    assert ends_at("/nowhere/at-all.pem") is None
