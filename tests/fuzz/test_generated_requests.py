"""Requests that Schemathesis makes up from the API's own document, right ones and wrong ones: a running server answers
each as the document says, with all checks on."""

import re
import sys
from itertools import count
from pathlib import Path

import httpx
import pytest

from app.bootstrap.container import build
from app.bootstrap.http import create_app
from app.bootstrap.services import ALL
from app.core.security.roles import Role
from app.core.settings import Settings
from tests.fuzz.generated import ENDS_THE_SESSION, PACE, REQUESTS, generate, report
from tests.support.api import Person
from tests.support.server import ROOT, Server, server
from tests.support.settings import make_settings
from tests.support.storage import storage_of

LIFETIME = 24 * 3600
"""Seconds that the log-in lasts."""

COUNTED = re.compile(r'^flask_http_request_total\{.*status="(\d+)"\} ([0-9.]+)', re.MULTILINE)


def answers(running: Server) -> dict[str, int]:
    """Return how often the server has answered with each status."""
    found: dict[str, int] = {}
    for status, number in COUNTED.findall(httpx.get(running.metrics_url).text):
        found[status] = found.get(status, 0) + int(float(number))
    return found


def administrator(database_url: str) -> Person:
    """Return somebody who may do everything, with a token that outlives the run."""
    parts = build(make_settings(database_url, access_token_lifetime=LIFETIME))
    person = Person(create_app(parts).test_client()).register()
    with storage_of(parts).write() as work:
        user = work.users.by_email(person.email)
        assert user
        work.users.set_role(user.id, Role.ADMIN)
    person.login()
    parts.database.dispose()
    return person


@pytest.mark.parametrize("service", [ALL, "tasks"])
@pytest.mark.parametrize("logged_in", [True, False], ids=["logged in", "not logged in"])
def test_each_generated_request_is_answered_as_the_document_says(
    postgres_url: str, valkey: str, tmp_path: Path, service: str, logged_in: bool
) -> None:
    limits = {
        f"APP_{name.upper()}": "999999 per second" for name in Settings.model_fields if name.startswith("rate_limit")
    }
    # A service alone gives the document of all.
    own = None if service == ALL else ROOT / "app" / service / "contracts" / "openapi.v1.json"
    options = []
    if logged_in:
        person = administrator(postgres_url)
        options = [f"--header=Authorization: Bearer {person.access_token}"]
        options += [f"--exclude-operation-id={name}" for name in ENDS_THE_SESSION]
    with server(tmp_path, postgres_url, service, APP_REDIS_URL=valkey, **limits) as running:
        for seed in count(1):
            run = generate(running.url, seed, *PACE, *options, document=own)
            assert run.returncode == 0, report(run)
            given = answers(running)
            if sum(given.values()) >= REQUESTS:
                break
        if logged_in:
            mine = httpx.get(f"{running.url}/api/v1/tags", headers={"Authorization": f"Bearer {person.access_token}"})
            assert mine.status_code == 200, "the log-in has ended on the way"
    assert [status for status in given if status.startswith("5")] == []
    sys.stdout.write(f"{sum(given.values())} requests: {dict(sorted(given.items()))}\n")
