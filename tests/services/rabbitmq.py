"""A private RabbitMQ node, and fresh virtual hosts on it or on the broker that AMQP_URL names."""

import base64
import json
import os
import secrets
import shutil
import signal
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from tests.services.ports import LOOPBACK, answers, free_port
from tests.services.process import Servant, ServerProcess, ServiceFailed

USER = "hub"
START_SECONDS = 120
#: Debian's script itself; the one on PATH changes the user on its own and reads the system's settings.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
CONTROL = SERVER.with_name("rabbitmqctl")

# No busy waiting (two cores are shared with the tests), nothing to be reached from outside.
ERLANG_ARGUMENTS = "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"


class Management:
    """The management API of a broker: what tests cannot ask for by AMQP."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        login = f"{unquote(parts.username or 'guest')}:{unquote(parts.password or 'guest')}"
        self._authorization = "Basic " + base64.b64encode(login.encode()).decode()
        self._base = f"{parts.scheme}://{parts.hostname}:{parts.port}/api/"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer; raises urllib's errors."""
        headers = {"Authorization": self._authorization, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._base + path, data=data, method=method, headers=headers)
        with urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def create_vhost(self, name: str) -> None:
        self.ask("PUT", f"vhosts/{quote(name, safe='')}", {})

    def delete_vhost(self, name: str) -> None:
        try:
            self.ask("DELETE", f"vhosts/{quote(name, safe='')}")
        except HTTPError as error:
            if error.code != 404:
                raise

    def queues(self, vhost: str) -> list[str]:
        return [queue["name"] for queue in self.ask("GET", f"queues/{quote(vhost, safe='')}?columns=name")]

    def is_ready(self) -> bool:
        try:
            return bool(self.ask("GET", "whoami"))
        except (URLError, OSError):
            return False


