"""Settings of one service: they are what its objects have, and no other service's objects change."""

import functools
from typing import Any

import pytest
import yaml
from hypothesis import Phase, assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from infra.names import ServiceNames
from tests.infra import snapshot
from tests.infra.config.test_services import CHOSEN, PHASE_4, SERVICES, accepted, of
from tests.infra.variants import ONE_SERVICE, VARIANTS
from tests.support.quantities import value_of

LIMITS = "prometheus-config"
"""The object with the limits of all services, each by its label."""

WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""An example takes a second: the smallest one that fails would take minutes."""

Described = dict[str, Any]


def registered(**config: Any) -> Described:
    """What the program registers, by the resource's name."""
    whole = snapshot.describe({f"task-manager:{key}": value for key, value in (PHASE_4 | config).items()}, "test")
    return {urn.rpartition("::")[2]: described for urn, described in whole.items()}


def growing(name: str, **config: Any) -> Described:
    """What the program registers in an update of a growth, with further settings."""
    variant = VARIANTS[name]
    added = {f"task-manager:{key}": value for key, value in config.items()}
    whole = snapshot.describe(variant.config | added, variant.stack, variant.deployed)
    return {urn.rpartition("::")[2]: described for urn, described in whole.items()}


@functools.cache
def without(size: str) -> Described:
    return registered(size=size)


def has(found: Described, service: str) -> dict[str, Any]:
    """What a service has in the cluster, by the path of the setting that it is set by."""

    def spec(name: str) -> Any:
        return found[name]["inputs"]["spec"] if name in found else {}

    values = found[f"api-{service}-release"]["inputs"]["values"]
    worker, cluster = values["jobs"]["worker"], f"database-{service}"
    database = spec(f"{cluster}-cluster")
    requests = {
        "api": values["resources"]["requests"],
        "workers": worker["resources"]["requests"],
        "database": database["resources"]["requests"],
    }
    return {
        "api.min_replicas": values["autoscaling"]["minReplicas"],
        "api.max_replicas": values["autoscaling"]["maxReplicas"],
        "api.threads": int(values["env"]["APP_THREADS"]),
        "workers.min_replicas": worker["autoscaling"]["minReplicas"],
        "workers.max_replicas": worker["autoscaling"]["maxReplicas"],
        "database.instances": database["instances"],
        "database.storage": int(value_of(database["storage"]["size"])) // 1024**3,
        "database.wal_storage": int(value_of(database.get("walStorage", {"size": "0"})["size"])) // 1024**3,
        "database.poolers": spec(f"{cluster}-pooler").get("instances", 0),
        "database.replica_poolers": spec(f"{cluster}-replica-pooler").get("instances", 0),
        "log_level": values["env"]["APP_LOG_LEVEL"],
        **{f"{part}.cpu": int(1000 * value_of(each["cpu"])) for part, each in requests.items()},
        **{f"{part}.memory": int(value_of(each["memory"])) // 1024**2 for part, each in requests.items()},
    }


def may_change(service: str) -> set[str]:
    """Resources that are a service's own: its release, its cluster with poolers, its way from the gateway."""
    own = ServiceNames(service).suffix
    database = ("cluster", "pooler", "replica-pooler", "replica-pooler-budget")
    return {f"api{own}-release", f"gateway-destination{own}", *(f"database{own}-{part}" for part in database)}


def limits_of_others(described: Described, service: str) -> list[dict[str, Any]]:
    [group] = yaml.safe_load(described["inputs"]["data"]["rules-limits.yaml"])["groups"]
    return [rule for rule in group["rules"] if rule["labels"].get("service") != service]


def changed(before: Described, after: Described) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@examples(max_examples=12, deadline=None, phases=WITHOUT_SHRINKING)
@given(st.sampled_from(SERVICES), CHOSEN)
def test_a_services_objects_have_what_is_set_for_it_and_no_others_change(service: str, own: dict[str, Any]) -> None:
    assume(accepted(**PHASE_4, **of(service, own)))
    before, after = without("standard"), registered(size="standard", **of(service, own))
    assert has(after, service) == has(before, service) | own
    assert changed(before, after) <= may_change(service) | {LIMITS}
    assert limits_of_others(before[LIMITS], service) == limits_of_others(after[LIMITS], service)


OF_RELEASE = CHOSEN.map(lambda own: {path: value for path, value in own.items() if "database" not in path})


@examples(max_examples=5, deadline=None, phases=WITHOUT_SHRINKING)
@given(st.sampled_from(SERVICES), OF_RELEASE)
def test_services_that_share_a_cluster_share_no_size_of_a_release(service: str, own: dict[str, Any]) -> None:
    assume(accepted(**PHASE_4, size="small", **of(service, own)))
    before, after = without("small"), registered(size="small", **of(service, own))
    assert changed(before, after) <= {f"api-{service}-release", f"gateway-destination-{service}", LIMITS}
    assert limits_of_others(before[LIMITS], service) == limits_of_others(after[LIMITS], service)


@pytest.mark.parametrize("step", ["phase4-move-standard", "phase4-retire-standard"])
def test_what_services_grow_out_of_has_the_sizes_of_all(step: str) -> None:
    before, after = growing(step), growing(step, **ONE_SERVICE)
    assert has(after, "tasks") == {path.removeprefix("services.tasks."): each for path, each in ONE_SERVICE.items()}
    assert changed(before, after) <= may_change("tasks") | {LIMITS}
    assert {"api-release", "database-cluster"} & after.keys(), "of the former phase"
