"""Private RabbitMQ server, from Debian's packages in a directory of their own."""

import os
import secrets
import signal
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from app.bootstrap.services import SERVICES
from app.cli.ensure_certificate import self_signed
from tests.support.ports import free_port, wait_for
from tests.support.processes import children, descendants, suspended
from tests.support.tools import ROOT

if TYPE_CHECKING:
    import amqp

USER = "tests"

VHOSTS = 20
"""Virtual hosts made at once: each run of rabbitmqctl takes most of a second."""

ADD_VHOSTS = """
lists:foreach(fun(Number) ->
    Name = list_to_binary("test" ++ integer_to_list(Number)),
    ok = rabbit_vhost:add(Name, <<"{user}">>),
    ok = rabbit_auth_backend_internal:set_permissions(<<"{user}">>, Name, <<".*">>, <<".*">>, <<".*">>, <<"{user}">>)
end, lists:seq({first}, {last})).
"""

DATA = "/mnt"
"""Where the server sees its data; a directory that every Debian has."""

# In namespaces of its own: what is mounted is seen by the server alone, and whatever it starts, such as Erlang's name
# server, ends with it.
START = """
mount --bind "$HOST_DATA" "$ROOT_DIRECTORY/mnt"
mount -t proc proc "$ROOT_DIRECTORY/proc"
mount --rbind /dev "$ROOT_DIRECTORY/dev"
exec chroot "$ROOT_DIRECTORY" /usr/lib/rabbitmq/bin/rabbitmq-server
"""

CONFIGURATION = """
listeners.tcp.local = 127.0.0.1:{port}
listeners.ssl.local = 127.0.0.1:{tls_port}
ssl_options.certfile = {data}/tls.crt
ssl_options.keyfile = {data}/tls.key
management.ssl.ip = 127.0.0.1
management.ssl.port = {management_port}
management.ssl.certfile = {data}/tls.crt
management.ssl.keyfile = {data}/tls.key
management_agent.disable_metrics_collector = true
default_user = {user}
default_pass = {password}
log.file = false
vm_memory_high_watermark.absolute = 400MB
disk_free_limit.absolute = 50MB
"""


