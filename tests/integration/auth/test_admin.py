"""Administration over HTTP, on both databases: roles, locked accounts, audit log."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask_openapi.openapi import OpenAPI

from app.auth.admin import EXPORT_PAGE, Actor
from app.auth.model import AuditEntry
from app.bootstrap.container import Container
from app.core.clock import new_id, utc_now
from app.core.errors import NotFoundError
from tests.support.api import Person, assert_problem
from tests.support.storage import storage_of


@pytest.fixture
def admin(app: OpenAPI, container: Container) -> Person:
    """An administrator, appointed by `grant-admin`."""
    somebody = Person(app.test_client()).register()
    container.auth.admin.grant_admin(somebody.email)
    return somebody.login()


def account(admin: Person, email: str) -> dict[str, object]:
    [user] = admin.call("GET", "/admin/users", query_string={"q": email}).get_json()["items"]
    assert isinstance(user, dict)
    return user


def entries(admin: Person, **parameters: object) -> list[dict[str, object]]:
    page = admin.call("GET", "/admin/audit", query_string=parameters).get_json()
    items: list[dict[str, object]] = page["items"]
    return items


def test_accounts_are_listed_page_by_page(admin: Person, person: Person) -> None:
    first = admin.call("GET", "/admin/users", query_string={"limit": 1}).get_json()
    second = admin.call("GET", "/admin/users", query_string={"limit": 1, "cursor": first["next_cursor"]}).get_json()
    assert [page["items"][0]["email"] for page in (first, second)] == [person.email, admin.email]
    assert {"role": "user", "disabled": False}.items() <= first["items"][0].items()
    assert "password" not in json.dumps(first)


def test_a_wildcard_in_a_search_stands_for_itself(admin: Person) -> None:
    assert admin.call("GET", "/admin/users", query_string={"q": "%"}).get_json()["items"] == []


def test_a_locked_account_is_logged_out_at_once_and_can_not_log_in(admin: Person, person: Person) -> None:
    user = account(admin, person.email)
    changed = admin.call("PATCH", f"/admin/users/{user['id']}", json={"disabled": True})
    assert changed.get_json()["disabled"] is True
    assert_problem(person.call("GET", "/users/me"), 401)
    assert_problem(person.refresh(), 401)
    body = {"email": person.email, "password": "correct horse battery"}
    assert_problem(person.client.post("/api/v1/auth/login", json=body), 401)
    admin.call("PATCH", f"/admin/users/{user['id']}", json={"disabled": False})
    assert person.login().call("GET", "/users/me").status_code == 200


def test_a_removed_role_is_lost_at_once(admin: Person, person: Person) -> None:
    user = account(admin, person.email)
    admin.call("PATCH", f"/admin/users/{user['id']}", json={"role": "admin"})
    person.login()
    assert person.call("GET", "/admin/users").status_code == 200
    admin.call("PATCH", f"/admin/users/{user['id']}", json={"role": "user"})
    assert_problem(person.call("GET", "/admin/users"), 401)
    assert_problem(person.login().call("GET", "/admin/users"), 403)


def test_all_sessions_of_an_account_can_be_ended(admin: Person, person: Person) -> None:
    second = Person(person.client, person.email).login()
    user = account(admin, person.email)
    assert admin.call("POST", f"/admin/users/{user['id']}/logout").status_code == 204
    for session in (person, second):
        assert_problem(session.call("GET", "/users/me"), 401)
        assert_problem(session.refresh(), 401)


def test_administrators_can_not_change_their_own_role(admin: Person) -> None:
    mine = account(admin, admin.email)
    assert_problem(admin.call("PATCH", f"/admin/users/{mine['id']}", json={"role": "user"}), 409)
    assert admin.call("GET", "/admin/users").status_code == 200


@pytest.mark.parametrize("path", [f"/admin/users/{UUID(int=7)}", "/admin/users/1"])
def test_an_unknown_account_is_not_found(admin: Person, path: str) -> None:
    assert_problem(admin.call("PATCH", path, json={"role": "admin"}), 404)
    assert_problem(admin.call("POST", f"{path}/logout"), 404)
    assert [entry["action"] for entry in entries(admin)] == ["user.role"]


@pytest.mark.parametrize("body", [{"disabled": "yes"}, {"disabled": 1}, {"role": "root"}, {"role": None}])
def test_an_invalid_change_is_rejected(admin: Person, person: Person, body: dict[str, object]) -> None:
    user = account(admin, person.email)
    assert_problem(admin.call("PATCH", f"/admin/users/{user['id']}", json=body), 422)


def test_every_action_is_audited_with_actor_subject_and_address(admin: Person, person: Person) -> None:
    """V16.2.1: who, what, when, where."""
    started = datetime.now(UTC)
    user, me = account(admin, person.email), account(admin, admin.email)
    admin.call("PATCH", f"/admin/users/{user['id']}", json={"role": "admin", "disabled": True})
    admin.call("PATCH", f"/admin/users/{user['id']}", json={"disabled": True})
    admin.call("PATCH", f"/admin/users/{user['id']}", json={"disabled": False})
    admin.call("POST", f"/admin/users/{user['id']}/logout")
    found = entries(admin, after=started.isoformat())
    assert [entry["action"] for entry in found] == ["user.logout", "user.enable", "user.disable", "user.role"]
    assert {(entry["actor_id"], entry["subject_id"], entry["remote"]) for entry in found} == {
        (me["id"], user["id"], "127.0.0.1")
    }
    assert found[-1]["details"] == {"from": "user", "to": "admin"}
    [granted] = entries(admin, before=started.isoformat())
    assert (granted["actor_id"], granted["subject_id"]) == (None, me["id"])
    assert entries(admin, action="user.logout", actor=me["id"]) == found[:1]


def test_pages_of_the_log_go_by_time_and_name_each_entry_once(admin: Person, container: Container) -> None:
    """Ids of several servers need not rise with time; they break ties of the time."""
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    moments = [noon + timedelta(seconds=number // 2) for number in range(6)]
    with storage_of(container).write() as work:
        for number, at in zip([4, 9, 2, 7, 1, 5], moments, strict=True):
            work.audit.add(AuditEntry(UUID(int=number), at, None, "test", None, "", {}))
    found: list[int] = []
    cursor = None
    while not found or cursor:
        page = admin.call(
            "GET", "/admin/audit", query_string={"action": "test", "limit": 1} | ({"cursor": cursor} if cursor else {})
        ).get_json()
        found += [UUID(item["id"]).int for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == [5, 1, 7, 2, 9, 4]


def test_the_log_is_exported_whole_and_computes_nothing(admin: Person, container: Container) -> None:
    formula = AuditEntry(UUID(int=1), datetime(2020, 1, 1, tzinfo=UTC), None, "=1+1", None, "", {})
    with storage_of(container).write() as work:
        work.audit.add(formula)
    response = admin.call("GET", "/admin/audit/export")
    assert response.mimetype == "text/csv"
    assert response.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["action"] for row in rows] == ["'=1+1", "user.role", "audit.export"]
    lines = admin.call("GET", "/admin/audit/export", query_string={"format": "ndjson"}).text.splitlines()
    assert [json.loads(line)["action"] for line in lines] == ["=1+1", "user.role", "audit.export", "audit.export"]


def test_an_unread_export_holds_no_transaction_and_ends_at_its_own_entry(admin: Person, container: Container) -> None:
    noon = datetime(2020, 1, 1, 12, tzinfo=UTC)
    # two entries per time, so that a page may end between them
    before = [
        AuditEntry(new_id(), noon + timedelta(seconds=number // 2), None, "test", None, "", {})
        for number in range(2 * EXPORT_PAGE + 1)
    ]
    with storage_of(container).write() as work:
        for entry in before:
            work.audit.add(entry)
    answer = admin.call("GET", "/admin/audit/export", query_string={"format": "ndjson"}, buffered=False)
    lines = answer.iter_encoded()
    read = [next(lines)]
    assert container.database.reader.pool.checkedout() == 0  # type: ignore[attr-defined]
    with storage_of(container).write() as work:
        work.audit.add(AuditEntry(new_id(), utc_now(), None, "later", None, "", {}))
    read += lines
    exported = [json.loads(line) for line in read]
    assert [entry["id"] for entry in exported[:-2]] == [str(entry.id) for entry in sorted(before, key=_place)]
    assert [entry["action"] for entry in exported[-2:]] == ["user.role", "audit.export"]


def _place(entry: AuditEntry) -> tuple[datetime, UUID]:
    return entry.at, entry.id


def test_an_address_without_an_account_can_not_be_made_an_administrator(container: Container) -> None:
    with pytest.raises(NotFoundError, match=r"nobody@example\.com"):
        container.auth.admin.grant_admin("nobody@example.com")
    assert container.auth.admin.users("", None, 10) == []
    with pytest.raises(NotFoundError):
        container.auth.admin.log_out(Actor(None, ""), uuid4())
