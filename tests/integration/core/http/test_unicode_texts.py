"""Unicode texts on each kind of database: normalisation, caseless search, and invisible characters."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from app.bootstrap.container import Container
from app.core.jobs.model import Job
from app.core.jobs.tables import JobRow
from app.core.text import nfc, nfd
from app.tasks import normalise_job
from app.tasks.tables import TaskRow, TaskTagRow
from tests.support.api import V1, Person, assert_problem
from tests.support.background import do_jobs
from tests.support.storage import storage_of

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LINES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)
SPELLINGS = st.sampled_from([nfc, nfd])


@pytest.fixture
def person(new_person: Callable[[], Person]) -> Person:
    return new_person()


def bulk(person: Person, task: dict[str, object], action: str, *tags: str) -> None:
    body = {"action": action, "ids": [task["id"]], "tags": tags}
    answer = person.call("POST", "/tasks/bulk", json=body)
    assert answer.status_code == 200, answer.text


def test_two_normal_forms_are_one_tag(person: Person) -> None:
    assert person.create(tags=[COMPOSED, DECOMPOSED, DECOMPOSED.upper()])["tags"] == [COMPOSED]
    person.create(tags=[DECOMPOSED])
    assert person.call("GET", "/tags").get_json()["items"] == [{"name": COMPOSED, "count": 2}]
    for spelling in (COMPOSED, DECOMPOSED, "CAF\u00c9"):
        assert len(person.walk(tag=spelling)) == 2


@FEW
@given(tag=LINES, spell=SPELLINGS, respell=SPELLINGS)
@example(tag="\u00df" * 20, spell=nfc, respell=nfd)
@example(tag="\u0390" * 16, spell=nfc, respell=nfd)
def test_a_tag_that_was_taken_can_be_found_kept_and_removed(
    person: Person, tag: str, spell: "type[str]", respell: "type[str]"
) -> None:
    task = person.create(tags=[spell(tag)])
    assert task["id"] in [found["id"] for found in person.walk(tag=respell(tag))]
    kept = person.call("PATCH", f"/tasks/{task['id']}", json={"title": "kept", "tags": task["tags"]})
    assert kept.get_json()["tags"] == task["tags"]
    bulk(person, task, "remove_tags", respell(tag))
    assert person.call("GET", f"/tasks/{task['id']}").get_json()["tags"] == []


@FEW
@given(text=LINES, spell=SPELLINGS, respell=SPELLINGS, as_title=st.booleans())
def test_a_text_is_found_in_any_normal_form(
    person: Person, text: str, spell: "type[str]", respell: "type[str]", as_title: bool
) -> None:
    texts = {"title": spell(text)} if as_title else {"title": "x", "description": spell(text)}
    task = person.create(**texts)
    assert task["title" if as_title else "description"] == nfc(text)
    assert task["id"] in [found["id"] for found in person.walk(q=respell(text))]


@pytest.mark.parametrize("query", ["ÉCOLE", "\u00e9cole", "e\u0301cole", "STRASSE", "stra\u00dfe", "\u03a9", "\u03c9"])
def test_search_is_caseless_in_any_script(person: Person, query: str) -> None:
    task = person.create(title="\u00c9cole, Stra\u00dfe, \u2126")
    assert [found["id"] for found in person.walk(q=query)] == [task["id"]]


@pytest.mark.parametrize(
    ("tag", "accepted"),
    [
        ("\u00df" * 25, True),
        ("\u00df" * 26, False),
        ("\u00df" * 50, False),
        ("e\u0301" * 50, True),
        ("e\u0301" * 51, False),
        ("x" * 50, True),
        ("x" * 51, False),
        ("\u0390" * 50, True),  # case folding and composition give it back
        (f"  {'x' * 50}  ", True),
    ],
)
def test_the_length_of_a_tag_is_that_of_the_form_that_is_stored(person: Person, tag: str, accepted: bool) -> None:
    body = {"title": "x", "tags": [tag]}
    answer = person.call("POST", "/tasks", json=body)
    assert answer.status_code == (201 if accepted else 422), answer.text
    task = person.create()
    answer = person.call("PATCH", f"/tasks/{task['id']}", json=body)
    assert answer.status_code == (200 if accepted else 422), answer.text
    body = {"action": "add_tags", "ids": [task["id"]], "tags": [tag]}
    assert person.call("POST", "/tasks/bulk", json=body).status_code == (200 if accepted else 422)


def test_a_title_has_its_length_once_normalised(person: Person) -> None:
    """NFC expands some characters to two or three: the column has room for 200."""
    assert len(nfc("\U0001d160")) == 3
    for title, accepted in ((("e\u0301" * 200), True), ("\U0001d160" * 66, True), ("\U0001d160" * 67, False)):
        answer = person.call("POST", "/tasks", json={"title": title})
        assert answer.status_code == (201 if accepted else 422), answer.text


@pytest.mark.parametrize(
    "text", ["\u200b", "\u2060\ufeff", "\u00ad", "\u3164", "\u2800", "\ufe0f", "\u200d\u200c", "\u2003"]
)
def test_an_invisible_text_is_no_title_no_name_and_no_tag(person: Person, text: str) -> None:
    assert_problem(person.call("POST", "/tasks", json={"title": text}), 422)
    assert_problem(person.call("POST", "/tasks", json={"title": "x", "tags": [text]}), 422)
    assert_problem(person.call("PATCH", "/users/me", json={"name": text}), 422)
    body = {"email": "blank@example.com", "password": "correct horse", "name": text}
    assert_problem(person.client.post(f"{V1}/auth/register", json=body), 422)


def test_joiners_and_selectors_stay_between_what_they_join(person: Person) -> None:
    family = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL} \N{HEAVY BLACK HEART}\ufe0f"
    task = person.create(title=family, tags=[family])
    assert (task["title"], task["tags"]) == (family, [family])


def written_by_a_release_before(container: Container, person: Person, task: dict[str, object], tag: str) -> None:
    """Store a tag and the search text as an earlier release did, without normalisation."""
    task_id = UUID(str(task["id"]))
    with storage_of(container).write() as work:
        known = work.users.by_email(person.email)
        assert known
        work.session.execute(insert(TaskTagRow).values(task_id=task_id, tag=tag, user_id=known.id))
        old = update(TaskRow).where(TaskRow.id == task_id)
        work.session.execute(old.values(title=DECOMPOSED, title_key=DECOMPOSED, search_text=f"{DECOMPOSED}\n"))


def test_texts_stored_by_an_earlier_release_are_found_shown_and_removed(container: Container, person: Person) -> None:
    task = person.create()
    written_by_a_release_before(container, person, task, DECOMPOSED)
    for spelling in (COMPOSED, DECOMPOSED):
        assert [found["tags"] for found in person.walk(tag=spelling, q=spelling)] == [[COMPOSED]]
    assert person.call("GET", "/tags").get_json()["items"] == [{"name": COMPOSED, "count": 1}]
    bulk(person, task, "remove_tags", COMPOSED)
    assert person.call("GET", "/tags").get_json()["items"] == []


def test_a_tag_older_than_the_rule_of_its_length_can_be_kept_and_removed(container: Container, person: Person) -> None:
    task, long = person.create(), "s" * 100
    written_by_a_release_before(container, person, task, long)
    kept = person.call("PATCH", f"/tasks/{task['id']}", json={"tags": [long, "more"]})
    assert kept.get_json()["tags"] == ["more", long]
    assert [found["id"] for found in person.walk(tag="\u00df" * 50)] == [task["id"]]
    bulk(person, task, "remove_tags", "\u00df" * 50)
    assert person.call("GET", f"/tasks/{task['id']}").get_json()["tags"] == ["more"]
    assert_problem(person.call("PATCH", f"/tasks/{task['id']}", json={"tags": [long]}), 422)


def test_a_job_normalises_texts_stored_by_an_earlier_release(
    container: Container, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normalise_job, "BATCH", 2)
    tasks = [person.create(title=f"Task {number}", tags=["kept"]) for number in range(5)]
    for task in tasks[1:3]:
        written_by_a_release_before(container, person, task, DECOMPOSED)
    before = [person.call("GET", f"/tasks/{task['id']}").get_json() for task in tasks]
    with storage_of(container).write() as work:
        work.jobs.add(Job(uuid4(), None, "normalise", datetime.now(UTC)))
    do_jobs(container)
    with container.database.reader.begin() as connection:
        tags = connection.scalars(select(TaskTagRow.tag)).all()
        rows = connection.execute(select(TaskRow.title, TaskRow.title_key, TaskRow.search_text)).all()
        [job] = connection.execute(select(JobRow.state, JobRow.done).where(JobRow.kind == "normalise")).all()
    assert (job.state, job.done) == ("succeeded", 5)
    assert sorted(tags) == [COMPOSED] * 2 + ["kept"] * 5
    assert [tuple(row) for row in rows if row.title == COMPOSED] == [(COMPOSED, COMPOSED, f"{COMPOSED}\n")] * 2
    assert not [row for row in rows if DECOMPOSED in row.search_text]
    after = [person.call("GET", f"/tasks/{task['id']}").get_json() for task in tasks]
    assert [{**task, "title": nfc(task["title"])} for task in before] == after, "nobody sees a difference"


def test_a_password_typed_in_another_spelling_logs_in(person: Person) -> None:
    body = {"email": "unicode@example.com", "password": "pa\u00dfw\u00f6rd \u00e9t\u00e9", "name": "x"}
    assert person.client.post(f"{V1}/auth/register", json=body).status_code == 201
    for typed in (
        body["password"],
        unicodedata.normalize("NFD", body["password"]),
        body["password"].replace(" ", "\u3000"),
    ):
        answer = person.client.post(f"{V1}/auth/login", json={"email": body["email"], "password": typed})
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("password", "accepted"),
    [
        ("e\u0301" * 8, True),
        ("e\u0301" * 7, False),
        ("e\u0301" * 128, True),
        ("e\u0301" * 129, False),
        ("correct\x00horse", False),
        ("correct\thorse", False),
        ("correct\x85horse", False),
        ("\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL} horse", True),
    ],
)
def test_a_new_password_has_its_length_once_prepared_and_no_control_characters(
    person: Person, password: str, accepted: bool
) -> None:
    body = {"email": "new@example.com", "password": password, "name": "x"}
    answer = person.client.post(f"{V1}/auth/register", json=body)
    assert answer.status_code == (201 if accepted else 422), answer.text
