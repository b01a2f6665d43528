"""Runs a command beside PostgreSQL and RabbitMQ:  python -m tests.services run -- COMMAND...

The command finds them in HUB_TEST_POSTGRES_URL, HUB_TEST_AMQP_URL and HUB_TEST_AMQP_MANAGEMENT_URL (an empty database
and virtual host of its own); PostgreSQL writes through, as in production.  The command's exit code is ours.
Everything is stopped and removed afterwards.
"""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.services.host import Facts, ServiceHost
from tests.services.postgres import Databases
from tests.services.rabbitmq import VirtualHosts

WRONG_USE = 2


def main(words: list[str]) -> int:
    match words:
        case ["run", "--", *command] if command:
            return run(command)
    print(__doc__, file=sys.stderr)
    return WRONG_USE


def run(command: list[str]) -> int:
    host = ServiceHost(durable=True)
    # However we are asked to end, the servers end with us: a request to terminate unwinds like Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with ThreadPoolExecutor() as pool:
            postgres, rabbitmq = pool.map(host.need, ["postgres", "rabbitmq"])
        for facts in (postgres, rabbitmq):
            if "failed" in facts:
                print(facts["failed"], file=sys.stderr)
                return WRONG_USE
        return _run_beside(command, postgres, rabbitmq)
    finally:
        host.close()


def _run_beside(command: list[str], postgres: Facts, rabbitmq: Facts) -> int:
    databases = Databases(postgres["url"])
    vhosts = VirtualHosts(rabbitmq["url"], rabbitmq["management_url"])
    database, vhost = databases.create(), vhosts.create()
    found = {
        "HUB_TEST_POSTGRES_URL": database,
        "HUB_TEST_AMQP_URL": vhost,
        "HUB_TEST_AMQP_MANAGEMENT_URL": rabbitmq["management_url"],
    }
    child = subprocess.Popen(command, env=os.environ | found)
    try:
        return _wait(child)
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
        databases.drop(database)
        vhosts.delete(vhost)


def _wait(child: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # the terminal has told the child too; let it end in its own way
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
