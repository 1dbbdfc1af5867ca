"""`make secrets`: which entries a store has to have for a stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.errors import LocalError
from local.stack.secret_entries import entries


def stack_file(root: Path, **settings: str) -> None:
    lines = "".join(f"  task-manager:{name}: {value}\n" for name, value in settings.items())
    (root / "Pulumi.own.yaml").write_text(f"config:\n  task-manager:hostname: tasks.example.com\n{lines}")


def test_each_secret_of_the_phase_has_an_entry_below_the_stacks_name(tmp_path: Path) -> None:
    stack_file(tmp_path, phase='"2"')
    found = {each.path: each.keys for each in entries("own", tmp_path)}
    assert found["task-manager/own/task-manager-keys"] == ("secret-key",)
    assert found["task-manager/own/task-manager-cache"] == ("password", "operator-password")
    assert "task-manager/own/task-manager-mail" not in found


def test_secrets_of_services_outside_are_entries_where_they_are_used(tmp_path: Path) -> None:
    mail = "{host: mail.example.com, user: tasks, sender: a@example.com}"
    store = "{source: vault, address: 'https://vault.example.com:8200', prefix: prod/tasks}"
    stack_file(tmp_path, phase='"2"', mail=mail, secrets=store, sms="{provider: twilio, sender: '+15005550006'}")
    found = {each.path: each.keys for each in entries("own", tmp_path)}
    assert found["prod/tasks/task-manager-mail"] == ("password",)
    assert found["prod/tasks/task-manager-sms"] == ("account", "secret")


def test_each_service_of_phase_4_has_entries_of_its_own(tmp_path: Path) -> None:
    stack_file(tmp_path, phase='"4"')
    names = {each.name for each in entries("own", tmp_path)}
    for service in ("auth", "tasks", "notifications", "analytics"):
        assert {f"task-manager-{service}-rabbitmq", f"task-manager-{service}-cache"} <= names


def test_a_stack_without_a_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"^there is no Pulumi\.nowhere\.yaml"):
        entries("nowhere", tmp_path)
