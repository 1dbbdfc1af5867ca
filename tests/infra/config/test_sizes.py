"""Sizes: what a stack sets in place of its phase's, and what cannot work together."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from infra.config.phase_spec import Phase
from infra.config.reading import fields_of
from infra.config.settings import Settings, load_settings
from infra.phases import PHASES
from tests.infra import engine
from tests.infra.variants import SIZES

PHASE_2 = {"phase": "2", "hostname": "tasks.example.com"}
PHASE_3 = {"phase": "3", "hostname": "tasks.example.com"}


DEFAULTS: dict[str, Callable[[Phase, str], Any]] = {
    "api.min_replicas": lambda row, service: row.services[service].api.min_replicas,
    "api.max_replicas": lambda row, service: row.services[service].api.max_replicas,
    "api.threads": lambda row, service: row.services[service].api.threads,
    "api.cpu": lambda row, service: row.services[service].api.compute.cpu_request,
    "api.memory": lambda row, service: row.services[service].api.compute.memory,
    "workers.min_replicas": lambda row, service: (jobs := row.services[service].jobs) and jobs.min_workers,
    "workers.max_replicas": lambda row, service: (jobs := row.services[service].jobs) and jobs.max_workers,
    "workers.cpu": lambda row, service: (jobs := row.services[service].jobs) and jobs.worker.cpu_request,
    "workers.memory": lambda row, service: (jobs := row.services[service].jobs) and jobs.worker.memory,
    "database.instances": lambda row, _: row.postgresql.instances,
    "database.cpu": lambda row, _: row.postgresql.compute.cpu_request,
    "database.memory": lambda row, _: row.postgresql.compute.memory,
    "database.storage": lambda row, _: row.postgresql.storage,
    "database.poolers": lambda row, _: row.postgresql.poolers,
    "database.replica_poolers": lambda row, _: row.postgresql.replica_poolers,
    "cache.shards": lambda row, _: row.cache and row.cache.shards,
    "cache.followers": lambda row, _: row.cache and row.cache.followers,
    "cache.cpu": lambda row, _: row.cache and row.cache.compute.cpu_request,
    "cache.memory": lambda row, _: row.cache and row.cache.compute.memory,
    "cache.storage": lambda row, _: row.cache and row.cache.storage,
    "broker.cpu": lambda row, _: row.broker and row.broker.compute.cpu_request,
    "broker.memory": lambda row, _: row.broker and row.broker.compute.memory,
    "broker.storage": lambda row, _: row.broker and row.broker.storage,
    "rabbitmq.cpu": lambda row, _: row.rabbitmq and row.rabbitmq.compute.cpu_request,
    "rabbitmq.memory": lambda row, _: row.rabbitmq and row.rabbitmq.compute.memory,
    "rabbitmq.storage": lambda row, _: row.rabbitmq and row.rabbitmq.storage,
    "monitoring.retention": lambda row, _: row.monitoring and row.monitoring.retention,
    "monitoring.storage": lambda row, _: row.monitoring and row.monitoring.storage,
}
"""What each setting replaces in a phase's row, for a service of it."""


def settings(**config: Any) -> Settings:
    return load_settings(engine.as_engine({f"task-manager:{key}": value for key, value in config.items()}))


@pytest.mark.parametrize("phase", PHASES)
def test_without_sizes_a_stack_has_those_of_its_phase(phase: int) -> None:
    assert settings(phase=str(phase), hostname="tasks.example.com").row == PHASES[phase]


def test_a_stack_has_the_sizes_that_it_sets_and_its_phases_for_the_rest() -> None:
    row = settings(**PHASE_3, **{"database.memory": 4096, "cache.shards": "5", "monitoring.storage": 40}).row
    former = PHASES[3]
    assert former.cache
    assert former.monitoring
    compute = row.postgresql.compute
    assert (compute.memory, compute.cpu_request) == (4096, former.postgresql.compute.cpu_request)
    assert row.cache == replace(former.cache, shards=5)
    assert row.monitoring == replace(former.monitoring, storage=40)
    assert row.services == former.services


def told(description: str, service: str) -> dict[int, int]:
    """The defaults that a description names by phase, such as (8), (1 and 2: 150, 3 to 4: 700), (3: 2, else 0) or,
    with a service that differs from others, (3: 12, 4: 6, of tasks 30).
    """
    [text] = re.findall(r"the phase's own \((.*?)\)", description)
    defaults: dict[int, int] = {}
    named: list[int] = []
    for part in text.split(", "):
        if differs := re.fullmatch(r"of (\w+) (\d+)", part):
            if differs[1] == service:
                defaults |= dict.fromkeys(named, int(differs[2]))
            continue
        phases, _, value = part.rpartition(": ")
        first, _, last = phases.partition(" to ")
        named = [int(phase) for phase in phases.split(" and ")] if phases and not last else list(PHASES)
        if last:
            named = list(range(int(first), int(last) + 1))
        for phase in named:
            defaults.setdefault(phase, int(value.removeprefix("else ")))
    return defaults


