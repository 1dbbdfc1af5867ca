"""Objects that the tests make, and the statuses that a kubelet would give them."""

import copy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local.plugins.kubernetes_provider.client import MERGE_PATCH, Client
from local.plugins.kubernetes_provider.errors import ApiError
from local.plugins.kubernetes_provider.objects import Object, name_of

PATIENCE_SECONDS = 20.0


def config_map(namespace: str, name: str | None = "settings", **data: str) -> Object:
    """Make a ConfigMap; without a name, one is made up."""
    metadata = {"namespace": namespace} | ({"name": name} if name else {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {"a": "1"}}


def deployment(namespace: str, name: str = "api", image: str = "example.org/api:1", **spec: object) -> Object:
    """Make a Deployment of one pod."""
    labels = {"app": name}
    container = {"name": "api", "image": image, "resources": {"limits": {"cpu": "1000m"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            **spec,
        },
    }


def with_annotations(obj: Object, **annotations: str) -> Object:
    """Give an object Pulumi's annotations."""
    changed = copy.deepcopy(obj)
    changed["metadata"]["annotations"] = {f"pulumi.com/{key}": value for key, value in annotations.items()}
    return changed


def pods(client: Client, namespace: str) -> list[Object]:
    """Give the pods of a namespace."""
    return list(client.get(f"/api/v1/namespaces/{namespace}/pods").get("items") or [])


def set_pod_status(client: Client, namespace: str, pod: Object, status: Object) -> None:
    """Write a pod's status, as its kubelet would."""
    path = f"/api/v1/namespaces/{namespace}/pods/{name_of(pod)}/status"
    client.request("PATCH", path, body={"status": status}, content_type=MERGE_PATCH)


def ready_status() -> Object:
    """Give the status of a pod that is ready."""
    conditions = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady", "PodScheduled")]
    return {"phase": "Running", "conditions": conditions, "podIP": "10.0.0.9", "podIPs": [{"ip": "10.0.0.9"}]}


def waiting_status(reason: str, message: str, image: str = "example.org/api:1") -> Object:
    """Give the status of a pod whose container waits."""
    state = {"waiting": {"reason": reason, "message": message}}
    status = {"name": "api", "image": image, "imageID": "", "ready": False, "restartCount": 0, "state": state}
    return {"phase": "Pending", "containerStatuses": [status]}


@contextmanager
def kubelet(client: Client, namespace: str, status: Callable[[Object], Object | None]) -> Iterator[None]:
    """Give every pod of a namespace the status that `status` says, as long as the block lasts."""
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(0.1):
            for pod in pods(client, namespace):
                wanted = status(pod)
                if wanted is not None and not _holds(pod, wanted):
                    try:
                        set_pod_status(client, namespace, pod, wanted)
                    except ApiError as error:
                        if error.code not in (404, 409):
                            raise

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _holds(pod: Object, wanted: Object) -> bool:
    status = pod.get("status") or {}
    kinds = {entry.get("type") for entry in status.get("conditions") or []}
    wanted_kinds = {entry["type"] for entry in wanted.get("conditions") or []}
    return all(key in status for key in wanted) and status["phase"] == wanted["phase"] and wanted_kinds <= kinds


def wait_for(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen in {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.05)


def exists(client: Client, path: str) -> bool:
    """Tell whether an object is there."""
    try:
        client.get(path)
    except ApiError as error:
        if error.code == 404:
            return False
        raise
    return True
