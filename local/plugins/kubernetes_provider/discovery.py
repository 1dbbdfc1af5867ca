"""API discovery: the path of each kind, fetched a group and version at a time."""

import threading
import time
from dataclasses import dataclass
from typing import Any

from local.plugins.kubernetes_provider.client import Client
from local.plugins.kubernetes_provider.errors import ApiError, ProviderError

# A kind that was not there is looked for again, but not more often than this: its definition may just be coming.
_RETRY_SECONDS = 0.5


class UnknownKindError(ProviderError):
    """The API server does not serve this kind (yet)."""


@dataclass(frozen=True)
class ApiResource:
    """The API of one kind."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def collection(self, namespace: str) -> str:
        """Give the path of all objects of the kind in a namespace (ignored for kinds without)."""
        root = f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if self.namespaced else f"{root}/{self.plural}"

    def path(self, namespace: str, name: str) -> str:
        """Give the path of one object."""
        return f"{self.collection(namespace)}/{name}"


class Discovery:
    """Cached discovery."""

    def __init__(self, client: Client) -> None:
        """Args: client: the API server to ask."""
        self._client = client
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, ApiResource]] = {}
        self._asked: dict[str, float] = {}

    def find(self, api_version: str, kind: str) -> ApiResource:
        """Find a kind.

        Raises:
            UnknownKindError: the server does not serve it at this moment.
        """
        with self._lock:
            found = self._known.get(api_version, {}).get(kind)
            stale = time.monotonic() - self._asked.get(api_version, float("-inf")) > _RETRY_SECONDS
            if found is None and stale:
                self._known[api_version] = self._ask(api_version)
                self._asked[api_version] = time.monotonic()
                found = self._known[api_version].get(kind)
        if found is None:
            raise UnknownKindError(
                f"the API server serves no {kind} in {api_version}: "
                "is its CustomResourceDefinition (or operator) installed?"
            )
        return found

    def _ask(self, api_version: str) -> dict[str, ApiResource]:
        root = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
        try:
            answer = self._client.get(root)
        except ApiError as error:
            if error.code == 404:
                return {}
            raise
        return {entry.kind: entry for entry in _resources(api_version, answer)}


def _resources(api_version: str, answer: dict[str, Any]) -> list[ApiResource]:
    return [
        ApiResource(api_version, str(entry["kind"]), str(entry["name"]), bool(entry["namespaced"]))
        for entry in answer.get("resources") or []
        if "/" not in entry["name"]  # a subresource, such as deployments/status
    ]
