"""Import formats of spreadsheets and other tools: preview, and the same result on import."""

import io
from pathlib import Path
from typing import Any

from app.bootstrap.container import Container
from app.tasks.import_plan import HEAD
from tests.support.api import Person, assert_problem

FILES = Path(__file__).parents[2] / "data" / "imports"


def send(person: Person, content: bytes | str, end_point: str = "", **options: Any) -> Any:
    """Send content, or a file of tests/data/imports, with query parameters."""
    content = content if isinstance(content, bytes) else (FILES / content).read_bytes()
    data = {"file": (io.BytesIO(content), "tasks.csv")}
    return person.call("POST", f"/tasks/imports{end_point}", data=data, query_string=options)


def preview(person: Person, content: bytes | str, **options: Any) -> dict[str, Any]:
    response = send(person, content, "/preview", **options)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.get_json()
    return body


def imported(person: Person, container: Container, content: bytes | str, **options: Any) -> dict[str, Any]:
    """Import a file; return the tasks by title, and the rejected lines as `refused`."""
    response = send(person, content, **options)
    assert response.status_code == 202, response.text
    while container.inline.run_once():
        pass
    job = person.call("GET", f"/jobs/{response.get_json()['id']}").get_json()
    assert job["state"] == "succeeded", job
    assert job["ignored_columns"] == [
        column["name"] for column in preview(person, content, **options)["columns"] if column["field"] is None
    ]
    lines = person.call("GET", f"/jobs/{job['id']}/refused").get_json()["items"]
    tasks: dict[str, Any] = {task["title"]: task for task in person.walk()}
    return {**tasks, "refused": {line["line"]: line["reason"] for line in lines}}


def test_todoist(person: Person, container: Container) -> None:
    shown = preview(person, "todoist.csv")
    assert (shown["format"], shown["date_format"], shown["problem"]) == ("todoist", "YYYY-MM-DD", None)
    fields = {column["name"]: column["field"] for column in shown["columns"] if column["field"]}
    assert fields == {"CONTENT": "title", "DESCRIPTION": "description", "DATE": "due_at"}
    assert [task["title"] for task in shown["tasks"]] == ["Buy milk @shop", "Water the plants"]
    assert [line["line"] for line in shown["refused"]] == [5]
    assert person.walk() == []

    tasks = imported(person, container, "todoist.csv", time_zone="Europe/Berlin")
    milk = tasks["Buy milk @shop"]
    assert (milk["description"], milk["due_at"]) == ("The fresh one", "2031-02-03T22:59:00Z")
    assert tasks["refused"] == {
        5: "DATE: must be a date like YYYY-MM-DD, or a time with an offset, like 2030-01-31T12:00:00Z (RFC 3339)"
    }
    assert set(tasks) == {"Buy milk @shop", "Water the plants", "refused"}


def test_a_column_with_invalid_dates_can_be_mapped_to_text(person: Person, container: Container) -> None:
    tasks = imported(person, container, "todoist.csv", columns="DATE:description")
    assert tasks["refused"] == {}
    assert tasks["Wipe the table"]["description"] == "DATE: every day"
    assert tasks["Buy milk @shop"]["description"] == "The fresh one\nDATE: 2031-02-03"


def test_trello(person: Person, container: Container) -> None:
    assert preview(person, "trello.csv")["format"] == "trello"
    tasks = imported(person, container, "trello.csv")
    garden = tasks["Plan the garden"]
    assert garden["tags"] == ["garden (green)", "spring (yellow)", "to do"]
    assert (garden["description"], garden["due_at"]) == ("Beds, paths\nand a pond", "2031-02-03T10:30:00Z")
    assert [tasks[name]["status"] for name in ("Plan the garden", "Order seeds", "Dig")] == ["todo", "done", "done"]


def test_asana(person: Person, container: Container) -> None:
    problem = assert_problem(send(person, "asana.csv"), 422)
    assert problem["errors"][0]["field"] == "unknown_columns"
    assert "“Estimate”" in problem["errors"][0]["message"]
    assert preview(person, "asana.csv")["problem"]["field"] == "unknown_columns"
    tasks = imported(person, container, "asana.csv", unknown_columns="ignore")
    report = tasks["Write the report"]
    assert report["tags"] == ["doing", "office", "urgent"]
    assert (report["description"], report["due_at"]) == ("=SUM of it all", "2031-02-03T23:59:00Z")
    assert tasks["Book a room"]["status"] == "done"


def test_jira(person: Person, container: Container) -> None:
    tasks = imported(person, container, "jira.csv")
    gate = tasks["Fix the gate"]
    assert (gate["status"], gate["tags"], gate["due_at"]) == ("in_progress", ["gate", "iron"], "2031-02-03T00:00:00Z")
    assert tasks["Paint the fence"]["status"] == "done"
    assert tasks["refused"] == {4: "Status: must be todo, in_progress or done"}


def test_a_spreadsheet_of_german_excel(person: Person, container: Container) -> None:
    assert_problem(send(person, "excel-german.csv", encoding="utf-32"), 422)
    shown = preview(person, "excel-german.csv")
    assert (shown["delimiter"], shown["encoding"]) == ("semicolon", "utf-8")
    assert "encoding=windows-1252" in shown["refused"][0]["reason"]
    options = {"encoding": "windows-1252", "date_format": "DD.MM.YYYY", "time_zone": "Europe/Berlin"}
    tasks = imported(person, container, "excel-german.csv", **options)
    assert set(tasks) == {"Äpfel kaufen", "Brot", "refused"}
    assert tasks["Äpfel kaufen"]["description"] == "zwei; drei"
    assert tasks["Äpfel kaufen"]["due_at"] == "2031-02-03T22:59:00Z"
    assert tasks["refused"] == {}


