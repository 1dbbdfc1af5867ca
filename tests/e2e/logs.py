"""Searches in the local cluster's Elasticsearch, and the Filebeat of a stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.e2e.system import System, cluster_environment, is_ready, items, kubectl, run, wait_for
from tests.support.outcome import Outcome

STORE = "elasticsearch"
ENDPOINT = "http://elasticsearch.elasticsearch.svc:9200"
# Through the API server: the port is the shippers' alone.
PROXY = f"/api/v1/namespaces/{STORE}/services/{STORE}:http/proxy"
PAGE = 5_000
ORDER = ["@timestamp", "log.offset", "kubernetes.pod.uid"]


@dataclass(frozen=True)
class Logs:
    """The lines of a stack, in its data stream."""

    system: System

    @property
    def stream(self) -> str:
        return f"logs-task_manager-{self.system.stack}"

    @property
    def namespace(self) -> str:
        return f"{self.system.namespace}-logs"

    def get(self, path: str, **parameters: str) -> Any:
        """Return the answer of Elasticsearch to a GET request."""
        return json.loads(kubectl("get", "--raw", f"{PROXY}/{path}?{urlencode(parameters)}").ok())

    def search(self, *filters: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the documents that match all filters, the oldest first; none where the stream has not begun."""
        found: list[dict[str, Any]] = []
        after: dict[str, Any] = {}
        while True:
            source = {"size": PAGE, "query": {"bool": {"filter": filters}}, "sort": ORDER, **after}
            hits = self.get(
                f"{self.stream}/_search",
                source=json.dumps(source),
                source_content_type="application/json",
                ignore_unavailable="true",
            )["hits"]["hits"]
            found += [hit["_source"] for hit in hits]
            if len(hits) < PAGE:
                return found
            after = {"search_after": hits[-1]["sort"]}

    def requests(self, trace: str) -> list[dict[str, Any]]:
        """Return the lines of the API's access log that belong to a trace."""
        return [found for found in self.search({"term": {"trace.id": trace}}) if found.get("message") == "request"]

    def backing_indices(self) -> list[str]:
        """Return the indices of the data stream, the oldest first."""
        streams = self.get("_cluster/state/metadata", filter_path="metadata.data_stream")["metadata"]["data_stream"]
        return [index["index_name"] for index in streams["data_stream"][self.stream]["indices"]]

    def roll_over(self) -> None:
        """Begin a new index of the data stream."""
        run("kubectl", "create", "--raw", f"{PROXY}/{self.stream}/_rollover", "-f", "-", env=cluster_environment()).ok()

    def delete_index(self, name: str) -> None:
        kubectl("delete", "--raw", f"{PROXY}/{name}").ok()

    def kubectl(self, *arguments: str) -> Outcome:
        return kubectl("--namespace", self.namespace, *arguments)

    def shippers(self) -> set[str]:
        """Return the names of Filebeat's pods that are ready and not on their way out."""
        pods = items("pods", "--namespace", self.namespace)
        return {pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"] and is_ready(pod)}

    def wait_for_shippers(self, *, former: frozenset[str] = frozenset()) -> None:
        """Return when each node has a Filebeat that is ready, and is none of the former ones."""
        nodes = len(items("nodes"))
        wait_for("a Filebeat on each node", lambda: len(self.shippers() - former) == nodes, seconds=120)

    @contextmanager
    def store_away(self) -> Iterator[None]:
        """Take Elasticsearch away while the block runs; its documents stay on its volume."""
        deployment = ("--namespace", STORE, f"deployment/{STORE}")
        kubectl("scale", *deployment, "--replicas=0").ok()
        try:
            kubectl("wait", "--namespace", STORE, "--for=delete", "pod", "--all", "--timeout=120s").ok()
            yield
        finally:
            kubectl("scale", *deployment, "--replicas=1").ok()
            kubectl("rollout", "status", *deployment, "--timeout=180s").ok()
            # A node is ready before its shards are: until then searches are answered with 503.
            wait_for("shards", lambda: self.get("_cluster/health")["status"] != "red", seconds=120)
