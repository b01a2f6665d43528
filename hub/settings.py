"""Everything an operator can set, in `hub.toml`.  One description per word feeds parser, linter and reference page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from hub.alarms.settings import Alarms, CanarySettings, CanaryWay
from hub.setting_words import Duration, Name, SecretReference
from hub.setting_words import Part as _Part
from standards.model import Direction, Library, Severity
from standards.rights import Role

Level = Literal["district", "city", "province", "nation"]

Stage = Literal["survey", "connecting", "joint_test", "live"]

#: Levels from below to above; a city never writes to the nation (DOMAIN 7.3).
LEVELS: tuple[Level, ...] = ("district", "city", "province", "nation")


class Hub(_Part):
    """Who this hub is."""

    name: Name = Field(description="Short name; part of every parcel's origin.")
    title: str = Field(description="Name for people.")
    level: Level = Field(description="Administrative level of this hub.")
    region: str = Field(pattern=r"^\d{6}$", description="GB/T 2260 code of its area.")
    code: str = Field(description="Credit code of the organisation that runs it.")
    state: str = Field("state", description="Folder for what the hub keeps beside the ledger.")
    site: str = Field("", description="Folder with own mappings, standards and year calendars; searched first.")
    public_url: str = Field("", description="Address under which others reach this hub.")


class LedgerSettings(_Part):
    """Where the ledger is."""

    url: str = Field("", description="SQLAlchemy URL; empty: SQLite in the state folder.")
    url_secret: SecretReference | None = Field(None, description="Where to find the URL when it holds a password.")
    key: SecretReference | None = Field(
        None, description="Key (32 hex digits) that content is encrypted with, SM4-GCM."
    )
    pool: PositiveInt = Field(12, description="Connections of one process.")


class BrokerSettings(_Part):
    """What carries messages."""

    url: str = Field("", description="amqp:// address; empty: the ledger's own outbox (embedded).")
    url_secret: SecretReference | None = Field(None, description="Where to find the address when it holds a password.")
    prefix: str = Field("", pattern=r"^[a-z0-9.-]*$", description="Put before every exchange and queue name.")
    confirm_window: PositiveInt = Field(256, description="Messages published before their confirms are awaited.")


class ApiSettings(_Part):
    """The HTTP door."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: NonNegativeInt = Field(8080, le=65535, description="Port; 0 takes a free one.")
    max_body_mb: PositiveInt = Field(4096, description="Largest hand-over taken.")
    max_wait: Duration = Field(timedelta(seconds=60), description="Longest `wait` a caller may ask for.")
    processes: PositiveInt = Field(1, description="API processes (PostgreSQL ledger only).")


class WorkerSettings(_Part):
    """How many hands."""

    translate: PositiveInt = Field(1, description="Translate processes (threads on SQLite).")
    dispatch: PositiveInt = Field(1, description="Dispatch processes (threads on SQLite).")
    threads: PositiveInt = Field(2, description="Parcels sent to one destination at the same time, per process.")
    lease: Duration = Field(timedelta(seconds=60), description="After this a silent worker's work is given to another.")


class Party(_Part):
    """An organisation that takes part."""

    title: str = Field(description="Full name.")
    code: str = Field(description="Unified social credit code.")
    kind: Literal["department", "platform", "hub", "enterprise", "third-party"] = Field(
        "department", description="What it is; third parties and enterprises are trusted less."
    )
    region: str = Field("", description="GB/T 2260 code; the hub's if empty.")
    level: Level | None = Field(None, description="Its level when it is a hub or platform of another level.")
    contacts: tuple[str, ...] = Field((), description="Named administrators (article 28).")


