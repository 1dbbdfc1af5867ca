"""A trial of the mesh: two services with sidecars, callers in and out of it, and a gateway of Istio's class."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from string import Template
from typing import Any
from uuid import uuid4

import httpx

from app.cli.ensure_certificate import self_signed
from app.core.security.keys import signature_key
from app.core.security.tokens import AccessTokens
from tests.e2e.system import ROOT, cluster_environment, items, kubectl, run, wait_for
from tests.support.outcome import Outcome

MANIFESTS = ROOT / "tests" / "data" / "mesh"
NAMESPACE, OUTSIDE = "mesh-trial", "mesh-trial-outside"
GATEWAY_PODS = "gateway.networking.k8s.io/gateway-name=edge"
SERVICE = "http://echo.mesh-trial/x"
# A caller's program: status and body of a GET, or the error's name.
ASK = """
import sys, urllib.error, urllib.request
try:
    with urllib.request.urlopen(sys.argv[1], timeout=5) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
except OSError as error:
    print(type(error).__name__)
"""


@dataclass
class Mesh:
    """The trial's namespace, up.

    Attributes:
        image: what its pods run, any with Python.
        url: the gateway's address; `url_tls` with TLS.
    """

    image: str
    url: str = "http://127.0.0.1:30098"
    url_tls: str = "https://127.0.0.1:30099"
    tokens: AccessTokens = field(
        default_factory=lambda: AccessTokens(signature_key(uuid4().hex + uuid4().hex), timedelta(minutes=10))
    )

    def manifest(self, name: str) -> str:
        values = {
            "image": self.image,
            "jwks": json.dumps(self.tokens.jwks()),
            "certificate": json.dumps(self_signed(["127.0.0.1"], datetime.now(UTC))),
        }
        return Template((MANIFESTS / f"{name}.yaml").read_text()).safe_substitute(values)

    def apply(self, name: str) -> None:
        run("kubectl", "apply", "-f", "-", env=cluster_environment(), stdin=self.manifest(name)).ok()

    @contextmanager
    def applied(self, name: str) -> Iterator[None]:
        """Apply a manifest while the block runs."""
        self.apply(name)
        try:
            yield
        finally:
            run("kubectl", "delete", "-f", "-", env=cluster_environment(), stdin=self.manifest(name)).ok()

    def token(self, *, age: timedelta = timedelta(), forged: bool = False) -> dict[str, str]:
        """Return the header of a new user's token."""
        tokens = self.tokens if not forged else AccessTokens(signature_key(uuid4().hex * 2), timedelta(minutes=10))
        token = tokens.issue(uuid4(), uuid4(), uuid4(), "user", datetime.now(UTC) - age)
        return {"Authorization": f"Bearer {token}"}

    def request(self, path: str = "/x", method: str = "GET", **arguments: Any) -> httpx.Response:
        """Send a request through the gateway, over a connection of its own."""
        return httpx.request(method, self.url + path, timeout=10, **arguments)

    def answers(self) -> bool:
        """Tell whether the gateway answers at all: its port is open on the nodes a moment after its pods are ready."""
        try:
            return self.request().status_code < httpx.codes.INTERNAL_SERVER_ERROR
        except httpx.TransportError:
            return False

    def kubectl(self, *arguments: str) -> Outcome:
        return kubectl("--namespace", NAMESPACE, *arguments)

    def ask(self, caller: str, url: str = SERVICE, namespace: str = NAMESPACE) -> str:
        """Return what a caller's pod is answered: the status and the body, or the error's name."""
        command = ("exec", caller, "--container", "caller", "--", "python3", "-c", ASK, url)
        return kubectl("--namespace", namespace, *command).ok().strip()

    def pods(self, selector: str) -> list[dict[str, Any]]:
        pods = items("pods", "--namespace", NAMESPACE, "--selector", selector)
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def asked(self, marker: str) -> int:
        """Return how many requests with a marker in their path have reached the service."""
        logs = (
            self.kubectl("logs", pod["metadata"]["name"], "--container", "echo").ok() for pod in self.pods("app=echo")
        )
        return sum(log.count(marker) for log in logs)

    def access_log(self, request_id: str) -> dict[str, Any]:
        """Return the gateway's line of a request; it is written within a second."""

        def line() -> dict[str, Any]:
            for pod in self.pods(GATEWAY_PODS):
                for text in self.kubectl("logs", pod["metadata"]["name"]).ok().splitlines():
                    if request_id in text:
                        found: dict[str, Any] = json.loads(text)
                        return found
            return {}

        return wait_for(f"the gateway's log of {request_id}", line, seconds=15)
