"""An account and its session, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx


@dataclass
class Account:
    """An account and its tokens; `client` sends the access token with each request."""

    client: httpx.Client
    email: str
    password: str
    tokens: dict[str, Any]

    @classmethod
    def create(cls, api: str) -> Account:
        """Register a new account at `api` (the address that ends in /api/v1) and log in."""
        client = httpx.Client(base_url=api, timeout=30)
        email, password = f"{uuid4().hex}@example.org", uuid4().hex
        made = client.post("/auth/register", json={"email": email, "password": password, "name": "Ada Example"})
        assert made.status_code == 201, made.text
        account = cls(client, email, password, {})
        account.log_in()
        return account

    def __enter__(self) -> Account:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.client.close()

    def log_in(self) -> None:
        answer = self.client.post("/auth/login", json={"email": self.email, "password": self.password})
        assert answer.status_code == 200, answer.text
        self.use(answer.json())

    def renew(self) -> None:
        """Get new tokens for the same session."""
        answer = self.client.post("/auth/refresh", json={"refresh_token": self.tokens["refresh_token"]})
        assert answer.status_code == 200, answer.text
        self.use(answer.json())

    def use(self, tokens: dict[str, Any]) -> None:
        """Send these tokens from now on."""
        self.tokens = tokens
        self.client.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    @property
    def token(self) -> str:
        return str(self.tokens["access_token"])
