"""Changes of releases of the chart in `charts.py` behind the provider's back."""

import base64
import gzip
import json
from typing import Any

from local.plugins.kubernetes_provider.client import MERGE_PATCH, Client
from local.plugins.kubernetes_provider.release import record


def text_of(client: Client, namespace: str, name: str = "app") -> str:
    """Give the text in the release's ConfigMap."""
    return str(client.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}-settings")["data"]["text"])


def change_text(client: Client, namespace: str, text: str, name: str = "app") -> None:
    """Edit the release's ConfigMap, as kubectl edit would."""
    path = f"/api/v1/namespaces/{namespace}/configmaps/{name}-settings"
    client.request("PATCH", path, {"fieldManager": "kubectl-edit"}, {"data": {"text": text}}, MERGE_PATCH)


def set_status(client: Client, namespace: str, status: str, name: str = "app") -> None:
    """Write the newest revision's status into helm's record, as an interrupted helm would leave it."""
    found = record.latest(client, namespace, name)
    assert found is not None
    path = f"/api/v1/namespaces/{namespace}/secrets/sh.helm.release.v1.{name}.v{found.revision}"
    data = client.get(path)["data"]["release"]
    content = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(data))))
    content["info"]["status"] = status
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(content).encode()))).decode()
    body: dict[str, Any] = {"data": {"release": packed}, "metadata": {"labels": {"status": status}}}
    client.request("PATCH", path, body=body, content_type=MERGE_PATCH)
