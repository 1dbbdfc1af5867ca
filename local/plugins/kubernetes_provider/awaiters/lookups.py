"""Look-ups of readiness rules: the pods of an object, their events and logs, other objects by name."""

from typing import Protocol

from local.plugins.kubernetes_provider.client import Client
from local.plugins.kubernetes_provider.errors import ApiError
from local.plugins.kubernetes_provider.objects import Object, dig, name_of, namespace_of

LOG_LINES = 10


class Lookups(Protocol):
    """Look-ups in one namespace; tests answer them from recorded objects."""

    def pods(self, selector: str) -> list[Object]:
        """Give the pods that a label selector picks."""

    def endpoint_slices(self, service: str) -> list[Object]:
        """Give the EndpointSlices of a Service."""

    def events(self, obj: Object) -> list[Object]:
        """Give the events about an object, oldest first."""

    def log(self, pod: Object, container: str, *, previous: bool) -> str:
        """Give the last lines that a container has written; empty when there are none to be had."""

    def storage_class(self, name: str) -> Object:
        """Give a StorageClass, the default one for an empty name; empty when there is none."""


class ApiLookups:
    """The look-ups, answered by the API server."""

    def __init__(self, client: Client, namespace: str) -> None:
        """Args: client: the API server. namespace: where to look."""
        self._client = client
        self._core = f"/api/v1/namespaces/{namespace}"
        self._slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"

    def pods(self, selector: str) -> list[Object]:
        """Give the pods that a label selector picks."""
        return self._list(f"{self._core}/pods", {"labelSelector": selector}, "Pod")

    def endpoint_slices(self, service: str) -> list[Object]:
        """Give the EndpointSlices of a Service."""
        return self._list(self._slices, {"labelSelector": f"kubernetes.io/service-name={service}"}, "EndpointSlice")

    def events(self, obj: Object) -> list[Object]:
        """Give the events about an object, oldest first."""
        found = self._list(
            f"{self._core}/events", {"fieldSelector": f"involvedObject.uid={dig(obj, 'metadata', 'uid')}"}, "Event"
        )
        return sorted(found, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))

    def log(self, pod: Object, container: str, *, previous: bool) -> str:
        """Give the last lines that a container has written; empty when there are none to be had."""
        query = {"container": container, "tailLines": str(LOG_LINES), "previous": str(previous).lower()}
        try:
            return self._client.text(f"/api/v1/namespaces/{namespace_of(pod)}/pods/{name_of(pod)}/log", query).strip()
        except ApiError:
            # The container or its node has gone, or reading logs is not allowed: the reason comes without them.
            return ""

    def storage_class(self, name: str) -> Object:
        """Give a StorageClass, the default one for an empty name; empty when there is none."""
        classes = self._list("/apis/storage.k8s.io/v1/storageclasses", {}, "StorageClass")
        default = "storageclass.kubernetes.io/is-default-class"
        for entry in classes:
            if name_of(entry) == name or (not name and dig(entry, "metadata", "annotations", default) == "true"):
                return entry
        return {}

    def _list(self, path: str, query: dict[str, str], kind: str) -> list[Object]:
        try:
            items = self._client.get(path, query).get("items") or []
        except ApiError as error:
            if error.code in (403, 404):
                # Not allowed to look, or gone meanwhile: progress is then read from the object alone.
                return []
            raise
        return [{"kind": kind, **item} for item in items]
