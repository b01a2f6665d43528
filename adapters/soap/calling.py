"""Calling somebody's SOAP service by the WSDL that lies beside the settings; foreign errors in our names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import requests
import zeep
from pydantic import Field, PositiveFloat
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import Fault, TransportError
from zeep.helpers import serialize_object
from zeep.wsse.username import UsernameToken

from adapters.base import AdapterSettings
from standards.errors import (
    AnswerNotUnderstood,
    BadConfiguration,
    BadSetup,
    NotAllowed,
    SystemBusy,
    SystemUnreachable,
    Temporary,
)


class SoapCallSettings(AdapterSettings):
    """What every caller of a SOAP service can be told."""

    wsdl: str = Field(
        min_length=1,
        description="WSDL file on this machine; an absolute path is best.",
        examples=["/etc/hub/old-system.wsdl"],
    )
    url: str = Field(
        pattern=r"^https?://",
        description="Address of the service; wins over the one in the WSDL.",
        examples=["http://10.1.2.3:8080/services/Case"],
    )
    binding: str = Field("", description="Binding, {namespace}name; empty: the first.")
    user: str = Field("", description="WS-Security UsernameToken: name.")
    password: str = Field(
        "", pattern=r"^$|^(env|file):", description="Its password, by reference: env:NAME or file:/path."
    )
    digest: bool = Field(False, description="Send the password as a digest.")
    connect_seconds: PositiveFloat = Field(10, description="Longest wait for a connection.")
    answer_seconds: PositiveFloat = Field(60, description="Longest wait for an answer.")
    ca_file: str = Field("", description="Certificates to trust instead of the machine's own.")
    lenient: bool = Field(False, description="Read answers that do not quite fit the WSDL; what is not in it is lost.")


class SoapService:
    """A service that can be called; not shared between threads."""

    def __init__(self, settings: SoapCallSettings, password: str) -> None:
        self._s = settings
        self._password = password
        self._session = requests.Session()
        self._session.verify = settings.ca_file or True
        self._service: Any = None
        self._host = settings.url.split("/")[2]

    def call(self, operation: str, arguments: Mapping[str, str]) -> Any:
        """Call an operation; the answer as plain values.

        Raises SystemUnreachable (`answer_lost` when the request may have gone out), SystemBusy, Temporary, NotAllowed,
        BadSetup, BadConfiguration, AnswerNotUnderstood.
        """
        called = self._operation(operation)
        host = self._host
        try:
            return serialize_object(called(**arguments), dict)
        except Fault as error:
            raise Temporary(
                f"{host} answers with a fault: {error.message}"[:300], what_zh=f"{host} 返回 SOAP 错误"
            ) from error
        except TransportError as error:
            raise _status(host, error.status_code) from error
        except requests.ConnectTimeout as error:
            raise SystemUnreachable(f"{host}: {type(error).__name__}", what_zh=f"{host} 无法连接") from error
        except (requests.ConnectionError, requests.Timeout) as error:
            # requests does not say whether the request went out, unless the connection was refused.
            lost = "refused" not in str(error).lower() and "resolve" not in str(error).lower()
            raise SystemUnreachable(
                f"{host}: {type(error).__name__}", what_zh=f"{host} 无法连接", answer_lost=lost
            ) from error
        except TypeError as error:
            raise BadConfiguration(
                f"the arguments do not fit: {error}"[:300], what_zh="调用参数与 WSDL 不符"
            ) from error
        except (ZeepError, ValueError, AttributeError) as error:  # zeep stumbles over what is no XML at all
            raise AnswerNotUnderstood(f"{host}: {error}"[:300], what_zh=f"{host} 的应答与 WSDL 不符") from error

    def offers(self, operations: Iterable[str]) -> str:
        """See that the service answers and the WSDL has these operations; nothing is called."""
        names = list(operations)
        for name in names:
            self._operation(name)
        try:
            status = self._session.get(
                self._s.url, timeout=(self._s.connect_seconds, self._s.answer_seconds)
            ).status_code
        except requests.RequestException as error:
            raise SystemUnreachable(
                f"{self._host}: {type(error).__name__}", what_zh=f"{self._host} 无法连接"
            ) from error
        return f"{self._s.url}: HTTP {status}; {', '.join(names)}"

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _operation(self, name: str) -> Any:
        if self._service is None:
            timeouts = (self._s.connect_seconds, self._s.answer_seconds)
            transport = zeep.Transport(session=self._session, operation_timeout=timeouts)
            token = UsernameToken(self._s.user, self._password, use_digest=self._s.digest) if self._s.user else None
            if not Path(self._s.wsdl).is_file():
                raise BadConfiguration(f"no file {self._s.wsdl}", what_zh=f"没有 WSDL 文件 {self._s.wsdl}")
            try:
                client = zeep.Client(
                    self._s.wsdl,
                    wsse=token,
                    transport=transport,
                    plugins=[] if self._s.lenient else [_Announced()],
                    settings=zeep.Settings(strict=not self._s.lenient),
                )
                binding = self._s.binding or str(next(iter(client.wsdl.bindings)))
                self._service = client.create_service(binding, self._s.url)
                getattr(self._service, name)
            except (ZeepError, ValueError, AttributeError, StopIteration) as error:
                self._service = None
                raise BadConfiguration(
                    f"{self._s.wsdl} does not offer {name}: {error}",
                    what_zh=f"WSDL 中没有可用的操作 {name}",
                ) from error
        return getattr(self._service, name)


class _Announced(zeep.Plugin):
    """The answer must be what the WSDL announces: zeep itself takes anything else for an empty answer."""

    def ingress(self, envelope: Any, http_headers: Any, operation: Any) -> tuple[Any, Any]:
        """Look at the first element of the body."""
        body = envelope.find("{*}Body")
        found = None if body is None else next(iter(body), None)
        expected = getattr(operation.output.body, "qname", None)
        if found is None or (
            expected is not None
            and not str(found.tag).endswith("}Fault")
            and found.tag not in (expected.text, expected.localname)
        ):
            raise AnswerNotUnderstood(
                f"not the answer that the WSDL announces ({expected})", what_zh="应答不是 WSDL 所声明的元素"
            )
        return envelope, http_headers


def _status(host: str, status: int) -> Exception:
    if status < 300:
        return AnswerNotUnderstood(f"{host} answered no XML", what_zh=f"{host} 的应答不是 XML")
    said, said_zh = f"{host} answered {status}", f"{host} 返回状态码 {status}"
    if status in (401, 403):
        return NotAllowed(said, what_zh=said_zh)
    if status in (429, 503):
        return SystemBusy(said, what_zh=said_zh)
    return Temporary(said, what_zh=said_zh) if status >= 500 else BadSetup(said, what_zh=said_zh)