class Connection(_Part):
    """One configured use of an adapter by a party, for handing data over to us."""

    party: Name = Field(description="Who hands over.")
    title: str = Field("", description="Name for people.")
    adapter: str = Field("rest", description="Channel or system: rest, file, …")
    mapping: str = Field("", description="Mapping `<system>/<file>`; empty: the records are in the standard's words.")
    dataset: str = Field("", description="Data set when there is no mapping.")
    lane: Literal["auto", "now", "bulk"] = Field("auto", description="auto: small hand-overs overtake large ones.")
    report_way: Literal["0", "1", "2", "3", "4"] = Field("4", description="CL_REPORT_WAY.")
    owner: str = Field("", description="Credit code of the organisation the data belongs to; the party's if empty.")
    read: dict[str, Any] = Field({}, description="Reading options; they win over the mapping's.")
    settings: dict[str, Any] = Field({}, description="Settings of the adapter.")
    max_mb: PositiveInt | None = Field(None, description="Largest hand-over of this connection.")
    paused: bool = Field(False, description="Take nothing in for now.")
    tasks: bool | tuple[str, ...] = Field(
        False,
        description="Its accepted records open tasks that must be answered, or which flows (docs/reference/flows.md).",
    )
    test: bool = Field(False, description="What comes in is test traffic: judged and answered, never data.")
    stage: Stage = Field(
        "live", description="摸底, 对接中, 联调, 上线: before it is live, what comes in is test traffic."
    )

    @property
    def is_test(self) -> bool:
        """True when what comes in is test traffic."""
        return self.test or self.stage != "live"


class Retry(_Part):
    """Patience with a destination."""

    waits: tuple[Duration, ...] = Field(
        tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 900, 3600, 3600 * 3)),
        min_length=1,
        description="Waits between attempts; the last one repeats.",
    )
    jitter: float = Field(0.2, ge=0, le=1, description="Share of a wait that is left to chance.")
    give_up: Duration = Field(timedelta(days=5), description="Older parcels are parked and open a case.")
    probe: Duration = Field(timedelta(seconds=30), description="Between two probes of a destination that is down.")


class Destination(_Part):
    """Where records are delivered."""

    party: Name = Field(description="Who receives.")
    title: str = Field("", description="Name for people.")
    adapter: str = Field(description="Channel or system: rest_push, table, file, upper_platform, …")
    direction: Direction = Field(Direction.UP, description="UP is towards the nation.")
    settings: dict[str, Any] = Field({}, description="Settings of the adapter.")
    parcel: PositiveInt = Field(500, le=5000, description="Records in one parcel at most.")
    idempotent: Literal["id", "key", "query", "none"] = Field(
        "id", description="How the receiver keeps a repeat from doubling: by parcel id, by key, if asked, or not."
    )
    receipt_due: Duration = Field(timedelta(hours=24), description="When a receipt that comes later is overdue.")
    retry: Retry = Field(Retry(), description="Patience with it.")
    paused: bool = Field(False, description="Keep its parcels waiting.")
    canary: CanaryWay = Field(
        "auto",
        description="How far test records go: through to it and back, to its connection only, not at all; "
        "auto: as far as is harmless with its adapter.",
    )
    tasks: bool = Field(
        False,
        description="What its party must answer goes here, and the answers to what it sent (docs/reference/flows.md).",
    )
    shared: bool = Field(
        False, description="Only what grants allow leaves for it, record by record and element by element (hub grant)."
    )
    zone: Literal["government", "internet"] = Field(
        "government", description="internet: only elements that owners released go there, never personal ones."
    )


class Route(_Part):
    """Which records go to whom."""

    to: tuple[Name, ...] = Field(min_length=1, description="Destinations.")
    datasets: tuple[str, ...] = Field((), description="Data sets; empty: all.")
    libraries: tuple[Library, ...] = Field((), description="Target libraries of data sets; empty: all.")
    parties: tuple[Name, ...] = Field((), description="Whose records; empty: everybody's.")
    connections: tuple[Name, ...] = Field((), description="Which connections' records; empty: all.")
    attachments: Literal["forward", "reference", "no"] = Field(
        "reference", description="Of what its records name the receiver may fetch it, is told of it, or neither."
    )
    when: str = Field("", description="Expression over the record; empty: always.")


