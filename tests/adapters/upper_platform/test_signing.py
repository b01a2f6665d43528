"""Signing for gateways: the vectors of public code, and the life of the short-lived secret."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import pytest

from adapters.conformance.parcels import NOW, some
from adapters.signing import (
    Secrets,
    SharingSettings,
    SharingSigner,
    SignedAnew,
    TifSettings,
    TifSigner,
    decrypt,
    derived_key,
    encrypt,
    sharing_sign,
    tif_signature,
)
from adapters.simulators.gateway import SKEW, NotSigned
from adapters.upper_platform.simulator import Gateway
from standards.clock import SHANGHAI, FrozenClock
from standards.errors import AnswerNotUnderstood, NotAllowed
from tests.adapters.upper_platform.rigs import HttpRig

APP_KEY = "111111"
SHARING = SharingSettings(
    kind="gjgxjhpt", sid="S1", rid="R1", app_key="env:APP_KEY", refresh_url="http://gateway.test/secret"
)
TIF = TifSettings(kind="x-tif", paasid="P1", token="env:TOKEN")


def test_the_sign_of_the_sharing_platform() -> None:
    sign = sharing_sign("S1", "R1", "1700000000000", "demo-secret")

    assert sign == "FDIHgxgf1mtdq1uRuNh2XgRNn9OTU5XCT4dy8ZAMlkY="


def test_the_secret_is_encrypted_as_java_does_it() -> None:
    assert derived_key(APP_KEY).hex() == "fd571203974ba9afe270fe62151ae967"
    assert encrypt(APP_KEY, "abc") == "XSKq9BJXXo0bfd+JeLEarg=="
    assert decrypt(APP_KEY, "XSKq9BJXXo0bfd+JeLEarg==") == "abc"


def test_the_signature_of_provincial_gateways() -> None:
    signature = tif_signature("1700000000", "demo-token", "abc123")

    assert signature == "dc1b302d31ab1954a9088460ec2e06a2b02086646a08a11ea752bb9e1c14a4fe"


class Platform:
    """The sharing platform's gateway, called without a network."""

    def __init__(self) -> None:
        self.clock = FrozenClock(NOW)
        self.gateway = Gateway(self.clock, tif={"P1": "demo-token"}, sharing={("R1", "S1"): APP_KEY})
        self.fetched = 0
        self.secrets = Secrets()

    def post(self, _url: str, body: bytes) -> bytes:
        self.fetched += 1
        return self.gateway.refresh(body)

    def signer(self, app_key: str = APP_KEY) -> SharingSigner:
        return SharingSigner(SHARING, app_key, self.clock, self.post, self.secrets)

    def accepts(self, signer: SharingSigner) -> bool:
        try:
            return self.gateway.caller(signer.headers()) == "R1"
        except NotSigned:
            return False


@pytest.fixture
def platform() -> Platform:
    return Platform()


def test_a_secret_is_used_until_shortly_before_its_end(platform: Platform) -> None:
    signer = platform.signer()

    assert all(platform.accepts(signer) for _ in range(5))
    assert platform.fetched == 1
    platform.clock.forward(timedelta(minutes=29, seconds=30))
    assert platform.accepts(signer)
    assert platform.fetched == 2


def test_two_threads_share_a_secret_instead_of_voiding_each_others(platform: Platform) -> None:
    one, other = platform.signer(), platform.signer()

    assert all(platform.accepts(s) for s in (one, other, one, other))
    assert platform.fetched == 1


def test_a_secret_that_was_ended_early_is_fetched_anew(platform: Platform) -> None:
    one, other = platform.signer(), platform.signer()
    one.headers()
    other.headers()
    platform.gateway.end_secrets()

    assert not platform.accepts(one)
    assert one.refused()
    assert platform.accepts(one)
    # The other was refused for the old one; the new one stays.
    assert other.refused()
    assert platform.accepts(other)
    assert platform.fetched == 2


