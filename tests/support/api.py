"""A registered and logged-in client of the API."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

V1 = "/api/v1"
METRICS = "http://localhost:9464"
"""The path of an application's metrics in production."""
PASSWORD = "correct horse battery"


@dataclass
class Person:
    """A user with an account and a session."""

    client: FlaskClient
    email: str = field(default_factory=lambda: f"{uuid4().hex}@example.com")
    access_token: str = ""
    refresh_token: str = ""

    def register(self) -> "Person":
        body = {"email": self.email, "password": PASSWORD, "name": "Somebody"}
        response = self.client.post(f"{V1}/auth/register", json=body)
        assert response.status_code == 201, response.text
        return self.login()

    def login(self) -> "Person":
        response = self.client.post(f"{V1}/auth/login", json={"email": self.email, "password": PASSWORD})
        assert response.status_code == 200, response.text
        return self._keep(response)

    def refresh(self) -> TestResponse:
        """Refresh the session; store the new pair of tokens if there is one."""
        response = self.client.post(f"{V1}/auth/refresh", json={"refresh_token": self.refresh_token})
        if response.status_code == 200:
            self._keep(response)
        return response

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.access_token}", **options.pop("headers", {})}
        return self.client.open(f"{V1}{path}", method=method, headers=headers, **options)

    def create(self, **task: Any) -> dict[str, Any]:
        response = self.call("POST", "/tasks", json={"title": "A task", **task})
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.get_json()
        return created

    def walk(self, **parameters: Any) -> list[dict[str, Any]]:
        """Return all tasks of a list, fetched page by page."""
        items: list[dict[str, Any]] = []
        cursor = None
        while True:
            query = {**parameters, **({"cursor": cursor} if cursor else {})}
            response = self.call("GET", "/tasks", query_string=query)
            assert response.status_code == 200, response.text
            page = response.get_json()
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    def _keep(self, response: TestResponse) -> "Person":
        pair = response.get_json()
        self.access_token, self.refresh_token = pair["access_token"], pair["refresh_token"]
        return self


def openapi_document(client: FlaskClient) -> dict[str, Any]:
    """Return the OpenAPI document: it has more values than the JSON of requests, by which the test client reads."""
    document: dict[str, Any] = json.loads(client.get(f"{V1}/openapi.json").data)
    return document


def assert_problem(response: TestResponse, status: int) -> dict[str, Any]:
    """Check that a response is a problem of this status, whole and of the right type; return it."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    body: dict[str, Any] = response.get_json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["instance"].startswith("/")
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body
