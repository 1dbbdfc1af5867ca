"""Location of created resources (RFC 9110, section 15.3.2)."""

import io

from flask_openapi.openapi import OpenAPI
from werkzeug.test import TestResponse

from tests.support.api import PASSWORD, V1, Person, openapi_document


def test_each_creating_operation_returns_a_location(app: OpenAPI) -> None:
    person = Person(app.test_client()).register()
    task = person.create()
    registration = {"email": "another@example.com", "password": PASSWORD, "name": "Another"}
    file = {"file": (io.BytesIO(b"text"), "notes.txt")}
    created: dict[str, TestResponse] = {
        "create_task": person.call("POST", "/tasks", json={"title": "x"}),
        "add_attachment": person.call("POST", f"/tasks/{task['id']}/attachments", data=file),
        "register": person.client.post(f"{V1}/auth/register", json=registration),
    }
    document = openapi_document(person.client)
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert {each["operationId"] for each in operations if "201" in each["responses"]} == created.keys()
    for name, answer in created.items():
        assert answer.status_code == 201, answer.text
        found = person.call("GET", answer.headers["Location"].removeprefix(V1))
        assert found.status_code == 200, name
        if name != "register":  # its Location is /users/me, the caller's own account
            assert found.get_json() == answer.get_json()