class Duty(_Part):
    """Who is responsible for what (articles 11 and 28): tasks that name nobody are handed on by it."""

    party: Name = Field(description="Who is responsible; the hub below where the organisation is one of its own.")
    items: tuple[str, ...] = Field((), description="Supervision item codes, or their beginnings; empty: all.")
    industries: tuple[str, ...] = Field((), description="GB/T 4754 codes, or their beginnings; empty: all.")
    regions: tuple[str, ...] = Field((), description="GB/T 2260 codes; 140200 stands for all below it; empty: all.")
    flows: tuple[str, ...] = Field((), description="Kinds of task (standards/flows); empty: all.")
    leader: str = Field("", description="责任领导 the named leader.")
    organ: str = Field("", description="责任机构 the named organ.")
    person: str = Field("", description="责任人 the named person.")


class SourcePriority(_Part):
    """一数一源: whose word counts when several parties report the same record."""

    datasets: tuple[str, ...] = Field(min_length=1, description="Data sets; each in one priority only.")
    parties: tuple[Name, ...] = Field(
        min_length=1, description="Sources, the most authoritative first; who is not named comes last."
    )
    lower: Literal["hold", "reject"] = Field(
        "hold", description="What becomes of a record whose key a more authoritative source holds (20002.authority)."
    )


class LookupSettings(_Part):
    """A base that records are compared with: legal entities, population, addresses."""

    party: Name = Field(description="Who keeps it.")
    title: str = Field(description="Name for people, told in findings: 市法人库.")
    adapter: str = Field(description="table_lookup, rest_lookup, …")
    settings: dict[str, Any] = Field({}, description="Settings of the adapter.")
    seconds: Duration = Field(timedelta(seconds=20), description="A call that takes longer counts as not answered.")
    remember: Duration = Field(timedelta(minutes=10), description="How long an answer is good.")
    rest: Duration = Field(timedelta(seconds=30), description="Pause before it is asked again after it did not answer.")
    again: Duration = Field(timedelta(minutes=10), description="How often it is asked again for what it did not know.")


class LookupRule(_Part):
    """Records of these data sets are looked up, a whole chunk at once."""

    lookup: Name = Field(description="Which base is asked.")
    datasets: tuple[str, ...] = Field(min_length=1, description="Data sets.")
    key: tuple[str, ...] = Field(min_length=1, description="Elements whose values are the key there; none empty.")
    when: str = Field("", description="Expression over the record; empty: always.")
    unmatched: Literal["hold", "warn", "reject"] = Field("hold", description="What an unknown key does.")
    compare: dict[str, str] = Field({}, description="Element and the field there that must say the same.")
    different: Literal["hold", "warn", "reject"] = Field("warn", description="What another value there does (20005).")
    fill: dict[str, str] = Field({}, description="Element and the field there it is filled from where it is empty.")


class Release(_Part):
    """What an owner lets out to destinations of the internet zone.  What no release names never goes there."""

    owner: str = Field(description="Party, or credit code of the organisation, whose data it is.")
    datasets: tuple[str, ...] = Field(min_length=1, description="Data sets.")
    elements: tuple[str, ...] = Field(
        (), description="Elements that may go, the key among them; none: the release is taken back, only deletions go."
    )
    to: tuple[Name, ...] = Field((), description="Destinations of the internet zone; empty: all of them.")


class ViaProvince(_Part):
    """Data that already goes up through a department's own provincial system (article 17): not taken a second time."""

    datasets: tuple[str, ...] = Field(min_length=1, description="Data sets.")
    owners: tuple[str, ...] = Field((), description="Credit codes of the organisations it concerns; empty: all.")
    through: str = Field(description="The provincial system it goes through, told in the refusal.")


class Limits(_Part):
    """Bounds that keep one hand-over from harming the others."""

    findings: PositiveInt = Field(200_000, description="Findings kept of one hand-over; counts go on.")
    now_kib: PositiveInt = Field(64, description="A hand-over of at most so many KiB overtakes bulk.")


class Retention(_Part):
    """How long things are kept.  Nothing is deleted while its delivery, task or case is open."""

    content: Duration = Field(timedelta(days=396), description="Raw bytes and content.")
    metadata: Duration = Field(timedelta(days=1827), description="Keys, digests, receipts, findings.")
    journal: Duration = Field(timedelta(days=1827), ge=timedelta(days=180), description="Journal; at least 180 days.")
    idempotency: Duration = Field(timedelta(days=730), description="Submission ids.")


