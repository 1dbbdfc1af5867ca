"""Register, log in, use the service and delete the account: what `helm test` proves. Standard library only.

The account is deleted at the end; a run that fails before leaves it behind.
"""

import argparse
import json
import secrets
import sys
import urllib.error
import urllib.request
from typing import Any

TIMEOUT_SECONDS = 10


def call(base: str, method: str, path: str, expected: int, body: object = None, token: str = "") -> Any:
    """Send one request to the API at `base` and return the decoded answer; any status but `expected` ends the run."""
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{base}/api/v1{path}", data=data, headers=headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            status, content = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, content = error.code, error.read()
    except OSError as error:
        sys.exit(f"smoke: {method} {path}: no answer from {base}: {error}")
    if status != expected:
        sys.exit(f"smoke: {method} {path}: {status} instead of {expected}: {content.decode(errors='replace')[:500]}")
    print(f"{method} {path}: {status}", flush=True)  # noqa: T201
    return json.loads(content) if content else None


def use_tasks(base: str, token: str) -> None:
    """Create, read and delete a task."""
    task = call(base, "POST", "/tasks", 201, {"title": "Prove that this release works"}, token)
    path = f"/tasks/{task['id']}"
    read = call(base, "GET", path, 200, token=token)
    if read["title"] != task["title"]:
        sys.exit(f"smoke: GET {path}: title {read['title']!r} instead of {task['title']!r}")
    call(base, "DELETE", path, 204, token=token)
    call(base, "GET", path, 404, token=token)


def read_notifications(base: str, token: str) -> None:
    """List notifications."""
    call(base, "GET", "/notifications", 200, token=token)


def read_statistics(base: str, token: str) -> None:
    """Read statistics."""
    call(base, "GET", "/statistics", 200, token=token)


STEPS = {"tasks": use_tasks, "notifications": read_notifications, "analytics": read_statistics}


def main(service: str, base: str, auth: str) -> None:
    """Walk through a service of the API.

    Args:
        service: its name, or `all`.
        base: its address: scheme and host without a path.
        auth: the address of the service that issues tokens.
    """
    account = {"email": f"smoke-{secrets.token_hex(8)}@example.org", "password": secrets.token_urlsafe(24)}
    call(auth, "POST", "/auth/register", 201, {**account, "name": "Smoke test"})
    token = call(auth, "POST", "/auth/login", 200, account)["access_token"]
    for name, step in STEPS.items():
        if service in ("all", name):
            step(base, token)
    call(auth, "POST", "/auth/logout", 204, {}, token)
    call(auth, "GET", "/users/me", 401, token=token)
    token = call(auth, "POST", "/auth/login", 200, account)["access_token"]
    call(auth, "DELETE", "/users/me", 204, {"password": account["password"]}, token)
    call(auth, "POST", "/auth/login", 401, account)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", default="all", help="what the release runs")
    parser.add_argument("base", help="address of the release, such as http://task-manager:8000")
    parser.add_argument("auth", nargs="?", help="address of the service that issues tokens, if it is another")
    given = parser.parse_args()
    main(given.service, given.base, given.auth or given.base)
