"""The cache and the broker: what Valkey servers keep, who reaches them, and how they grow."""

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml

from infra import names, phases
from infra.components.data import cache
from infra.components.observability import valkey_exporter
from local.images import catalogue as images
from tests.infra import engine
from tests.infra.engine import Resource, Stack
from tests.support.quantities import value_of

SERVERS = (names.CACHE, names.BROKER)


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether a selector's labels are all among a pod's."""
    return bool(selector) and selector.items() <= labels.items()


def configuration(stack: Stack, name: str) -> dict[str, str]:
    lines = stack.find("ConfigMap", name).inputs["data"]["valkey.conf"].splitlines()
    return dict(line.split(" ", 1) for line in lines)


@pytest.mark.parametrize("name", SERVERS)
def test_data_is_kept_on_a_volume(phase2: Stack, name: str) -> None:
    assert phase2.find("StatefulSet", name).inputs["spec"]["volumeClaimTemplates"]
    assert configuration(phase2, name)["appendonly"] == "yes"


def test_the_cache_evicts_what_leaves_first_and_the_broker_nothing(phase2: Stack) -> None:
    assert configuration(phase2, names.CACHE)["maxmemory-policy"] == "volatile-ttl"
    assert "maxmemory-policy" not in configuration(phase2, names.BROKER), "noeviction is the default"


@pytest.mark.parametrize("name", SERVERS)
def test_the_memory_fits_the_container_with_room_for_a_rewrite(phase2: Stack, name: str) -> None:
    (container,) = phase2.find("StatefulSet", name).inputs["spec"]["template"]["spec"]["containers"]
    limit = int(value_of(container["resources"]["limits"]["memory"]) / 1024**2)
    assert int(configuration(phase2, name)["maxmemory"].removesuffix("mb")) <= limit * 0.7


def test_a_changed_configuration_changes_the_pod(monkeypatch: pytest.MonkeyPatch, phase2: Stack) -> None:
    def pod(stack: Stack) -> Any:
        return stack.find("StatefulSet", names.CACHE).inputs["spec"]["template"]

    monkeypatch.setattr(cache, "_CONFIGURATION", ("maxmemory-policy allkeys-lru",))
    assert pod(engine.run(engine.stack_file("phase2"), "phase2")) != pod(phase2)


@pytest.mark.parametrize(("name", "component"), [(names.CACHE, "cache"), (names.BROKER, "broker")])
def test_prometheus_asks_the_exporter_about_each_server(phase3: Stack, name: str, component: str) -> None:
    config = yaml.safe_load(phase3.find("ConfigMap", names.PROMETHEUS).inputs["data"]["prometheus.yaml"])
    [job] = [job for job in config["scrape_configs"] if job["job_name"] == "valkey"]
    [address] = [rule["replacement"] for rule in job["relabel_configs"] if rule.get("regex") == component]
    service = phase3.find("Service", f"{name}-exporter").inputs["spec"]
    assert address == f"{name}-exporter:{service['ports'][0]['port']:g}"
    exporter = phase3.find("Deployment", f"{name}-exporter").inputs["spec"]["template"]
    assert selects(service["selector"], exporter["metadata"]["labels"])
    kept = job["relabel_configs"][1]
    servers = phase3.find("StatefulSet", name).inputs["spec"]["template"]
    [container] = servers["spec"]["containers"]
    value = f"{servers['metadata']['labels']['app.kubernetes.io/component']};{container['ports'][0]['name']}"
    assert re.fullmatch(kept["regex"], value)


@pytest.mark.parametrize("name", SERVERS)
def test_the_exporter_gets_the_password_by_name_as_the_user_that_the_api_is(phase3: Stack, name: str) -> None:
    [container] = phase3.find("Deployment", f"{name}-exporter").inputs["spec"]["template"]["spec"]["containers"]
    env = {variable["name"]: variable for variable in container["env"]}
    assert env["REDIS_USER"]["value"] == names.VALKEY_USER
    assert env["REDIS_PASSWORD"]["valueFrom"] == {"secretKeyRef": {"name": name, "key": names.VALKEY_PASSWORD}}


@pytest.mark.parametrize("name", SERVERS)
def test_monitoring_restarts_no_server(phase2: Stack, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(phases.PHASES, 2, replace(phases.PHASES[2], monitoring=None))
    without = engine.run(engine.stack_file("phase2"), "phase2")
    assert without.find("StatefulSet", name).inputs == phase2.find("StatefulSet", name).inputs
    assert {each.urn for each in without.resources} < {each.urn for each in phase2.resources}, "nothing is replaced"


def test_the_local_cluster_has_the_exporters_image() -> None:
    assert images.VALKEY_EXPORTER_IMAGE.reference == valkey_exporter.IMAGE


@pytest.mark.parametrize("name", SERVERS)
def test_selectors_find_the_pods(phase3: Stack, name: str) -> None:
    server = phase3.find("StatefulSet", name).inputs["spec"]
    labels = server["template"]["metadata"]["labels"]
    assert selects(server["selector"]["matchLabels"], labels)
    assert selects(phase3.find("Service", server["serviceName"]).inputs["spec"]["selector"], labels)
    first = {**labels, "statefulset.kubernetes.io/pod-name": f"{name}-0"}
    assert selects(phase3.find("Service", name).inputs["spec"]["selector"], first)


def test_clients_of_one_server_are_led_to_the_one_that_has_the_keys_while_the_cluster_grows(phase2: Stack) -> None:
    grown = engine.run(engine.stack_file("phase3"), "phase2")
    selector = grown.find("Service", phase2.values["env"]["APP_REDIS_HOST"]).inputs["spec"]["selector"]
    assert selector["statefulset.kubernetes.io/pod-name"] == f"{names.CACHE}-0"


def test_clients_of_a_cluster_begin_with_any_server(phase3: Stack) -> None:
    assert phase3.values["env"]["APP_REDIS_HOST"] == names.CACHE_PODS
    assert phase3.find("Service", names.CACHE_PODS).inputs["spec"]["clusterIP"] == "None"


@pytest.mark.parametrize(("name", "variable"), [(names.CACHE, "APP_REDIS_HOST"), (names.BROKER, "APP_BROKER_HOST")])
def test_each_is_called_at_an_address_that_outlives_its_pod(phase2: Stack, name: str, variable: str) -> None:
    called = phase2.find("Service", phase2.values["env"][variable])
    assert called.object_name == name
    assert called.inputs["spec"].get("clusterIP") != "None"
    governing = phase2.find("Service", phase2.find("StatefulSet", name).inputs["spec"]["serviceName"])
    assert governing.inputs["spec"]["clusterIP"] == "None"


def test_servers_find_each_other_before_they_are_ready(phase3: Stack) -> None:
    assert phase3.find("Service", names.CACHE_PODS).inputs["spec"]["publishNotReadyAddresses"] is True
    assert phase3.find("StatefulSet", names.CACHE).inputs["spec"]["podManagementPolicy"] == "Parallel"


def test_nobody_logs_in_as_the_default_user_and_the_api_is_no_administrator(phase2: Stack) -> None:
    lines = phase2.find("ConfigMap", names.CACHE).inputs["data"]["start.sh"].splitlines()
    assert "user default off" in lines
    (rights,) = [line for line in lines if line.startswith(f"user {names.VALKEY_USER} ")]
    assert "-@admin -@dangerous" in rights
    assert phase2.values["env"]["APP_REDIS_USER"] == names.VALKEY_USER


def test_growing_restarts_no_server_of_the_cache(phase2: Stack) -> None:
    grown = engine.run(engine.stack_file("phase3"), "phase2")
    former, now = (stack.find("StatefulSet", names.CACHE).inputs["spec"] for stack in (phase2, grown))
    assert former["template"] == now["template"]
    assert (former["replicas"], now["replicas"]) == (1, 6)


def test_phase_3_has_three_shards_with_a_follower_each(phase3: Stack) -> None:
    assert phase3.find("StatefulSet", names.CACHE).inputs["spec"]["replicas"] == 6
    assert phase3.find("PodDisruptionBudget", names.CACHE).inputs["spec"]["maxUnavailable"] == 1
    assert phase3.values["env"]["APP_REDIS_CLUSTER"] == "true"
    assert phase3.find("StatefulSet", names.BROKER).inputs["spec"]["replicas"] == 1


def test_slots_are_shared_out_when_no_pod_of_the_former_phase_is_left(phase2: Stack, phase3: Stack) -> None:
    job = phase3.find("Job", names.CACHE_RESHARDING)
    assert phase3.find("Release").urn in job.dependencies
    (shape,) = job.inputs["spec"]["template"]["spec"]["containers"]
    words = shape["args"]
    servers = [words[place + 1] for place, word in enumerate(words) if word == "--server"]
    assert servers == [f"task-manager-cache-{number}.task-manager-cache-pods:6379" for number in range(6)]
    assert words[words.index("--shards") + 1] == "3"
    assert [resource.object_name for resource in phase2.objects if resource.kind == "Job"] == [names.SECRET_MAKER]


def test_roles_are_kept_apart_again_and_again_where_there_are_several(phase2: Stack, phase3: Stack) -> None:
    cron = phase3.find("CronJob", names.CACHE_SPREADING).inputs["spec"]
    assert (cron["schedule"], cron["concurrencyPolicy"]) == ("*/15 * * * *", "Forbid")
    (spread,) = cron["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert spread["command"][-1] == "spread-cache"
    assert sum(word == "--server" for word in spread["args"]) == 6
    assert names.CACHE_SPREADING not in [resource.object_name for resource in phase2.objects]


def test_a_server_says_where_it_runs_and_hands_over_when_it_is_stopped(phase3: Stack) -> None:
    (container,) = phase3.find("StatefulSet", names.CACHE).inputs["spec"]["template"]["spec"]["containers"]
    fields = {variable["name"]: variable["valueFrom"]["fieldRef"]["fieldPath"] for variable in container["env"]}
    assert fields["NODE_NAME"] == "spec.nodeName"
    assert fields["ZONE"] == "metadata.labels['topology.kubernetes.io/zone']"
    start = phase3.find("ConfigMap", names.CACHE).inputs["data"]["start.sh"]
    assert "cluster-announce-human-nodename $NODE_NAME\n" in start
    assert 'availability-zone "$ZONE"\n' in start
    assert configuration(phase3, names.CACHE)["shutdown-on-sigterm"] == "failover"
    assert configuration(phase3, names.CACHE)["cluster-allow-replica-migration"] == "no"


def lets_in(policy: Resource, port: int, labels: dict[str, str]) -> bool:
    return any(
        port in [allowed["port"] for allowed in rule["ports"]]
        and any(peer.get("podSelector", {}).get("matchLabels") == labels for peer in rule["from"])
        for rule in policy.inputs["spec"]["ingress"]
    )


def test_the_cluster_bus_is_the_servers_own(phase3: Stack) -> None:
    policy = phase3.find("NetworkPolicy", names.CACHE)
    assert lets_in(policy, 16379, names.CACHE_LABELS)
    assert not lets_in(policy, 16379, names.API_LABELS)
    assert lets_in(policy, 6379, names.API_LABELS)
    assert lets_in(policy, 6379, names.CACHE_RESHARDING_LABELS)
    (rule,) = policy.inputs["spec"]["egress"]
    assert {port["port"] for port in rule["ports"]} == {6379, 16379}