def test_unicode_text_of_excel(person: Person, container: Container) -> None:
    shown = preview(person, "excel-unicode.txt")
    assert (shown["delimiter"], shown["encoding"]) == ("tab", "utf-16-le")
    tasks = imported(person, container, "excel-unicode.txt")
    assert tasks["Äpfel"]["description"] == "two\r\nlines"
    assert tasks["Brot"]["status"] == "done"


def test_line_ends_of_carriage_returns_alone(person: Person, container: Container) -> None:
    tasks = imported(person, container, "classic-mac.csv")
    assert (tasks["Milk"]["description"], tasks["Bread"]["description"]) == ("fresh", "old")


def test_pipes_and_tags_as_people_write_them(person: Person, container: Container) -> None:
    tasks = imported(person, container, "pipes.csv")
    assert tasks["Milk"]["tags"] == tasks["a | b"]["tags"] == ["home", "work"]


def test_dates_are_read_in_the_given_format_only(person: Person, container: Container) -> None:
    refused = imported(person, container, "american-dates.csv")["refused"]
    assert set(refused) == {2, 4}
    assert "RFC 3339" in refused[2]
    said = {"date_format": "MM/DD/YYYY", "time_zone": "America/New_York"}
    tasks = imported(person, container, "american-dates.csv", **said)
    assert tasks["Milk"]["due_at"] == "2031-02-04T02:30:00Z"
    assert tasks["Bread"]["due_at"] == "2031-02-03T12:00:00Z"
    assert tasks["refused"] == {4: "due_at: is not a time that exists"}


def test_unknown_columns_are_named_and_ignored_on_request(person: Person, container: Container) -> None:
    message = assert_problem(send(person, "unknown-columns.csv"), 422)["errors"][0]["message"]
    assert "“urgency”, “owner”" in message
    assert person.call("GET", "/jobs").get_json()["items"] == []
    tasks = imported(person, container, "unknown-columns.csv", unknown_columns="ignore")
    assert set(tasks) == {"Milk", "refused"}


def test_columns_can_be_mapped_explicitly(person: Person, container: Container) -> None:
    shown = preview(person, "own-names.csv")
    assert shown["problem"]["field"] == "columns"
    assert [column["example"] for column in shown["columns"]] == ["Milk", "3.2.2031", "shop"]
    columns = ["What:title", "when:due_at", "Where:tags"]
    tasks = imported(person, container, "own-names.csv", columns=columns, date_format="DD.MM.YYYY")
    assert (tasks["Milk"]["due_at"], tasks["Milk"]["tags"]) == ("2031-02-03T23:59:00Z", ["shop"])
    assert_problem(send(person, "own-names.csv", columns=["Why:title"]), 422)
    assert_problem(send(person, "own-names.csv", columns=["What:name"]), 422)
    assert_problem(send(person, "own-names.csv", time_zone="Middle/Earth"), 422)


def test_an_export_of_the_previous_release(person: Person, container: Container) -> None:
    tasks = imported(person, container, "former-export.csv")
    cold = tasks["-5 degrees outside"]
    assert (cold["description"], cold["tags"]) == ("@home: call", ["a;b", "c,d", 'say "x"'])
    assert cold["due_at"] == "2030-01-31T12:00:00.123456Z"
    assert tasks["Äpfel, 'neu' \"alt\""]["description"] == " spaces \r\n"
    quoted = tasks["'quoted' title"]
    assert (quoted["description"], quoted["tags"]) == ("\ttabbed", ["home", "work"])


def test_requests_and_files_accept_the_same_dates(person: Person, container: Container) -> None:
    dates = {
        "9999-12-31T23:59:59Z": False,
        "0001-01-01T00:00:00Z": False,
        "9999-12-30T00:00:00Z": True,
        "0001-01-02T00:00:00Z": True,
        "2030-01-31T12:00:00.123456789Z": True,
        "2030-01-31t12:00:00z": True,
        "2030-01-31 12:00:00Z": False,
        "2030-02-30T12:00:00Z": False,
        "2030-01-31T12:00:00+14:00": True,
        "2030-01-31": False,
    }
    content = "title,due_at\n" + "".join(f"{text},{text}\n" for text in dates)
    tasks = imported(person, container, content.encode())
    answers = {text: person.call("POST", "/tasks", json={"title": "x", "due_at": text}) for text in dates}
    assert {text: text in tasks for text in dates} == dates
    assert {text: answer.status_code == 201 for text, answer in answers.items()} == dates
    for text, answer in answers.items():
        if dates[text]:
            assert answer.get_json()["due_at"] == tasks[text]["due_at"]


def test_a_preview_reads_only_the_head_of_a_large_file(person: Person) -> None:
    line = b"Milk," + b"x" * 90 + b"\n"
    head = (b"title,description\n" + line * 5000)[:HEAD]
    shown = preview(person, head)
    assert (shown["whole"], shown["refused"], len(shown["tasks"])) == (False, [], 5)
    assert shown["rows"] > 1000
    assert_problem(send(person, head + b"x", "/preview"), 413)
    assert_problem(send(person, b"\x1f\x8b\x08\x00bomb", "/preview"), 422)
    assert_problem(send(person, b"", "/preview"), 422)


def test_the_encoding_is_not_guessed(person: Person, container: Container) -> None:
    content = "title\nÄpfel\n".encode("utf-16-le")
    message = assert_problem(send(person, content), 422)["errors"][0]["message"]
    assert "looks like utf-16-le: say which" in message
    assert set(imported(person, container, content, encoding="utf-16-le")) == {"Äpfel", "refused"}
