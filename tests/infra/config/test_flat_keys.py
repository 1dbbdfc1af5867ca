"""Flat keys of the release before: the same result as their sections, and one warning for each."""

from typing import Any

import pulumi
import pytest

from infra.config import project_file
from infra.config.flat_keys import FLAT_KEYS, as_text
from infra.config.reading import paths_of
from infra.config.settings import Settings, load_settings
from tests.infra import engine, snapshot
from tests.infra.variants import VARIANTS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_cloudflare")

FLAT = {f"task-manager:{path}": f"task-manager:{key}" for key, path in FLAT_KEYS.items()}


DEFAULTS = {
    f"{name}.{info.alias or key}": as_text(project_file.default_of(info))
    for name, field in Settings.model_fields.items()
    for key, info in getattr(field.annotation, "model_fields", {}).items()
}
WITHOUT_DEFAULT = {
    "database.kind": "postgresql",
    "database.restores": "2030-01-02T03:04:05+00:00@1",
    "backups.bucket": "b",
    "backups.endpoint": "https://s3.example.com",
    "backups.folder": "a",
    "gateway.class": "a",
    "gateway.namespace": "a",
    "gateway.port": "80",
    "gateway.port_tls": "443",
    "cdn.kind": "none",
    "cdn.zone": "0123456789abcdef" * 2,
    "cdn.origin": "a.example",
    "mail.host": "a.example",
    "mail.user": "tasks",
    "mail.sender": "a@example.com",
    "monitoring.release": "a",
    "tracing.endpoint": "http://a:4318",
    "logs.endpoint": "http://a",
}
NEEDED = {
    "task-manager:phase": "2",
    "task-manager:hostname": "a.localhost",  # no passwords travel, so nothing else is warned of
    "task-manager:backups": '{"bucket": "b"}',
    "task-manager:mail": '{"sender": "a@example.com"}',
}


def flat(config: dict[str, Any]) -> dict[str, str]:
    """The configuration as a stack of the release before has it."""
    written = {FLAT.get(key, key): as_text(value) for key, value in config.items()}
    if written.get("task-manager:former_databases") == "hibernated":
        written["task-manager:former_databases"] = "asleep"
    return written


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the program warns of."""
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda line, *_: said.append(line))
    return said


def test_every_flat_key_leads_to_a_setting() -> None:
    assert set(FLAT_KEYS.values()) <= set(paths_of(Settings))
    assert len(set(FLAT_KEYS.values())) == len(FLAT_KEYS)


def known_before(config: dict[str, Any]) -> bool:
    """Whether the release before has all of it: a setting that came later has its section alone."""
    return all(key in FLAT for key in config if "." in key)


@pytest.mark.parametrize(
    "name",
    [name for name, variant in VARIANTS.items() if set(variant.config) & set(FLAT) and known_before(variant.config)],
)
def test_flat_keys_register_the_same_resources(name: str, warnings: list[str]) -> None:
    variant = VARIANTS[name]
    described = snapshot.describe(flat(variant.config), snapshot.stack_name(name), variant.deployed)
    assert described == snapshot.take(name)
    moved = [key for key in flat(variant.config) if key.partition(":")[2] in FLAT_KEYS]
    assert sum("is deprecated" in line for line in warnings) == sum(flat(variant.config)[key] != "" for key in moved)


@pytest.mark.parametrize(("key", "path"), FLAT_KEYS.items())
def test_a_flat_key_is_read_with_a_warning_that_names_its_path(key: str, path: str, warnings: list[str]) -> None:
    load_settings({**NEEDED, f"task-manager:{key}": DEFAULTS[path] or WITHOUT_DEFAULT[path]})
    [line] = warnings
    assert line.startswith(f"task-manager:{key} is deprecated")
    assert line.endswith(f"set task-manager:{path}")


@pytest.mark.parametrize("value", ["asleep", "hibernated"])
def test_the_former_word_for_hibernated_clusters_is_understood(value: str, warnings: list[str]) -> None:
    assert load_settings({"task-manager:former_databases": value}).database.retired_clusters == "hibernated"
    assert len(warnings) == 1


def test_both_forms_with_one_value_are_accepted(warnings: list[str]) -> None:
    both = {"task-manager:gateway": '{"port": 80, "redirect_http": true}', "task-manager:gateway_port": "80"}
    assert load_settings({**both, "task-manager:redirect_http": "true"}).gateway.port == 80
    assert len(warnings) == 2


def test_both_forms_with_different_values_are_one_error() -> None:
    with pytest.raises(pulumi.RunError) as error:
        load_settings({"task-manager:gateway": '{"port": 80}', "task-manager:gateway_port": "81"})
    assert str(error.value) == (
        "configuration: task-manager:gateway_port: task-manager:gateway.port says something else:"
        " remove task-manager:gateway_port, which it replaces"
    )


def test_objects_alone_give_no_warning(warnings: list[str]) -> None:
    load_settings({**engine.project_defaults(), **engine.as_engine(engine.stack_file("phase3"))})
    assert warnings == []
