"""A letter by mail: SMTP with STARTTLS or TLS, and login.  The home of smtplib."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

from hub.alarms.letter import Letter
from hub.alarms.settings import Contact, Mail
from standards.errors import BadSetup, HubError, NotAllowed, ReceiverRefused, SystemBusy, SystemUnreachable

_SECONDS = 20.0


def send(server: Mail, contact: Contact, secret: Callable[[str], str], letter: Letter) -> None:
    """One mail to all addresses of the contact.  A repeat has the same Message-ID."""
    password = secret(server.password) if server.password is not None else ""
    message = _message(server, contact, letter)
    try:
        smtp = _open(server)
    except (OSError, smtplib.SMTPException) as error:
        raise _in_our_words(server, error) from error
    try:
        if server.user:
            smtp.login(server.user, password)
        refused = smtp.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise _in_our_words(server, error) from error
    finally:
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
    if refused:
        count = f"{len(refused)}/{len(contact.to)}"
        raise ReceiverRefused(
            f"{server.host} takes no mail for {count} addresses", what_zh=f"{server.host} 拒收 {count} 个收件地址"
        )


def _open(server: Mail) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=server.ca_file or None)
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=context)
    smtp = smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
    if server.security == "starttls":
        try:
            smtp.starttls(context=context)
        except BaseException:
            smtp.close()
            raise
    return smtp


def _message(server: Mail, contact: Contact, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = letter.title
    message["From"] = server.sender
    message["To"] = ", ".join(contact.to)
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = f"<{letter.id}@{parseaddr(server.sender)[1].rpartition('@')[2] or 'hub'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def _in_our_words(server: Mail, error: Exception) -> HubError:
    """By who must act; what the server said is not repeated, it may name addresses."""
    where = f"{server.host}:{server.port}"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return NotAllowed(
            f"{where} does not accept the login",
            what_zh=f"{where} 拒绝登录",
            hint="check user, password",
            hint_zh="请检查 user、password",
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return BadSetup(f"{where} offers no STARTTLS or login", what_zh=f"{where} 不支持 STARTTLS 或登录")
    if isinstance(error, ssl.SSLCertVerificationError):
        said = f"{where}: its certificate is not trusted"
        return BadSetup(said, what_zh=f"{where} 的证书不受信任", hint="see ca_file")
    code = getattr(error, "smtp_code", 0)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max((said[0] for said in error.recipients.values()), default=500)
    if 400 <= code < 500:
        return SystemBusy(f"{where} answered {code}", what_zh=f"{where} 返回 {code}")
    if code >= 500:
        return ReceiverRefused(f"{where} answered {code}", what_zh=f"{where} 返回 {code}")
    return SystemUnreachable(f"{where}: {type(error).__name__}", what_zh=f"{where} 无法连接（{type(error).__name__}）")
