"""Receivers of alerts: a real Alertmanager sends to stand-ins of Slack, PagerDuty, a mail server and web hooks."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import pytest
import requests
import yaml

from infra.components.observability import alertmanager
from infra.components.observability.receivers import MAIL_FOLDER, SECRET_FOLDER, Email, MailServer, Routing
from infra.config.types import Receiver
from local.tools import go_tools
from monitoring import catalogue
from tests.support.ports import free_port, wait_for

KEYS = ("url", "slack-url", "pagerduty-key", "watchdog-url")
PASSWORD = "secret of the mail server"


@dataclass
class Received:
    """What each stand-in was sent: bodies by path, and mails with the log-in that came before them."""

    bodies: dict[str, list[Any]] = field(default_factory=dict)
    mails: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)

    def at(self, path: str) -> list[Any]:
        return self.bodies.get(path, [])


@contextmanager
def http_stand_in(received: Received) -> Iterator[str]:
    """A server that takes every POST; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.bodies.setdefault(self.path, []).append(body)
            self.send_response(202 if self.path == "/pagerduty" else 200)
            self.end_headers()
            self.wfile.write(b'{"status": "success"}' if self.path == "/pagerduty" else b"ok")

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name for it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _MailHandler(StreamRequestHandler):
    """SMTP that takes mails after STARTTLS and a log-in alone."""

    received: Received
    tls: ssl.SSLContext

    def handle(self) -> None:
        self.encrypted = False
        self.reply("220 stand-in")
        while line := self.rfile.readline().decode().strip():
            if not self.answer(*line.partition(" ")[::2]):
                return

    def reply(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def answer(self, command: str, rest: str) -> bool:
        match command.upper():
            case "EHLO":
                self.reply("250-stand-in", "250 AUTH PLAIN" if self.encrypted else "250 STARTTLS")
            case "STARTTLS":
                self.reply("220 go on")
                self.request = self.tls.wrap_socket(self.request, server_side=True)
                self.setup()
                self.encrypted = True
            case "AUTH":
                self.received.logins.append(base64.b64decode(rest.removeprefix("PLAIN ")).decode())
                self.reply("235 welcome")
            case "DATA":
                self.reply("354 go on")
                lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                self.received.mails.append("".join(lines))
                self.reply("250 taken")
            case "QUIT":
                self.reply("221 bye")
                return False
            case _:
                self.reply("250 well" if self.encrypted else "530 STARTTLS first")
        return True


@contextmanager
def mail_stand_in(taken: Received, context: ssl.SSLContext) -> Iterator[int]:
    """A mail server; yield its port."""

    class Handler(_MailHandler):
        received, tls = taken, context

    ThreadingTCPServer.allow_reuse_address = True
    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for this machine, signed by itself, with its key in one file."""
    path = tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", path, "-out", tmp_path / "only.pem"], check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "only.pem").read_text())
    return path


@dataclass(frozen=True)
class Running:
    """An Alertmanager.

    Args:
        address: where it answers.
        keys: the folder of its Secret.
        log: what it says.
    """

    address: str
    keys: Path
    log: Path

    def fire(self, *alerts: tuple[str, str]) -> None:
        """Raise alerts, each a name and a severity."""
        body = [
            {
                "labels": {"alertname": name, "severity": severity},
                "annotations": {"summary": f"{name} is so", "description": "Because.", "runbook_url": "https://r/x.md"},
            }
            for name, severity in alerts
        ]
        requests.post(f"{self.address}/api/v2/alerts", json=body, timeout=10).raise_for_status()


@contextmanager
def running(routing: Routing, folder: Path, certificate: Path, hooks: str) -> Iterator[Running]:
    """Run the program's Alertmanager, without its times to wait and with PagerDuty's address replaced."""
    keys, mail = folder / "keys", folder / "mail"
    for each in (keys, mail):
        each.mkdir()
    (mail / "password").write_text(PASSWORD)
    text = yaml.safe_dump(alertmanager.configuration(routing))
    config = yaml.safe_load(text.replace(SECRET_FOLDER, str(keys)).replace(MAIL_FOLDER, str(mail)))
    for route in (config["route"], *config["route"]["routes"]):
        route |= {"group_wait": "0s", "group_interval": "1s"}
    for receiver in config["receivers"]:
        for pagerduty in receiver.get("pagerduty_configs", []):
            pagerduty["url"] = f"{hooks}/pagerduty"
    (folder / "alertmanager.yaml").write_text(yaml.safe_dump(config))
    address, log = f"127.0.0.1:{free_port()}", folder / "alertmanager.log"
    command = [
        str(go_tools.build("alertmanager") / "alertmanager"),
        f"--config.file={folder / 'alertmanager.yaml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with log.open("wb") as output:
        environment = {"SSL_CERT_FILE": str(certificate)}
        with subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process:
            try:
                started = Running(f"http://{address}", keys, log)
                wait_for(lambda: _answers(started), "Alertmanager answers")
                yield started
            finally:
                process.terminate()


def _answers(started: Running) -> bool:
    try:
        return requests.get(f"{started.address}/-/ready", timeout=10).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def told() -> Received:
    return Received()


@pytest.fixture
def system(told: Received, tmp_path: Path, certificate: Path) -> Iterator[Running]:
    """Pages to PagerDuty and Slack, tickets by mail and to a web hook, and the watchdog; the keys are not there yet."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with ExitStack() as stack:
        hooks = stack.enter_context(http_stand_in(told))
        port = stack.enter_context(mail_stand_in(told, tls))
        routing = Routing(
            page=(Receiver.PAGERDUTY, Receiver.SLACK),
            ticket=(Receiver.EMAIL, Receiver.WEBHOOK),
            webhook_port=443,
            email=Email("team@example.com", MailServer("127.0.0.1", port, "tasks", "tasks@example.com")),
            watchdog_port=443,
        )
        started = stack.enter_context(running(routing, tmp_path, certificate, hooks))
        values = {key: f"{hooks}/{key}" for key in KEYS} | {"pagerduty-key": "a routing key"}
        (tmp_path / "values.json").write_text(json.dumps(values))
        yield started


def provide(system: Running, *keys: str) -> None:
    """Put keys into the Secret."""
    values = json.loads((system.keys.parent / "values.json").read_text())
    for key in keys:
        (system.keys / key).write_text(values[key])


def test_each_receiver_is_told_in_its_own_protocol_what_it_is_to_be_told(system: Running, told: Received) -> None:
    provide(system, *KEYS)
    system.fire(("ApiGone", "page"), ("TargetDown", "ticket"), (catalogue.WATCHDOG, "none"))
    wait_for(lambda: all(map(told.at, ("/pagerduty", "/slack-url", "/url", "/watchdog-url"))), "hooks are called")
    wait_for(lambda: bool(told.mails), "a mail is sent")

    [event] = told.at("/pagerduty")
    assert (event["routing_key"], event["event_action"]) == ("a routing key", "trigger")
    assert event["payload"]["severity"] == "critical"
    assert event["payload"]["summary"] == "[firing] page: ApiGone"
    [message] = told.at("/slack-url")
    [attachment] = message["attachments"]
    assert attachment["title"] == "[firing] page: ApiGone"
    assert "ApiGone is so. Because.\nhttps://r/x.md" in attachment["text"]
    [mail] = told.mails
    assert "Subject: [firing] ticket: TargetDown" in mail
    assert "TargetDown is so. Because." in mail
    assert told.logins == [f"\0tasks\0{PASSWORD}"], "and after STARTTLS"
    [notification] = told.at("/url")
    assert [alert["labels"]["alertname"] for alert in notification["alerts"]] == ["TargetDown"]
    assert told.at("/watchdog-url")[0]["groupLabels"] == {"alertname": catalogue.WATCHDOG}


def test_a_key_that_is_not_there_stops_no_other_receiver_and_counts_once_it_comes(
    system: Running, told: Received
) -> None:
    provide(system, "slack-url")
    system.fire(("ApiGone", "page"))
    wait_for(lambda: bool(told.at("/slack-url")), "Slack is told")
    wait_for(lambda: "pagerduty-key: no such file" in system.log.read_text(), "the log names the key")
    assert told.at("/pagerduty") == []
    provide(system, "pagerduty-key")
    wait_for(lambda: bool(told.at("/pagerduty")), "PagerDuty is told, without a restart")
    failed = 'alertmanager_notifications_failed_total{integration="pagerduty",reason="other"} '
    metrics = requests.get(f"{system.address}/metrics", timeout=10).text
    [count] = [line.removeprefix(failed) for line in metrics.splitlines() if line.startswith(failed)]
    assert float(count) > 0


def test_alertmanager_exports_what_rules_ask_it_for(system: Running) -> None:
    metrics = requests.get(f"{system.address}/metrics", timeout=10).text
    names = {line.partition(" ")[0].partition("{")[0] for line in metrics.splitlines()}
    assert set(catalogue.exported()["Alertmanager"]) <= names