class RabbitNode:
    """One node with its own folder, ports and port mapper (epmd), so that any number can stand beside each other."""

    def __init__(self) -> None:
        if not SERVER.exists():
            # AMQP_URL stands in for the shared node only, not for one that a test stops and kills.
            raise ServiceFailed("no RabbitMQ server is installed: './run setup' brings it")
        self._servant = Servant("rabbitmq")
        self._folder = self._servant.new_folder("mq")
        self._password = secrets.token_hex(16)
        self.port, self._http_port, self._mapper_port, self._dist_port = (free_port() for _ in range(4))
        self._mapper: ServerProcess | None = None
        self._process: ServerProcess | None = None
        self._was_killed = False
        self._write(
            "rabbitmq.conf",
            f"listeners.tcp.1 = {LOOPBACK}:{self.port}",
            f"management.tcp.ip = {LOOPBACK}",
            f"management.tcp.port = {self._http_port}",
            f"default_user = {USER}",
            f"default_pass = {self._password}",
            "disk_free_limit.absolute = 50MB",
            "log.file.level = warning",
        )
        self._write("plugins", "[rabbitmq_management].")
        self._write(".erlang.cookie", secrets.token_hex(16), mode=0o400)

    def _write(self, name: str, *lines: str, mode: int = 0o600) -> None:
        path = self._folder / name
        path.write_text("\n".join(lines) + "\n")
        self._servant.own(path, mode=mode)

    @property
    def url(self) -> str:
        """The AMQP URL of the virtual host `/`."""
        return f"amqp://{USER}:{self._password}@{LOOPBACK}:{self.port}/%2F"

    @property
    def management_url(self) -> str:
        return f"http://{USER}:{self._password}@{LOOPBACK}:{self._http_port}"

    @property
    def management(self) -> Management:
        return Management(self.management_url)

    def start(self) -> None:
        if not (self._mapper and self._mapper.is_running):
            # Started by us and in the foreground: the one that Erlang would start hides and stays behind.
            self._mapper = ServerProcess(
                self._servant.command("epmd", "-port", str(self._mapper_port), "-address", LOOPBACK),
                log=self._folder / "epmd.log",
                farewell=signal.SIGKILL,
            )
            self._mapper.wait_until(lambda: answers(self._mapper_port), seconds=20, what="epmd")
        self._process = ServerProcess(
            self._servant.command(SERVER),
            log=self._folder / "server.log",
            farewell=signal.SIGTERM,
            environment=self._environment(),
        )
        self._process.wait_until(self._is_ready, seconds=START_SECONDS, what="RabbitMQ")

    def control(self) -> list[str]:
        """How this node's rabbitmqctl is called."""
        environment = [f"{name}={value}" for name, value in self._environment().items()]
        return self._servant.command("env", "-i", *environment, CONTROL)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": "hub@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_ARGUMENTS,
            # The script then becomes the server, instead of waiting for it and starting rabbitmqctl to end it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _is_ready(self) -> bool:
        return answers(self.port) and self.management.is_ready()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running

    def stop(self) -> None:
        """In good order; takes 6 s, of which the management plugin waits 5."""
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """SIGKILL, as a power cut would.

        RabbitMQ 3.10 leaves a quorum queue that was declared less than a second before for ever without a leader:
        each call on it then takes 65 s and ends in INTERNAL_ERROR (541).
        """
        if self._process:
            self._process.kill()
            self._was_killed = True

    def wait_for_queues(self, quiet: float = 2.0, seconds: float = 60.0) -> None:
        """Until there are queues and none was added for so long: none is too young to be killed (see `kill`)."""
        end = time.monotonic() + seconds
        names, since = self.management.queues("/"), time.monotonic()
        while not names or time.monotonic() - since < quiet:
            if time.monotonic() > end:
                raise ServiceFailed(f"the queues of the broker did not settle in {seconds} s: {names}")
            time.sleep(0.1)
            if (now := self.management.queues("/")) != names:
                names, since = now, time.monotonic()

    def wipe(self) -> None:
        """Deletes the data directory of a node that is not running: queues, messages, everything."""
        assert not self.is_running, "stop or kill the node before its data are deleted"
        shutil.rmtree(self._folder / "data", ignore_errors=True)
        self._was_killed = False

    def make_fresh(self) -> None:
        """Running, and with nothing in it: what a test may expect of a node that another test has ill-treated."""
        if not self.is_running or self._was_killed:
            # Half-made quorum queues outlive even the deletion of their virtual host.
            self.kill()
            self.wipe()
            self.start()
            return
        self.management.delete_vhost("/")
        self.management.create_vhost("/")

    def remove(self) -> None:
        self.kill()
        if self._mapper:
            self._mapper.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


class VirtualHosts:
    """Fresh virtual hosts on one broker: 15 ms each, so that every test can have its own."""

    def __init__(self, amqp_url: str, management_url: str) -> None:
        self._parts = urlsplit(amqp_url)
        self.management = Management(management_url)

    def create(self) -> str:
        """The AMQP URL of a new virtual host."""
        name = f"hub-test-{secrets.token_hex(6)}"
        self.management.create_vhost(name)
        return urlunsplit(self._parts._replace(path=f"/{name}"))

    def delete(self, url: str) -> None:
        self.management.delete_vhost(urlsplit(url).path.removeprefix("/"))


def management_beside(amqp_url: str) -> str:
    """Where a broker that we did not start has its management API: AMQP_MANAGEMENT_URL, or its usual port."""
    given = os.environ.get("AMQP_MANAGEMENT_URL")
    parts = urlsplit(amqp_url)
    login = parts.netloc.rpartition("@")[0] or "guest:guest"
    url = given or f"http://{login}@{parts.hostname}:15672"
    if not Management(url).is_ready():
        raise ServiceFailed(
            "AMQP_URL names a broker whose management API does not answer; tests need it for their own virtual hosts. "
            "Set AMQP_MANAGEMENT_URL, or unset AMQP_URL to have a private broker started."
        )
    return url
