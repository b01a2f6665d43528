"""Channel `soap`: a system calls our SOAP service (`POST /soap`, `GET /soap?wsdl`), document/literal, SOAP 1.1 or 1.2.

Operations: `submit` (records as named fields), `submitXml` (for suppliers who send one string: a whole XML, JSON or CSV
text), `getReceipt`, `fetch` and `confirm` (the mailbox), `sendParcel` (a CloudEvent of another hub).  The party's key
stands in the element `key`, in a WS-Security UsernameToken (as its password) or in the header `Authorization`.  Every
refusal is the declared fault `HubFault`, with the same content as the problem documents of the HTTP interface.
"""

from __future__ import annotations

from adapters.base import AdapterSettings, Manifest


class SoapSettings(AdapterSettings):
    """Nothing to set: keys belong to the party (`hub key new`)."""


MANIFEST = Manifest(
    name="soap",
    title="SOAP 服务",
    title_en="called over SOAP",
    source_settings=SoapSettings,
    pushed=True,
    about=__doc__ or "",
)
