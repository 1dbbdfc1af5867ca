"""Settings of one service: before those of all, in the row that a stack has, and what cannot work."""

import json
import re
from math import ceil
from typing import Any

import pulumi
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infra.config import project_file
from infra.config.phase_spec import PostgreSQL, Service
from infra.config.reading import ENTRY, paths_of
from infra.config.settings import Settings, load_settings
from infra.config.types import LogLevel
from infra.phases import PHASES
from tests.infra import engine

PHASE_3 = {"phase": "3", "hostname": "tasks.localhost"}
PHASE_4 = {**PHASE_3, "phase": "4"}
SMALL = {**PHASE_4, "size": "small"}
SERVICES = tuple(PHASES[4].services)


def settings(**config: Any) -> Settings:
    return load_settings(engine.as_engine({f"task-manager:{key}": value for key, value in config.items()}))


def accepted(**config: Any) -> Settings | None:
    try:
        return settings(**config)
    except pulumi.RunError:
        return None


def of(service: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values as settings of one service."""
    return {f"services.{service}.{path}": value for path, value in values.items()}


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "api.min_replicas": st.integers(1, 30),
    "api.max_replicas": st.integers(1, 60),
    "api.threads": st.integers(1, 32),
    "api.cpu": st.integers(10, 4000),
    "api.memory": st.integers(256, 4096),
    "workers.min_replicas": st.integers(1, 4),
    "workers.max_replicas": st.integers(1, 12),
    "workers.cpu": st.integers(10, 4000),
    "workers.memory": st.integers(256, 4096),
    "database.instances": st.integers(2, 9),
    "database.cpu": st.integers(10, 64_000),
    "database.memory": st.integers(256, 65_536),
    "database.storage": st.integers(10, 65_536),
    "database.wal_storage": st.integers(1, 65_536),
    "database.poolers": st.integers(2, 10),
    "database.replica_poolers": st.integers(0, 10),
    "log_level": st.sampled_from([level.value for level in LogLevel]),
}
"""Values of each setting that a service can have of its own."""

CHOSEN = st.fixed_dictionaries({}, optional=VALUES)


def numbers(service: Service, postgresql: PostgreSQL) -> dict[str, Any]:
    """What a service has, by the path of the setting that it is set by."""
    assert service.jobs
    return {
        "api.min_replicas": service.api.min_replicas,
        "api.max_replicas": service.api.max_replicas,
        "api.threads": service.api.threads,
        "api.cpu": service.api.compute.cpu_request,
        "api.memory": service.api.compute.memory,
        "workers.min_replicas": service.jobs.min_workers,
        "workers.max_replicas": service.jobs.max_workers,
        "workers.cpu": service.jobs.worker.cpu_request,
        "workers.memory": service.jobs.worker.memory,
        "database.instances": postgresql.instances,
        "database.cpu": postgresql.compute.cpu_request,
        "database.memory": postgresql.compute.memory,
        "database.storage": postgresql.storage,
        "database.wal_storage": postgresql.wal_storage,
        "database.poolers": postgresql.poolers,
        "database.replica_poolers": postgresql.replica_poolers,
    }


def all_of(found: Settings, service: str) -> dict[str, Any]:
    level = {"log_level": found.log_level_of(service).value}
    return numbers(found.row.services[service], found.row.postgresql_of(service)) | level


def test_a_service_has_settings_of_its_own_for_what_all_services_have_them_for() -> None:
    own = {path.partition(f"{ENTRY}.")[2] for path in paths_of(Settings)} - {""}
    assert own == set(VALUES)
    assert own <= set(paths_of(Settings))


@given(st.sampled_from(SERVICES), CHOSEN, CHOSEN)
def test_a_services_own_value_goes_before_that_of_all_and_that_before_the_phases(
    service: str, own: dict[str, Any], of_all: dict[str, Any]
) -> None:
    with_own = accepted(**PHASE_4, **of_all, **of(service, own))
    assume(with_own)
    assert with_own
    for each in SERVICES:
        of_phase = numbers(PHASES[4].services[each], PHASES[4].postgresql) | {"log_level": "info"}
        assert all_of(with_own, each) == of_phase | of_all | (own if each == service else {})


@given(st.integers(1, 500), st.integers(1, 100), st.integers(1, 64), st.integers(2, 10), st.sampled_from(SERVICES))
def test_connections_are_counted_for_the_service_whose_cluster_it_is(
    servers: int, workers: int, threads: int, poolers: int, service: str
) -> None:
    """One pooler may be away, and takes 500 connections; a pod opens one a thread, and two for health checks."""
    own = {
        "api.min_replicas": 1,
        "api.max_replicas": servers,
        "api.threads": threads,
        "workers.max_replicas": workers,
        "database.poolers": poolers,
        "database.replica_poolers": poolers,
    }
    opened = (ceil(servers * 1.25) + ceil(workers * 1.25) + 1) * (threads + 2)
    fits = opened <= 500 * max(1, poolers - 1)
    assert (accepted(**PHASE_4, **of(service, own)) is not None) is fits


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            {**PHASE_3, "services.tasks.api.max_replicas": 60},
            "services: phase 3 has one release of all services: remove it, or set task-manager:phase to 4",
        ),
        (
            {**PHASE_4, "services.task.api.max_replicas": 60},
            "services.task: there is no such service (did you mean task-manager:services.tasks?)",
        ),
        (
            {**PHASE_4, "services.billing.log_level": "debug"},
            "services.billing: there is no such service (they are auth, tasks, notifications, analytics)",
        ),
        (
            {**PHASE_4, "services.tasks.api.max_replica": 60},
            "services.tasks.api.max_replica: there is no such key (did you mean task-manager:services.tasks.api.max_r",
        ),
        (
            {**PHASE_4, "services.tasks.cache.shards": 3},
            "services.tasks.cache: there is no such key (",
        ),
        (
            {**PHASE_4, "services.tasks.database.kind": "postgresql"},
            "services.tasks.database.kind: there is no such key (",
        ),
        ({**PHASE_4, "services": "tasks"}, "services: it is an object: set one of its keys (SERVICE.api, SERVICE.w"),
        ({**PHASE_4, "services.tasks": 60}, "services.tasks: it is an object: set one of its keys (api, workers, data"),
        ({**PHASE_4, "services.tasks.api": 60}, "services.tasks.api: it is an object: set one of its keys (min_repl"),
        ({**PHASE_4, "services.tasks.api.threads": "many"}, "services.tasks.api.threads: 'many' is not a whole number"),
        ({**PHASE_4, "services.tasks.api.max_replicas": 501}, "services.tasks.api.max_replicas: 501 is above 500"),
        ({**PHASE_4, "services.tasks.log_level": "loud"}, "services.tasks.log_level: 'loud' is not one of 'debug', "),
        (
            {**PHASE_4, "services.tasks.api.min_replicas": 40},
            "services.tasks.api.max_replicas: 30 is below task-manager:services.tasks.api.min_replicas, which is 40: s",
        ),
        (
            {**PHASE_4, "api.min_replicas": 5, "services.auth.api.max_replicas": 4},
            "services.auth.api.max_replicas: 4 is below task-manager:api.min_replicas, which is 5: set it to 5 or more",
        ),
        (
            {**PHASE_4, "services.auth.workers.min_replicas": 3},
            "services.auth.workers.max_replicas: 2 is below task-manager:services.auth.workers.min_replicas, which is",
        ),
        (
            {**PHASE_4, "services.tasks.database.instances": 1},
            "services.tasks.database.instances: a write is confirmed by a standby, and 1 has none: set it to 2 or more",
        ),
        (
            {**PHASE_4, "database.durability": "preferred", "services.tasks.database.instances": 1},
            "services.tasks.database.replica_poolers: there is no standby to read from: set it to 0, or task-manager:s",
        ),
        (
            {**PHASE_4, "services.tasks.api.max_replicas": 60},
            "services.tasks.database.poolers: 2 let in 500 connections, and pods of the API and workers may open 860: ",
        ),
        (
            {**PHASE_4, "api.max_replicas": 60},
            "database.poolers: 2 let in 500 connections, and pods of the API and workers may open 860: raise it, or",
        ),
        (
            {**SMALL, "services.tasks.database.storage": 20},
            "services.tasks.database: at this size all services share one cluster: set task-manager:database in its pl",
        ),
        (
            {**SMALL, "services.tasks.api.max_replicas": 70},
            "database.poolers: 1 let in 500 connections, and pods of the API and workers may open 696: raise it, or lo",
        ),
    ],
)
def test_a_setting_of_a_service_that_cannot_work_is_answered_with_one_line(config: dict[str, Any], line: str) -> None:
    with pytest.raises(pulumi.RunError) as error:
        settings(**config)
    assert f"task-manager:{line}" in str(error.value)
    assert "\n" not in str(error.value)


KEYS = st.sampled_from([*SERVICES, *(part for path in VALUES for part in path.split(".")), "api.threads", "a.b", ""])
OBJECTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just('{"api": 1}'),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4),
)


@given(OBJECTS)
def test_whatever_stands_there_is_read_or_answered_with_one_line(written: Any) -> None:
    config = engine.as_engine({f"task-manager:{key}": value for key, value in PHASE_4.items()})
    answer = ""
    try:
        load_settings({**config, "task-manager:services": json.dumps(written)})
    except pulumi.RunError as error:
        answer = str(error)
    assert "\n" not in answer


@pytest.mark.parametrize("size", ["standard", "small"])
def test_too_many_connections_of_one_service_are_lowered_by_its_own_settings(size: str) -> None:
    with pytest.raises(pulumi.RunError) as error:
        settings(**PHASE_4, **{"size": size, "services.tasks.api.max_replicas": 90})
    remedy = "lower task-manager:services.tasks.api.max_replicas or task-manager:services.tasks.api.threads"
    assert remedy in str(error.value)


def test_connections_of_the_release_that_services_grow_out_of_are_counted_where_they_share_its_cluster() -> None:
    config = engine.as_engine(
        {f"task-manager:{key}": value for key, value in (SMALL | {"services.tasks.api.max_replicas": 44}).items()}
    )
    outputs = {"phase": 4.0, "gateway_namespace": "traefik"}
    assert load_settings(config, recorded={**outputs, "growth": "route"})
    with pytest.raises(pulumi.RunError, match="let in 500 connections, and pods of the API and workers may open 578:"):
        load_settings(config, recorded={**outputs, "growth": "move"})


def test_one_line_tells_of_all_services_that_have_no_settings_of_their_own() -> None:
    with pytest.raises(pulumi.RunError) as error:
        settings(**PHASE_4, **{"database.instances": 1, "services.tasks.log_level": "debug"})
    lines = str(error.value).removeprefix("configuration: ").split("; ")
    assert len([line for line in lines if line.startswith("task-manager:database.instances:")]) == 1
    assert len([line for line in lines if line.startswith("task-manager:services.tasks.database.instances:")]) == 1


def test_the_page_of_settings_names_the_services() -> None:
    assert all(f"`{service}`" in project_file.page().partition("| setting |")[0] for service in SERVICES)


def test_the_commands_that_scale_a_service_are_accepted() -> None:
    """Those of docs/operations.md, all together."""
    page = (engine.ROOT / "docs" / "operations.md").read_text()
    commands = dict(re.findall(r"^pulumi config set --path (services\.\S+) (\w+)", page, re.MULTILINE))
    found = settings(**PHASE_4, **commands)
    assert found.row.services["tasks"].api.max_replicas == 10 * PHASES[4].services["tasks"].api.max_replicas
    assert found.row.services["auth"].api.max_replicas == 2 * PHASES[4].services["auth"].api.max_replicas


@pytest.mark.parametrize("empty", [{}, {"tasks": {}}, {"tasks": {"api": {"threads": ""}, "log_level": None}}, ""])
def test_an_empty_setting_of_a_service_is_none(empty: Any) -> None:
    assert settings(**PHASE_3, services=empty) == settings(**PHASE_3)


def test_a_secret_value_of_a_service_is_not_shown() -> None:
    config = engine.as_engine({"task-manager:services.tasks.api.threads": "hunter2"})
    with pytest.raises(pulumi.RunError) as error:
        load_settings(config, frozenset(config))
    assert str(error.value).endswith("task-manager:services.tasks.api.threads: its secret value is not valid")
