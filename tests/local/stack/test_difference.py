"""`make diff`: settings of two stacks that differ, secrets by name alone, and images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from local.cli import stack as commands
from local.errors import LocalError
from local.stack import difference, pulumi
from local.stack.difference import Comparison, Difference, compare

STAGING = {
    "task-manager:phase": "2",
    "task-manager:gateway": {"certificate": "provided", "redirect_http": True},
    "task-manager:mail": {"host": "mail.example.com", "user": {"secure": "v1:one"}},
    "task-manager:sms": {"provider": {"secure": "v1:three"}},
}
PROD = {
    "task-manager:phase": "3",
    "task-manager:gateway": {"certificate": "provided", "redirect_http": "true"},
    "task-manager:mail": {"host": "mail.example.com", "user": {"secure": "v1:two"}},
    "task-manager:budget": 1000,
}


@pytest.fixture(autouse=True)
def no_stack_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def outputs(_: str | None) -> dict[str, object]:
        raise LocalError("no stack is up")

    monkeypatch.setattr(pulumi, "outputs", outputs)


def write(folder: Path, **stacks: object) -> Path:
    for name, config in stacks.items():
        (folder / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": config}))
    return folder


def test_settings_that_differ_are_named_with_both_values_and_secrets_without(tmp_path: Path) -> None:
    assert compare("staging", "prod", write(tmp_path, staging=STAGING, prod=PROD)).differences == [
        Difference("task-manager:budget", None, "1000"),
        Difference("task-manager:phase", "2", "3"),
        Difference("task-manager:sms.provider", "(secret)", None),
    ]


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers() | st.booleans() | st.text("xyz", max_size=3)))
def test_a_stack_does_not_differ_from_one_that_sets_the_same_as_text(values: dict[str, object]) -> None:
    texts = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values.items()}
    with pytest.MonkeyPatch.context() as patch:
        stacks = {"Pulumi.one.yaml": values, "Pulumi.two.yaml": texts}
        patch.setattr(difference, "read_stack_file", lambda file: stacks[file.name])
        assert compare("one", "two").differences == []


def test_what_is_not_compared_is_said(tmp_path: Path) -> None:
    notes = compare("staging", "prod", write(tmp_path, staging=STAGING, prod=PROD)).not_compared
    assert notes == [
        "both have secrets, which are not compared: task-manager:mail.user",
        "the images that run are not compared: no stack is up",
    ]


def test_images_of_stacks_that_are_up_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = {"staging": "registry/app@sha256:aa", "prod": "registry/app@sha256:bb"}
    monkeypatch.setattr(pulumi, "outputs", lambda stack: {"image": images[stack]})
    root = write(tmp_path, staging=PROD, prod=PROD)
    assert compare("staging", "prod", root).differences == [Difference("image that runs", *images.values())]
    assert compare("prod", "prod", root).differences == []


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "there is no Pulumi.prod.yaml in "), ("config: [", "Pulumi.prod.yaml is no YAML in line ")],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, text: str | None, told: str) -> None:
    root = write(tmp_path, staging=STAGING)
    if text:
        (root / "Pulumi.prod.yaml").write_text(text)
    with pytest.raises(LocalError, match=told) as raised:
        compare("staging", "prod", root)
    assert "\n" not in str(raised.value)


def test_the_command_prints_a_table_json_or_that_nothing_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Difference("task-manager:phase", "2", None)]
    monkeypatch.setattr(commands, "compare", lambda one, other: Comparison(found if one != other else [], []))
    run = CliRunner().invoke
    table = run(commands.stack_commands, ["diff", "staging", "prod"])
    assert [word for word in ("staging", "prod", "task-manager:phase", "not set") if word not in table.output] == []
    said = run(commands.stack_commands, ["diff", "staging", "prod", "--json"])
    assert json.loads(said.output) == [{"setting": "task-manager:phase", "one": "2", "other": None}]
    assert run(commands.stack_commands, ["diff", "prod", "prod"]).output == "prod and prod do not differ\n"
    assert table.exit_code == said.exit_code == 0
