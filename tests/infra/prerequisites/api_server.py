"""An API server that answers from a table, on a loopback port, with a kubeconfig that leads to it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml


@dataclass
class ApiServer:
    """Answers by path; what is not in the table is 404, a number is that status, and 403 has a message of the path."""

    answers: dict[str, dict[str, Any] | int] = field(default_factory=dict)
    url: str = ""

    def kubeconfig(self, folder: Path) -> Path:
        """Write a kubeconfig with two contexts, `here` and `nowhere`, and return its path."""
        path = folder / "kubeconfig"
        clusters = {"here": self.url, "nowhere": "http://127.0.0.1:1"}
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "here",
                    "clusters": [{"name": name, "cluster": {"server": url}} for name, url in clusters.items()],
                    "users": [{"name": "tester", "user": {"token": "a-token"}}],
                    "contexts": [{"name": name, "context": {"cluster": name, "user": "tester"}} for name in clusters],
                }
            )
        )
        return path


@contextmanager
def serving(server: ApiServer) -> Iterator[ApiServer]:
    """Serve the table until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = server.answers.get(self.path, 404)
            failure = {"kind": "Status", "message": f"tester cannot get {self.path}"}
            status, body = (found, failure) if isinstance(found, int) else (200, found)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def served(*plurals: str) -> dict[str, Any]:
    """Return the discovery document of an API."""
    return {"kind": "APIResourceList", "resources": [{"name": plural} for plural in plurals]}


def workload(name: str, image: str, version: str = "") -> dict[str, Any]:
    """Return a Deployment of an operator."""
    labels = {"app.kubernetes.io/version": version} if version else {}
    template = {
        "metadata": {"labels": {"app.kubernetes.io/name": name}},
        "spec": {"containers": [{"name": name, "image": image}]},
    }
    return {"metadata": {"name": name, "labels": labels}, "spec": {"template": template}}


def items(*objects: dict[str, Any]) -> dict[str, Any]:
    """Return a list of objects."""
    return {"items": list(objects)}


def storage_class(name: str, *, default: bool) -> dict[str, Any]:
    """Return a StorageClass."""
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {"metadata": {"name": name, "annotations": annotations}}


def gateway_class(*, accepted: str, controller: str = "traefik.io/gateway-controller") -> dict[str, Any]:
    """Return a GatewayClass; by default Traefik's."""
    conditions = [{"type": "Accepted", "status": accepted}]
    return {"spec": {"controllerName": controller}, "status": {"conditions": conditions}}


def complete() -> ApiServer:
    """Return a cluster with all that any phase stands on."""
    operators = {
        "cnpg-system": workload("cloudnative-pg", "ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0"),
        "traefik": workload("traefik", "registry.example.com/traefik@sha256:00", version="v3.7.15"),
    }
    return ApiServer(
        {
            "/version": {"gitVersion": "v1.34.4-eks-1234"},
            "/apis/storage.k8s.io/v1/storageclasses": items(storage_class("standard", default=True)),
            "/apis/postgresql.cnpg.io/v1": served("clusters", "poolers", "scheduledbackups", "databases"),
            "/apis/barmancloud.cnpg.io/v1": served("objectstores"),
            "/apis/gateway.networking.k8s.io/v1": served("gatewayclasses", "gateways", "httproutes"),
            "/apis/gateway.networking.k8s.io/v1/gatewayclasses/traefik": gateway_class(accepted="True"),
            "/apis/external-secrets.io/v1": served("externalsecrets", "secretstores"),
            "/apis/cert-manager.io/v1": served("certificates", "clusterissuers"),
            "/apis/cert-manager.io/v1/clusterissuers/letsencrypt": {"metadata": {"name": "letsencrypt"}},
            "/apis/traefik.io/v1alpha1": served("middlewares", "traefikservices"),
            "/apis/security.istio.io/v1": served(
                "requestauthentications", "authorizationpolicies", "peerauthentications"
            ),
            "/apis/networking.istio.io/v1": served("destinationrules"),
            "/apis/networking.istio.io/v1alpha3": served("envoyfilters"),
            "/apis/gateway.networking.k8s.io/v1/gatewayclasses/istio": gateway_class(accepted="True"),
            "/apis/metrics.k8s.io/v1beta1": served("pods", "nodes"),
            "/apis/custom.metrics.k8s.io/v1beta1": served(),
            "/apis/monitoring.coreos.com/v1": served("podmonitors", "prometheusrules"),
            "/apis/elasticsearch.k8s.elastic.co/v1": served("elasticsearches"),
            **{
                f"/apis/apps/v1/namespaces/{namespace}/{kind}": items(*([it] if kind == "deployments" else []))
                for namespace, it in operators.items()
                for kind in ("deployments", "daemonsets")
            },
        }
    )