class RabbitMq:
    """A server of one node, which can be stopped and started again with its data.

    Tests have a virtual host each: RabbitMQ 4.0.5 may refuse to declare a queue that was deleted a moment before.

    Args:
        root: directory of the Debian root file system.
        folder: folder of its data, on this machine.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self.port, self.tls_port, self.management_port = free_port(), free_port(), free_port()
        self.log = folder / "server.log"
        self.vhost = "/"
        self._vhosts: list[str] = []
        self._made = 0
        self.password = secrets.token_urlsafe(12)
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "rabbitmq.conf").write_text(
            CONFIGURATION.format(
                port=self.port,
                tls_port=self.tls_port,
                management_port=self.management_port,
                data=DATA,
                user=USER,
                password=self.password,
            )
        )
        self.certificate = folder / "tls.crt"
        self.renew_certificate()
        (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        # The layer has a cookie of its own, which everybody knows.
        cookie = folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        self._variables = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": DATA,
            "ROOT_DIRECTORY": str(root),
            "HOST_DATA": str(folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_NODENAME": f"tests{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            # Erlang looks for changed files of certificates every two minutes, and here every second.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"
            " -ssl ssl_pem_cache_clean 1000",
            "RABBITMQ_CONFIG_FILE": f"{DATA}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{DATA}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{DATA}/mnesia",
            "RABBITMQ_LOG_BASE": f"{DATA}/log",
            "RABBITMQ_LOGS": "-",
        }

    @property
    def url(self) -> str:
        return self.url_of(USER, self.password)

    def url_of(self, user: str, password: str) -> str:
        return f"amqp://{user}:{password}@127.0.0.1:{self.port}/{quote(self.vhost, safe='')}"

    @property
    def tls_url(self) -> str:
        return self.url.replace("amqp://", "amqps://").replace(f":{self.port}/", f":{self.tls_port}/")

    def renew_certificate(self) -> None:
        """Replace certificate and key by new ones, which the server takes up within seconds."""
        for name, encoded in self_signed(["127.0.0.1"], datetime.now(UTC)).items():
            file = self._folder / name
            (self._folder / "new").write_bytes(b64decode(encoded))
            (self._folder / "new").rename(file)

    def use_new_vhost(self) -> None:
        """Change to a virtual host without any queue."""
        if not self._vhosts:
            first = self._made
            self._made += VHOSTS
            self.control("eval", ADD_VHOSTS.format(user=USER, first=first, last=self._made - 1))
            self._vhosts = [f"test{number}" for number in range(first, self._made)]
        self.vhost = self._vhosts.pop()

    def start(self) -> None:
        """Start the server, and wait until it accepts a log-in."""
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "sh", "-ec", START]
        if os.geteuid() != 0:
            words.insert(1, "--map-root-user")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(words, env=self._variables, stdout=log, stderr=log)
        try:
            wait_for(self._answers, "RabbitMQ answers", 120)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Shut the server down; its data stay. A queue of its last half second would not survive a kill of all nodes:
        the server writes down by then that it exists."""
        assert self._process is not None
        for process in descendants(self._first_process()):
            if Path(f"/proc/{process}/comm").read_text().strip() == "beam.smp":
                os.kill(process, signal.SIGTERM)
        self._process.wait(30)
        self._process = None

    def kill(self) -> None:
        """End all processes of the server at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Suspend all processes of the server, while the kernel keeps acknowledging packets."""
        with suspended(descendants(self._first_process())):
            yield

    def control(self, *arguments: str) -> str:
        """Run rabbitmqctl and return what it wrote."""
        words = ["nsenter", f"--target={self._first_process()}", "--mount", "--pid"]
        if os.geteuid() != 0:
            words += ["--user", "--preserve-credentials"]
        words += ["chroot", str(self._root), "/usr/lib/rabbitmq/bin/rabbitmqctl", "--quiet", *arguments]
        ended = subprocess.run(words, env=self._variables, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise RuntimeError(f"rabbitmqctl {arguments[0]}: {ended.stderr or ended.stdout}")
        return ended.stdout

    @contextmanager
    def channel(self) -> "Iterator[amqp.Channel]":
        """Yield a channel of the administrator's, whose messages are not confirmed."""
        from kombu import Connection

        with Connection(self.url) as connection:
            channel: Any = connection.channel()
            yield channel

    def depth(self, queue: str) -> int:
        """Return the number of messages in a queue that no consumer holds; 0 if there is no such queue."""
        from amqp.exceptions import NotFound

        with self.channel() as channel:
            try:
                declared = channel.queue_declare(queue, passive=True)
                return declared[1] if declared else 0
            except NotFound:
                return 0

    def clear(self) -> None:
        """Delete the exchange of events and the queues of services."""
        from app.core.events.topology import EVENTS, ServiceQueue

        with self.channel() as channel:
            for queue in map(ServiceQueue, SERVICES):
                channel.queue_delete(queue.name)
                channel.queue_delete(queue.dead_letters)
                channel.exchange_delete(queue.dead_letters)
            channel.exchange_delete(EVENTS)

    def _first_process(self) -> int:
        """Return the first process of the server's namespace."""
        assert self._process is not None
        [first] = children(self._process.pid)
        return first

    def _answers(self) -> bool:
        from kombu import Connection
        from kombu.exceptions import OperationalError

        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"RabbitMQ did not start:\n{self.log.read_text()[-2000:]}")
        connection = Connection(self.url, connect_timeout=5)
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
        except OperationalError:
            return False
        finally:
            connection.release()
        return True


@contextmanager
def rabbitmq() -> Iterator[RabbitMq]:
    """Run a server on free ports of 127.0.0.1; remove all its files afterwards."""
    command = (".venv/infra/bin/python", "-m", "local", "root", "rabbitmq")
    root = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    with TemporaryDirectory(prefix="rabbitmq-") as folder:
        server = RabbitMq(Path(root), Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()