@pytest.mark.parametrize("path", DEFAULTS)
def test_the_description_of_a_size_names_the_defaults_of_the_phases(path: str) -> None:
    section, _, name = path.partition(".")
    model = fields_of(Settings)[section]
    assert model
    description = model.model_fields[name].description or ""
    for phase, row in PHASES.items():
        for service in row.services:
            there = DEFAULTS[path](row, service)
            assert there in (None, told(description, service).get(phase)), (phase, service)


def test_every_size_of_a_phase_is_named_by_its_setting() -> None:
    described = {
        f"{section}.{name}"
        for section, model in fields_of(Settings).items()
        if model
        for name, info in model.model_fields.items()
        if re.search(r"the phase's own \((?:[\d :,]|and|to|else|of \w+ )+\)", info.description or "")
    }
    assert described == set(DEFAULTS)


@pytest.mark.parametrize(("cpu", "limit"), [(500, 1000), (2000, 2000)])
def test_a_cpu_request_never_exceeds_its_limit(cpu: int, limit: int) -> None:
    compute = settings(**PHASE_2, **{"database.cpu": cpu}).row.postgresql.compute
    assert (compute.cpu_request, compute.cpu_limit) == (cpu, limit)


def test_all_sizes_together_fit_every_phase_that_has_the_parts() -> None:
    for phase in (PHASE_2, PHASE_3):
        row = settings(**phase, **SIZES).row
        assert row.postgresql.wal_storage == SIZES["database.wal_storage"]


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"api.memory": 100}, "api.memory: 100 is below 256"),
        ({"api.cpu": "500m"}, "api.cpu: '500m' is not a whole number"),
        ({"database.wal_storage": 70000}, "database.wal_storage: 70000 is above 65536"),
        ({**PHASE_2, "cache.storage": 0}, "cache.storage: 0 is below 1"),
        (
            {**PHASE_2, "cache.shards": 2},
            "cache.shards: of two shards none could outvote the other: set it to 1, or to 3 or more",
        ),
        (
            {**PHASE_3, "cache.shards": 1},
            "cache.followers: one shard has no others that could vote for its follower: set it to 0, or",
        ),
        (
            {**PHASE_3, "api.min_replicas": 13},
            "api.max_replicas: 12 is below task-manager:api.min_replicas, which is 13: set it to 13 or more",
        ),
        (
            {**PHASE_2, "workers.min_replicas": 3},
            "workers.max_replicas: 2 is below task-manager:workers.min_replicas, which is 3: set it to 3 or more",
        ),
        (
            {"api.max_replicas": 2},
            "api.max_replicas: phase 1 has one volume, so one pod: remove it, or set task-manager:phase to 2 or more",
        ),
        (
            {"database.kind": "postgresql", "api.max_replicas": 2},
            "api.max_replicas: phase 1 has limits in the process, so one pod: remove it, or set",
        ),
        ({"cache.memory": 512}, "cache: phase 1 has none: remove it, or set task-manager:phase to 2"),
        ({"broker.memory": 512}, "broker: phase 1 has none: remove it, or set task-manager:phase to 2"),
        ({**PHASE_3, "rabbitmq.memory": 2048}, "rabbitmq: phase 3 has none: remove it, or set task-manager:phase to 4"),
        ({"workers.cpu": 500}, "workers: phase 1 has none: remove it, or set task-manager:phase to 2"),
        (
            {"database.wal_storage": 5},
            "database.wal_storage: SQLite has nothing for it: remove it, or set task-manager:database.kind to",
        ),
        (
            {**PHASE_2, "database.instances": 1},
            "database.instances: a write is confirmed by a standby, and 1 has none: set it to 2 or more, or",
        ),
        (
            {**PHASE_3, "database.instances": 1, "database.durability": "preferred"},
            "database.replica_poolers: there is no standby to read from: set it to 0, or",
        ),
        (
            {**PHASE_3, "database.poolers": 0},
            "database.poolers: 0 let in 90 connections, and pods of the API and workers may open 210: raise it, or",
        ),
        (
            {**PHASE_3, "api.max_replicas": 40},
            "database.replica_poolers: 2 let in 500 connections, and pods of the API and workers may open",
        ),
    ],
)
def test_a_size_that_cannot_work_is_answered_with_one_line(config: dict[str, Any], line: str) -> None:
    with pytest.raises(pulumi.RunError) as error:
        settings(**config)
    assert f"task-manager:{line}" in str(error.value)
    assert "\n" not in str(error.value)


def test_every_combination_that_cannot_work_is_named_at_once() -> None:
    with pytest.raises(pulumi.RunError) as error:
        settings(**{"cache.memory": 512, "api.max_replicas": 2, "database.poolers": 1})
    assert all(key in str(error.value) for key in ("cache:", "api.max_replicas:", "database.poolers:"))


@pytest.mark.parametrize(
    "config",
    [
        {**PHASE_2, "database.instances": 1, "database.durability": "preferred"},
        {**PHASE_2, "database.poolers": 0},
        {**PHASE_3, "cache.shards": 1, "cache.followers": 0},
        {**PHASE_3, "api.max_replicas": 40, "database.poolers": 3, "database.replica_poolers": 3},
        {"database.kind": "postgresql", "database.instances": 2, "database.wal_storage": 5},
    ],
)
def test_what_can_work_is_left_to_the_owner(config: dict[str, Any]) -> None:
    assert settings(**config)