class Expectation(_Part):
    """What must be reported in every period; what is missing is a case 未报送 of its party."""

    datasets: tuple[str, ...] = Field(min_length=1, description="Data sets, each by itself.")
    parties: tuple[Name, ...] = Field(min_length=1, description="Who reports.")
    every: Literal["day", "week", "month", "quarter", "year"] = Field(
        "month", description="The period; `day` means every working day."
    )
    at_least: PositiveInt = Field(1, description="Records in a period at least.")
    grace: NonNegativeInt = Field(0, description="Working days after its end before it counts as missing.")
    since: str = Field("", pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="First day that is looked at.")


class Cases(_Part):
    """Deadlines of what went wrong."""

    working_days: PositiveInt = Field(5, description="To dispose of and re-report (article 14 of the Datong rules).")
    approve_repairs: bool = Field(False, description="A repair runs only when a second person has approved it.")
    hold: Duration = Field(timedelta(days=2), description="How long a record may be held before it becomes a case.")
    silence: float = Field(
        3.0, ge=1.5, description="A feed is silent after so many times the longest of its usual pauses (working time)."
    )
    silence_least: Duration = Field(timedelta(hours=2), description="No feed is called silent sooner than this.")


class Reconciliation(_Part):
    """Comparing with other hubs, centres and senders."""

    at: str = Field(
        "02:30", pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$", description="When it runs every day; empty: never by itself."
    )
    hubs: tuple[Name, ...] = Field((), description="Destinations compared record by record; empty: all that are hubs.")
    watermark: Duration = Field(
        timedelta(seconds=30), description="What changed in so long is under way, and no difference."
    )
    reports: str = Field(
        "",
        description="Connection through which our own reconciliation_report of the day before is handed in; or none.",
    )
    centres: tuple[Name, ...] = Field((), description="Destinations that these reports are about.")
    digests: bool = Field(
        False, description="A centre's digest of the detail must be ours too (docs/operators.md says over what it is)."
    )
    again: Duration = Field(timedelta(days=62), description="How long what does not agree is looked at again.")


class Evaluation(_Part):
    """How parties are scored in reports (articles 35 and 42 to 46)."""

    weights: dict[Literal["correct", "in_time", "covered", "disposed"], NonNegativeFloat] = Field(
        {"correct": 40.0, "in_time": 30.0, "covered": 10.0, "disposed": 20.0},
        description="What the score weighs: records not rejected, records within their term, main items covered, "
        "cases closed in time. What cannot be told does not count.",
    )
    rectify_days: PositiveInt = Field(5, description="Working days a notice to rectify gives: our profile.")


class Attachments(_Part):
    """Files that records name: evidence, records of the whole course."""

    max_mb: PositiveInt = Field(100, description="Largest one taken.")
    scan: tuple[str, ...] = Field(
        (), description="Command that looks through a file, its path put last; 0 clean, 1 refused, else it failed."
    )
    scan_seconds: Duration = Field(timedelta(seconds=60), description="Longest time of the scanner.")


class Trace(_Part):
    """Spans of the work on each hand-over, for OpenTelemetry (extra `otel`)."""

    endpoint: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        description="Address of the collector, OTLP over HTTP, as http://collector:4318/v1/traces; empty: "
        "OTEL_EXPORTER_OTLP_ENDPOINT of the environment, else no spans.",
    )
    share: float = Field(1.0, ge=0, le=1, description="Share of the traces that begin here which is recorded.")


class Onboarding(_Part):
    """When a connection may go live."""

    required: bool = Field(False, description="A connection is live only after a conformance run that it passed.")
    records: PositiveInt = Field(10, description="Records in the sample of a conformance run at least.")
    accepted: float = Field(0.95, gt=0, le=1, description="Share of them that must be accepted.")


class Oidc(_Part):
    """Logging in at the site's own identity provider (OpenID Connect); needs the extra `oidc`."""

    issuer: str = Field(pattern=r"^https?://", description="Its address; what it offers is read from there.")
    client_id: str = Field(description="How this hub is known there.")
    secret: SecretReference = Field(description="Where to find the secret it gave this hub.")
    claim: str = Field("preferred_username", description="Which claim says the name that the person has here.")
    title: str = Field("单位统一认证", description="What the button says.")


