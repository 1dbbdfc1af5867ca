"""`contracts compare`: with a revision of git and with a directory."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.cli.contract_changes import unmet_readings
from app.cli.contracts import GLOB, ROOT, compare

CREATED = "app/tasks/contracts/task.created.v1.json"
DUE = "app/tasks/contracts/task.reminder_due.v1.json"
READERS = "app/notifications/contracts/consumers.json"
API = "app/tasks/contracts/openapi.v1.json"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with the contracts of this version, committed."""
    root = tmp_path / "checkout"
    for path in ROOT.glob(GLOB):
        copy = root / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    git(root, "init", "--quiet")
    commit(root)
    return root


def git(root: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(root), *settings, *arguments], check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Contracts")


def read(root: Path, path: str) -> Any:
    return json.loads((root / path).read_text())


def write(root: Path, path: str, contract: Any) -> None:
    (root / path).write_text(json.dumps(contract))


def test_the_same_contracts_are_compatible(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("HEAD", checkout) == 0
    assert capsys.readouterr().out == "compatible with HEAD\n"
    assert compare(str(checkout), checkout) == 0


def test_a_change_that_adds_is_compatible(checkout: Path) -> None:
    event, api = read(checkout, CREATED), read(checkout, API)
    event["properties"]["payload"]["properties"]["priority"] = {"type": "integer"}
    api["paths"]["/api/v1/projects"] = {"get": {"operationId": "list_projects", "responses": {}}}
    write(checkout, CREATED, event)
    write(checkout, API, api)
    assert compare("HEAD", checkout) == 0


def test_each_incompatible_change_is_one_line(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event, api = read(checkout, CREATED), read(checkout, API)
    del event["properties"]["payload"]["properties"]["remind_at"]
    event["properties"]["payload"]["required"].remove("remind_at")
    del api["paths"]["/api/v1/tags"]
    write(checkout, CREATED, event)
    write(checkout, API, api)
    assert compare("HEAD", checkout) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"{API}: GET /api/v1/tags: removed, without having been deprecated",
        f"{CREATED}: task.created.payload.remind_at: removed",
    ]
    assert printed.err.startswith("error: 2 incompatible with HEAD: ")
    assert printed.err.count("\n") == 1


def test_a_service_that_is_gone_is_reported_operation_by_operation(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operations = sum(len(item) for item in read(checkout, API)["paths"].values())
    (checkout / API).unlink()
    assert compare("HEAD", checkout) == 1
    assert len(capsys.readouterr().out.splitlines()) == operations


def test_a_new_version_of_an_event_stands_beside_the_old_one(checkout: Path) -> None:
    event = read(checkout, DUE)
    del event["properties"]["payload"]["properties"]["title"]
    event["properties"]["payload"]["required"].remove("title")
    event["properties"]["name"]["const"] = "task.reminder_due.v2"
    write(checkout, DUE.replace("v1", "v2"), event)
    assert compare("HEAD", checkout) == 0


def test_an_event_may_go_once_no_released_consumer_reads_it(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / DUE).unlink()
    readers = read(checkout, READERS)
    del readers["notifications.reminders"]
    write(checkout, READERS, readers)
    assert compare("HEAD", checkout) == 1
    assert capsys.readouterr().out == f"{DUE}: removed, while consumers of the older version read it\n"
    git(checkout, "checkout", "--quiet", "HEAD", DUE)
    commit(checkout)
    (checkout / DUE).unlink()
    assert compare("HEAD", checkout) == 0


def test_a_consumer_may_not_need_what_the_older_version_does_not_publish(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event, readers = read(checkout, DUE), read(checkout, READERS)
    event["properties"]["payload"]["properties"]["priority"] = {"type": "integer"}
    event["properties"]["payload"]["required"].append("priority")
    needed = readers["notifications.reminders"]["task.reminder_due"]["properties"]["payload"]
    needed["properties"]["priority"] = {"type": "integer"}
    write(checkout, DUE, event)
    write(checkout, READERS, readers)
    assert compare("HEAD", checkout) == 0, "it can do without"
    needed["required"].append("priority")
    write(checkout, READERS, readers)
    assert compare("HEAD", checkout) == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"{READERS}: notifications.reminders can't read the event of the older version:"
        " task.reminder_due.payload.priority: missing"
    )


@pytest.mark.parametrize(
    ("field", "schema", "unmet"),
    [
        ("nowhere", {"type": "string"}, "task.reminder_due.payload.nowhere: missing"),
        ("title", {"type": "integer"}, "task.reminder_due.payload.title: integer has become string"),
        ("due_at", {"type": "string"}, "task.reminder_due.payload.due_at: string has become null"),
    ],
)
@pytest.mark.parametrize("required", [True, False])
def test_what_a_consumer_reads_has_to_be_published(
    checkout: Path, field: str, schema: dict[str, Any], unmet: str, required: bool
) -> None:
    contracts = {path.relative_to(checkout).as_posix(): json.loads(path.read_text()) for path in checkout.glob(GLOB)}
    needed = contracts[READERS]["notifications.reminders"]["task.reminder_due"]["properties"]["payload"]
    needed["properties"][field] = schema
    needed["required"] = [*needed["required"], *([field] if required else [])]
    assert list(unmet_readings(contracts)) == [
        f"{READERS}: notifications.reminders can't read the event of this version: {unmet}"
    ]
    contracts[READERS]["notifications.reminders"] = {"task.forgotten": {}}
    assert list(unmet_readings(contracts)) == [
        f"{READERS}: notifications.reminders reads task.forgotten, which nobody publishes"
    ]


def test_a_version_without_contracts_has_nothing_to_compare(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert compare(str(tmp_path / "empty"), checkout) == 0
    assert capsys.readouterr().out.endswith("has no contracts: nothing to compare\n")
    git(checkout, "rm", "-r", "--quiet", "--cached", "app")
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "Nothing")
    assert compare("HEAD", checkout) == 0


@pytest.mark.parametrize("old", ["no-such-revision", "--output=/tmp/x", "HEAD:app", ""])
def test_what_names_no_version_is_refused_in_one_line(
    checkout: Path, old: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(old, checkout) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"error: {old!r} is neither a directory nor a revision")
    assert printed.err.count("\n") == 1


def test_a_file_that_is_not_json_is_named_in_one_line(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / CREATED).write_text("{")
    assert compare("HEAD", checkout) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ")
    assert CREATED in printed.err
    assert printed.err.count("\n") == 1
