"""Logging in at the site's identity provider: OpenID Connect, code flow with PKCE, state and nonce.

authlib lives here.  Whoever it vouches for must have an account here: it says who somebody is, not what they may do.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from hub.config import secret
from hub.people.login import WrongLogin
from hub.settings import Oidc
from standards.errors import BadConfiguration, SystemUnreachable

_SECONDS = 10
_LEEWAY = 60
#: What is public is checked with; never `none`, never a shared secret.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]


@dataclass(frozen=True, slots=True)
class Errand:
    """What must be brought back, kept by us while somebody is away."""

    state: str
    nonce: str
    verifier: str
    #: Where they come back to, as the provider is told twice.
    back: str
    #: The page that they wanted.
    to: str

    @classmethod
    def read(cls, text: str) -> Errand:
        """Out of what was kept."""
        return cls(**json.loads(text))

    def text(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self))


@dataclass(slots=True)
class Provider:
    """The site's identity provider."""

    settings: Oidc

    def errand(self, back: str, to: str) -> Errand:
        """A new way there and back."""
        return Errand(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), back, to)

    def address(self, errand: Errand) -> str:
        """Where the browser is sent.  Raises SystemUnreachable, BadConfiguration."""
        session = self._session(errand)
        url, _ = session.create_authorization_url(
            self._offer(session)["authorization_endpoint"],
            state=errand.state,
            nonce=errand.nonce,
            code_verifier=errand.verifier,
        )
        return str(url)

    def name(self, errand: Errand, state: str, code: str, now: datetime) -> str:
        """Who came back, by the name they have here.  Raises WrongLogin, SystemUnreachable, BadConfiguration."""
        if not code or not hmac.compare_digest(state.encode(), errand.state.encode()):
            raise WrongLogin("the identity provider's answer is not ours", what_zh="统一认证的应答无效，请重新登录")
        session = self._session(errand)
        offer = self._offer(session)
        claims = self._claims(session, offer, errand, code, now)
        name = claims.get(self.settings.claim)
        if not isinstance(name, str) or not name:
            raise BadConfiguration(
                f"the identity provider tells no {self.settings.claim}",
                what_zh=f"统一认证未提供 {self.settings.claim}",
                hint="set people.oidc.claim to a claim of its ID token",
                hint_zh="请把 people.oidc.claim 设为 ID Token 中的用户名字段",
            )
        return name

    def _session(self, errand: Errand) -> Any:
        try:
            from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
        except ImportError as error:
            raise BadConfiguration(
                "people.oidc needs authlib",
                what_zh="people.oidc 需要安装 authlib",
                hint="install the extra `oidc`",
                hint_zh="请安装可选组件 oidc",
            ) from error
        return OAuth2Session(
            self.settings.client_id,
            secret(self.settings.secret),
            scope="openid profile",
            redirect_uri=errand.back,
            code_challenge_method="S256",
        )

    def _offer(self, session: Any) -> dict[str, Any]:
        """What the provider says of itself."""
        issuer = self.settings.issuer.rstrip("/")
        offer = self._get(session, f"{issuer}/.well-known/openid-configuration")
        if str(offer.get("issuer", "")).rstrip("/") != issuer:
            raise BadConfiguration(
                "the identity provider calls itself otherwise", what_zh="统一认证的 issuer 与配置不符"
            )
        return offer

    def _get(self, session: Any, url: str) -> dict[str, Any]:
        import requests

        try:
            answer = session.request("GET", url, withhold_token=True, timeout=_SECONDS)
            answer.raise_for_status()
            told: dict[str, Any] = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise SystemUnreachable("the identity provider does not answer", what_zh="统一认证服务无应答") from error
        return told

    def _claims(self, session: Any, offer: dict[str, Any], errand: Errand, code: str, now: datetime) -> dict[str, Any]:
        import requests
        from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            token = session.fetch_token(
                offer["token_endpoint"], code=code, code_verifier=errand.verifier, timeout=_SECONDS
            )
            keys = KeySet.import_key_set(self._get(session, offer["jwks_uri"]))  # type: ignore[arg-type]
            claims = jwt.decode(token["id_token"], keys, algorithms=_ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=_LEEWAY,
                iss={"essential": True, "value": offer["issuer"]},
                aud={"essential": True, "value": self.settings.client_id},
                exp={"essential": True},
                nonce={"essential": True, "value": errand.nonce},
            ).validate(claims)
        except requests.RequestException as error:
            raise SystemUnreachable("the identity provider does not answer", what_zh="统一认证服务无应答") from error
        except (AuthlibBaseError, JoseError, KeyError, ValueError) as error:
            raise WrongLogin("the identity provider vouches for nobody", what_zh="统一认证未通过") from error
        return dict(claims)