class People(_Part):
    """People who log in."""

    keys_may_log_in: bool = Field(
        True, description="A key opens the pages for a unit; turn it off once everybody has a name here."
    )
    password_length: int = Field(12, ge=8, le=64, description="Characters of a password at least.")
    password_kinds: int = Field(
        3, ge=1, le=4, description="Of small letters, capitals, digits and others so many at least."
    )
    password_days: NonNegativeInt = Field(90, description="Days after which a password must be changed; 0: never.")
    lock_after: PositiveInt = Field(5, description="Failed log-ins until a name must wait.")
    lock_first: Duration = Field(timedelta(minutes=1), description="The first wait; each further failure doubles it.")
    lock_longest: Duration = Field(timedelta(hours=1), description="The longest wait.")
    idle: Duration = Field(timedelta(minutes=30), description="A session ends when nothing came so long.")
    longest: Duration = Field(timedelta(hours=12), description="A session ends after this in any case.")
    second_factor: tuple[Role, ...] = Field((), description="Roles that must have a second factor (TOTP).")
    oidc: Oidc | None = Field(None, description="The site's identity provider.")


class Settings(_Part):
    """The whole of hub.toml."""

    hub: Hub = Field(description="Who this hub is.")
    ledger: LedgerSettings = Field(LedgerSettings(), description="Where the ledger is.")
    broker: BrokerSettings = Field(BrokerSettings(), description="What carries messages.")
    api: ApiSettings = Field(ApiSettings(), description="The HTTP door.")
    workers: WorkerSettings = Field(WorkerSettings(), description="How many hands.")
    people: People = Field(People(), description="People who log in.")
    parties: dict[Name, Party] = Field({}, description="Organisations that take part.")
    connections: dict[Name, Connection] = Field({}, description="What is handed over to us, and how.")
    destinations: dict[Name, Destination] = Field({}, description="Where records are delivered.")
    routes: tuple[Route, ...] = Field((), description="Which records go to whom.")
    duties: tuple[Duty, ...] = Field((), description="Who is responsible for what.")
    source_priority: tuple[SourcePriority, ...] = Field((), description="Whose word counts (一数一源).")
    lookups: dict[Name, LookupSettings] = Field({}, description="Bases that records are compared with.")
    checks_by_lookup: tuple[LookupRule, ...] = Field((), description="What is looked up, and what follows.")
    releases: tuple[Release, ...] = Field((), description="What owners let out to the internet zone.")
    via_province: tuple[ViaProvince, ...] = Field((), description="What goes up another way and is not taken twice.")
    severities: dict[str, Severity] = Field({}, description="Finding code, or `data set:code`: how serious it is here.")
    references: dict[str, Literal["off", "warn", "hold", "reject"]] = Field(
        {}, description="`data set.element`, a data set, or `default`: what an unknown reference does."
    )
    foreign_key: Literal["hold", "reject", "allow"] = Field(
        "hold", description="What becomes of a natural key that another owner holds (20002)."
    )
    limits: Limits = Field(Limits(), description="Bounds.")
    retention: Retention = Field(Retention(), description="How long things are kept.")
    cases: Cases = Field(Cases(), description="Deadlines.")
    expectations: tuple[Expectation, ...] = Field((), description="What must be reported, and how often.")
    reconciliation: Reconciliation = Field(Reconciliation(), description="Comparing with others, daily.")
    evaluation: Evaluation = Field(Evaluation(), description="How parties are scored.")
    attachments: Attachments = Field(Attachments(), description="Files that records name.")
    onboarding: Onboarding = Field(Onboarding(), description="When a connection may go live.")
    canary: CanarySettings = Field(CanarySettings(), description="Test records that show whether the ways are open.")
    alarms: Alarms = Field(Alarms(), description="Who is told of what, and how.")
    trace: Trace = Field(Trace(), description="Spans for OpenTelemetry.")
    republish: PositiveFloat = Field(10.0, description="Seconds after which what nobody took is published again.")
