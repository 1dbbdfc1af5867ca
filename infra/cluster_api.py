"""Read-only questions to the API server of a stack's cluster."""

import json
import os
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import urllib3
from kubernetes import client, config
from packaging.version import InvalidVersion, Version

OLDEST_KUBERNETES: Final = Version("1.30")
"""ValidatingAdmissionPolicy, by which a platform in use refuses to be destroyed, is stable from it on."""

_SECONDS: Final = (5.0, 15.0)
"""To connect, and to answer."""


class ClusterApiError(Exception):
    """A question without an answer; the message says why, in one line."""


class UnreachableError(ClusterApiError):
    """The cluster gives no answer that could be used; the message says which cluster and why."""


class ForbiddenError(ClusterApiError):
    """The kubeconfig's user may not read this; the message is the API server's own."""


class ClusterApi:
    """An API server.

    Methods raise `UnreachableError` where no answer can be used, and `ForbiddenError` where the user has no rights.

    Args:
        api: the connection, with its credentials.
    """

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    @property
    def server(self) -> str:
        """The API server's URL."""
        return str(self._api.configuration.host)

    def version(self) -> Version:
        """Return the version of Kubernetes."""
        answer = self._get("/version")
        if answer is None or "gitVersion" not in answer:
            raise UnreachableError(f"{self.server} does not answer as a Kubernetes API server")
        return Version(str(answer["gitVersion"]).removeprefix("v").partition("-")[0].partition("+")[0])

    def resources(self, group_version: str) -> frozenset[str]:
        """Return the plural names that an API such as `apps/v1` serves; empty where it is not served."""
        answer = self._get(f"/apis/{group_version}") or {}
        return frozenset(each["name"] for each in answer.get("resources", ()))

    def is_served(self, group_version: str) -> bool:
        """Return whether an API such as `metrics.k8s.io/v1beta1` answers.

        An aggregated one that is registered and does not answer is 503 at the API server.
        """
        status, _ = self._request(f"/apis/{group_version}")
        return status == HTTPStatus.OK

    def objects(self, path: str) -> list[dict[str, Any]]:
        """Return the objects of a collection; none where it is not served.

        Args:
            path: such as `/apis/apps/v1/namespaces/default/deployments`.
        """
        return list((self._get(path) or {}).get("items", ()))

    def object(self, path: str) -> dict[str, Any] | None:
        """Return an object; None where there is none."""
        return self._get(path)

    def _get(self, path: str) -> dict[str, Any] | None:
        status, body = self._request(path)
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status != HTTPStatus.OK:
            raise UnreachableError(f"{self.server} answers {status} to {path}")
        return self._parse(body)

    def _request(self, path: str) -> tuple[int, bytes]:
        request = self._api.param_serialize(
            "GET",
            path,
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        try:
            answer = self._api.call_api(*request, _request_timeout=_SECONDS)
            body = answer.read()  # type: ignore[no-untyped-call]
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise UnreachableError(
                f"cannot reach the Kubernetes API server {self.server}: {_reason(error)}; "
                "start that cluster, or set KUBECONFIG to the kubeconfig of one that runs"
            ) from error
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise UnreachableError(f"{self.server} does not accept the kubeconfig's credentials")
        if answer.status == HTTPStatus.FORBIDDEN:
            raise ForbiddenError(str(self._parse(body).get("message") or f"{self.server} forbids {path}"))
        return answer.status, body

    def _parse(self, body: bytes) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(body)
        except ValueError as error:
            raise UnreachableError(f"{self.server} does not answer as a Kubernetes API server") from error
        return found


def _reason(error: Exception) -> str:
    while isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason:
        error = error.reason
    return str(error).rpartition(": ")[2]


def parse_version(text: str) -> Version | None:
    """Return the version in a label or an image's tag; None where it names none, such as `latest`."""
    try:
        return Version(text.removeprefix("v"))
    except InvalidVersion:
        return None


def connect(context: str | None) -> ClusterApi | None:
    """Return the API of a context of the kubeconfig, where Pulumi's provider finds it too.

    Args:
        context: of the kubeconfig; None for its current one.

    Returns:
        None where there is no kubeconfig, and the program is not in a cluster either: the provider says so itself.

    Raises:
        UnreachableError: the kubeconfig does not say how to reach a cluster.
    """
    named = os.environ.get("KUBECONFIG", "")
    files = [Path(each) for each in named.split(os.pathsep) if each] or [Path.home() / ".kube" / "config"]
    found = [str(each) for each in files if each.is_file()]
    settings = client.Configuration()
    try:
        if found:
            config.load_kube_config(os.pathsep.join(found), context, settings, persist_config=False)  # type: ignore[no-untyped-call]
        elif "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(settings)  # type: ignore[no-untyped-call]
        else:
            return None
    except (config.ConfigException, ValueError) as error:
        raise UnreachableError(f"{os.pathsep.join(found)}: {error}") from error
    settings.retries = False
    return ClusterApi(client.ApiClient(settings))
