"""A letter as one message of a group robot: 企业微信 (WeCom) and 钉钉 (DingTalk, with its signed secret)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from hub.alarms.letter import Letter
from hub.alarms.settings import Contact
from hub.alarms.ways.post import packed, post
from standards.errors import AnswerNotUnderstood, BadSetup, HubError, SystemBusy

WECOM = "https://qyapi.weixin.qq.com"
DINGTALK = "https://oapi.dingtalk.com"
#: The longest text WeCom takes, in bytes of UTF-8.
_LONGEST = 2048
#: What the robots say when there were too many messages in a minute.
_TOO_MANY = {45009, 130101, 660026}


def wecom(contact: Contact, secret: Callable[[str], str], letter: Letter) -> None:
    """POST /cgi-bin/webhook/send?key=…"""
    url = f"{_base(contact, WECOM)}/cgi-bin/webhook/send?{urlencode({'key': _key(contact, secret)})}"
    _sent(contact, post(contact, url, _text(letter)))


def dingtalk(contact: Contact, secret: Callable[[str], str], letter: Letter) -> None:
    """POST /robot/send?access_token=…, with timestamp and sign where the robot has a secret (加签)."""
    words = {"access_token": _key(contact, secret)}
    if contact.secret is not None:
        stamp = str(round(time.time() * 1000))
        words |= {"timestamp": stamp, "sign": dingtalk_sign(secret(contact.secret), stamp)}
    _sent(contact, post(contact, f"{_base(contact, DINGTALK)}/robot/send?{urlencode(words)}", _text(letter)))


def dingtalk_sign(secret: str, stamp: str) -> str:
    """Base64 of HMAC-SHA256 over `<timestamp>\\n<secret>`, keyed with the secret."""
    return base64.b64encode(hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()).decode()


def _base(contact: Contact, official: str) -> str:
    return (contact.url or official).rstrip("/")


def _key(contact: Contact, secret: Callable[[str], str]) -> str:
    if contact.key is None:
        raise BadSetup(
            "the robot has no key",
            what_zh="机器人没有配置 key",
            hint="set key of this contact",
            hint_zh="请为该联系人配置 key",
        )
    return secret(contact.key)


def _text(letter: Letter) -> bytes:
    text = f"{letter.title}\n{letter.text}".encode()[:_LONGEST].decode("utf-8", "ignore")
    return packed({"msgtype": "text", "text": {"content": text}})


def _sent(contact: Contact, answer: Any) -> None:
    """Both answer with 200 and say in `errcode` whether they took it."""
    code = answer.get("errcode") if isinstance(answer, dict) else None
    if code == 0:
        return
    if not isinstance(code, int):
        raise AnswerNotUnderstood(f"not the answer of a {contact.way} robot", what_zh="对方不是群机器人")
    raise _refused(contact.way, code)


def _refused(way: str, code: int) -> HubError:
    said, said_zh = f"the {way} robot answered errcode {code}", f"{way} 机器人返回 errcode {code}"
    if code in _TOO_MANY or code == -1:
        return SystemBusy(said, what_zh=said_zh)
    return BadSetup(
        said,
        what_zh=said_zh,
        hint="check key, secret and keywords of the robot",
        hint_zh="请检查机器人的 key、secret 和关键词",
    )
