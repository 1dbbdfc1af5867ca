"""Generated requests through the API gateway of phase 4: each is answered as the document of the API says."""

from __future__ import annotations

import json
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from infra.names import ServiceNames
from tests.e2e.account import Account
from tests.e2e.faults import wait_until_ready
from tests.e2e.system import System
from tests.fuzz.generated import CONFIGURATION, ENDS_THE_SESSION, THOROUGH, generate, report

pytestmark = [pytest.mark.phases(4), pytest.mark.late]

REQUESTS = 20_000
RATE = "--rate-limit=150/s"
"""Below the limit of a user, 200 a second."""


# Methods that Envoy does not know it answers with 400 by itself, and results of jobs are there later than the job.
CHECKS = "--exclude-checks=unsupported_method,ensure_resource_availability"


def administrator(system: System) -> Account:
    """Return a new account that may do everything."""
    account = Account.create(system.api)
    statement = f"update users set role = 'admin' where email = '{account.email}'"  # noqa: S608 - ours
    system.sql(statement, database=ServiceNames("auth").database)
    account.log_in()
    return account


@pytest.mark.parametrize("logged_in", [True, False], ids=["logged in", "not logged in"])
def test_each_generated_request_through_the_gateway_is_answered_as_the_document_says(
    system: System, tmp_path: Path, artefacts: Path, logged_in: bool
) -> None:
    wait_until_ready(system)
    # Limits of single operations, such as five mails an hour, hold here as everywhere.
    limited = tmp_path / "schemathesis.toml"
    limited.write_text(CONFIGURATION.read_text().replace('["2xx"', '["2xx", "429"'))
    statuses = tmp_path / "statuses"
    statuses.touch()
    answered: Counter[str] = Counter()
    for seed in count(1):
        options = [RATE, CHECKS, *THOROUGH]
        if logged_in:
            with administrator(system) as caller:
                options += [f"--header=Authorization: Bearer {caller.token}"]
            options += [f"--exclude-operation-id={name}" for name in ENDS_THE_SESSION]
        run = generate(system.url, seed, *options, configuration=limited, statuses=statuses)
        assert run.returncode == 0, report(run)
        answered = Counter(statuses.read_text().split())
        if answered.total() >= REQUESTS:
            break
    row = {
        "logged in": "yes" if logged_in else "no",
        "requests": answered.total(),
        "rejected by a limit": answered["429"],
    }
    (artefacts / f"fuzzing-{'user' if logged_in else 'anonymous'}.json").write_text(json.dumps(row) + "\n")
    assert [status for status in answered if status.startswith("5")] == []
    assert answered["429"] < answered.total() / 10, answered
    assert answered["200" if logged_in else "401"], answered