def test_a_wrong_app_key_is_the_operators_business(platform: Platform) -> None:
    signer = platform.signer("222222")

    with pytest.raises(NotAllowed) as caught:
        signer.headers()

    assert "授权名单" in (caught.value.hint_zh or "")
    assert "222222" not in f"{caught.value.what}{caught.value.what_zh}"
    assert not signer.refused()


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"code": "0"}', b'{"code": "0", "data": {"secret": "###"}}'])
def test_an_answer_without_a_secret_is_told(platform: Platform, answer: bytes) -> None:
    signer = SharingSigner(SHARING, APP_KEY, platform.clock, lambda _url, _body: answer, platform.secrets)

    with pytest.raises((AnswerNotUnderstood, NotAllowed)) as caught:
        signer.headers()

    assert caught.value.what_zh


def _ends() -> Iterator[tuple[object, timedelta]]:
    end = NOW + timedelta(minutes=20)
    for told in (
        int(end.timestamp() * 1000),
        str(int(end.timestamp())),
        end.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
        end.isoformat(),
    ):
        yield told, timedelta(minutes=19)
    yield "明天", timedelta(minutes=9)
    yield None, timedelta(minutes=9)


@pytest.mark.parametrize(("told", "life"), list(_ends()))
def test_the_end_of_a_secret_is_read_in_each_form(told: object, life: timedelta) -> None:
    clock = FrozenClock(NOW)
    fetched: list[datetime] = []

    def post(_url: str, _body: bytes) -> bytes:
        fetched.append(clock.now())
        data = {"secret": encrypt(APP_KEY, "s"), "secretEndTime": told}
        return msgspec.json.encode({"code": 0, "data": data})

    signer = SharingSigner(SHARING, APP_KEY, clock, post, Secrets())
    signer.headers()
    clock.forward(life - timedelta(seconds=1))
    signer.headers()
    assert len(fetched) == 1

    clock.forward(timedelta(seconds=1))
    signer.headers()

    assert len(fetched) == 2


def test_a_provincial_gateway_takes_each_nonce_once_and_only_now(platform: Platform) -> None:
    signer = TifSigner(TIF, "demo-token", platform.clock)
    headers = signer.headers()

    assert platform.gateway.caller(headers) == "P1"
    with pytest.raises(NotSigned, match="nonce"):
        platform.gateway.caller(headers)
    late = signer.headers()
    platform.clock.forward(SKEW + timedelta(seconds=1))
    with pytest.raises(NotSigned, match="time"):
        platform.gateway.caller(late)


def test_a_quick_repeat_is_signed_anew(platform: Platform) -> None:
    headers = SignedAnew({"a": "b"}, TifSigner(TIF, "demo-token", platform.clock))

    first, second = dict(headers), dict(headers)

    assert first["a"] == second["a"] == "b"
    assert first["x-tif-nonce"] != second["x-tif-nonce"]
    assert platform.gateway.caller(first) == platform.gateway.caller(second) == "P1"


@pytest.mark.parametrize(
    "gateway",
    [
        {"kind": "x-tif", "paasid": "nobody", "token": "env:TOKEN"},
        {"kind": "gjgxjhpt", "sid": "S1", "rid": "R9", "app_key": "env:APP_KEY", "refresh_url": "{url}/gateway/secret"},
        None,
    ],
)
def test_a_caller_who_is_not_on_the_list_is_the_operators_business(gateway: dict[str, str] | None) -> None:
    rig = HttpRig(gateway=gateway, tif={"P1": "demo-token"}, sharing={("R1", "S1"): APP_KEY})

    for call in (lambda: rig.destination.deliver(some(1)), rig.destination.check):
        with pytest.raises(NotAllowed) as caught:
            call()
        assert caught.value.what_zh

    assert rig.stored() == {}
    rig.close()


def test_a_secret_that_the_platform_ends_in_between_costs_no_delivery() -> None:
    gateway = {"kind": "gjgxjhpt", "sid": "S1", "rid": "R1", "app_key": "env:APP_KEY"}
    rig = HttpRig(gateway={**gateway, "refresh_url": "{url}/gateway/secret"}, sharing={("R1", "S1"): APP_KEY})
    rig.destination.deliver(some(1))

    rig.centre.service.gateway.end_secrets()
    answer = rig.destination.deliver(some(3))

    assert not list(answer.refused())
    assert "网关签名已通过" in rig.destination.check()
    rig.close()
