"""Ways out to contacts: mail, signed JSON, robots of group chats.  Each sends one letter, or raises a HubError."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hub.alarms.letter import Letter
from hub.alarms.settings import Alarms, Contact
from hub.alarms.ways import mail, robots, webhook
from standards.errors import BadConfiguration

#: Fetches a secret by its reference.
Secret = Callable[[str], str]

_POSTED: Mapping[str, Callable[[Contact, Secret, Letter], None]] = {
    "webhook": webhook.send,
    "wecom": robots.wecom,
    "dingtalk": robots.dingtalk,
}


def send(settings: Alarms, contact: Contact, secret: Secret, letter: Letter) -> None:
    """Hand a letter to a contact's server; when it returns, that server has it.

    Raises Temporary, ReceiverRefused, BadSetup.
    """
    if contact.way != "mail":
        _POSTED[contact.way](contact, secret, letter)
    elif settings.mail is not None:
        mail.send(settings.mail, contact, secret, letter)
    else:
        raise BadConfiguration("no [alarms.mail] in the settings", what_zh="配置中没有 [alarms.mail]")
