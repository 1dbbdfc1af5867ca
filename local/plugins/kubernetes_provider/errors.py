"""Errors as one sentence each: what failed, where, and what to do."""

import re
from typing import Any


class ProviderError(Exception):
    """Something the user can act on; the message is all that is shown."""


class UnreachableError(ProviderError):
    """The API server does not answer."""


class CancelledError(ProviderError):
    """The update was cancelled while this operation waited."""


class ApiError(ProviderError):
    """The API server refused a request.

    Attributes:
        code: HTTP status.
        reason: the server's own word for it, such as `NotFound`, `AlreadyExists`, `Conflict`, `Invalid`.
        details: the rest of the server's status: `kind`, `name`, `causes`.
    """

    def __init__(self, code: int, status: dict[str, Any]) -> None:
        """Args: code: HTTP status. status: the `Status` object of the answer."""
        self.code = code
        self.reason = str(status.get("reason") or "")
        self.details: dict[str, Any] = status.get("details") or {}
        self.server_message = str(status.get("message") or f"the API server answered {code}")
        super().__init__(error_message(code, self.reason, self.server_message, self.details))

    @property
    def namespace_missing(self) -> bool:
        """Whether the object's namespace is what was not found, or is on its way out."""
        if self.code == 404:
            return self.details.get("kind") == "namespaces"
        return self.code == 403 and any(cause.get("reason") == "NamespaceTerminating" for cause in self.causes)

    @property
    def causes(self) -> list[dict[str, str]]:
        """The fields that the server complains about, each with `field`, `message`, `reason`."""
        return self.details.get("causes") or []


# User "jane" cannot patch resource "deployments" in API group "apps" in the namespace "shop"
_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]*)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)
# conflict with "kubectl-edit" using apps/v1
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]*)"')


def error_message(code: int, reason: str, message: str, details: dict[str, Any]) -> str:
    """Give one line: what the API server refused, and what to do."""
    if code == 401:
        return "the API server does not accept the credentials of this kubeconfig: renew them or use another context"
    if code == 403 and (match := _FORBIDDEN.search(message)):
        return _no_rights(match)
    if code == 409 and (causes := details.get("causes")) and reason == "Conflict":
        return _conflict(causes)
    if code == 422 and (causes := details.get("causes")):
        named = f"{details.get('kind', 'object')} {details.get('name', '')}".strip()
        return f"{named} is not valid: " + "; ".join(
            dict.fromkeys(f"{c.get('field')}: {c.get('message')}" for c in causes)
        )
    return message


def _no_rights(match: re.Match[str]) -> str:
    resource = ".".join(part for part in (match["resource"], match["group"]) if part)
    where = f"in namespace {match['namespace']}" if match["namespace"] else "in the whole cluster"
    kind = "Role" if match["namespace"] else "ClusterRole"
    return (
        f"no rights: user {match['user']} may not {match['verb']} {resource} {where}; "
        f"grant the verb {match['verb']} on {resource} by a {kind}, or use a kubeconfig that has it"
    )


def _conflict(causes: list[dict[str, str]]) -> str:
    owners: dict[str, list[str]] = {}
    for cause in causes:
        match = _MANAGER.search(cause.get("message", ""))
        owners.setdefault(match["manager"] if match else "another manager", []).append(cause.get("field", ""))
    held = "; ".join(f"{', '.join(fields)} is held by {owner}" for owner, fields in owners.items())
    force = 'pulumi.com/patchForce: "true"'
    return f"{held}: take the field out of the program, or annotate the object {force} to take it over"
