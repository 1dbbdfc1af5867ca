"""What the program asks the engine for, phase by phase."""

from typing import Any

import pytest

from infra.phases import PHASES
from tests.infra import engine
from tests.infra.engine import Resource, Stack


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether a selector's labels are all among a pod's."""
    return bool(selector) and selector.items() <= labels.items()


def values(stack: Stack) -> dict[str, Any]:
    """What the chart is installed with."""
    found: dict[str, Any] = stack.find("Release").inputs["values"]
    return found


# --- every variant


def test_everything_is_made_in_the_stacks_own_namespace(variants: dict[str, Stack]) -> None:
    for name, stack in variants.items():
        for resource in stack.objects:
            if resource.kind != "Namespace":
                where = resource.inputs.get("namespace") or resource.inputs["metadata"]["namespace"]
                assert where == f"task-manager-{name}", resource.name


def test_everything_goes_through_the_one_provider(stack: Stack) -> None:
    assert {resource.provider.rpartition("::")[0] for resource in stack.objects} == {
        next(resource.urn for resource in stack.resources if resource.type == "pulumi:providers:kubernetes")
    }


def test_every_object_belongs_to_a_component(stack: Stack) -> None:
    components = {resource.urn for resource in stack.resources if not resource.custom}
    assert {resource.parent for resource in stack.objects} <= components


def test_nothing_is_made_before_the_namespace(stack: Stack) -> None:
    namespace = stack.find("Namespace").urn
    assert [
        resource.name
        for resource in stack.objects
        if resource.kind != "Namespace" and namespace not in resource.dependencies
    ] == []


def test_the_release_waits_for_all_that_it_stands_on(stack: Stack) -> None:
    release = stack.find("Release")
    others = {resource.urn for resource in stack.objects if resource is not release}
    assert others <= release.dependencies


def test_the_release_goes_back_by_itself(stack: Stack) -> None:
    inputs = stack.find("Release").inputs
    assert inputs["atomic"] is True
    assert inputs.get("skipAwait", False) is False
    assert inputs["timeout"] == 300


def test_the_release_has_the_time_that_the_stack_gives_it_and_the_engine_waits_longer() -> None:
    release = engine.run({"task-manager:rollout_timeout": "600"}).find("Release")
    assert release.inputs["timeout"] == 600
    minutes = int(release.create_timeout.removesuffix("m"))
    assert minutes * 60 > 2 * 600


def test_the_chart_is_named_by_a_path_that_no_machine_owns(stack: Stack) -> None:
    chart = stack.find("Release").inputs["chart"]
    assert not chart.startswith("/")
    assert (engine.PROGRAM / chart / "Chart.yaml").resolve().is_file()


def test_the_outputs_say_where_it_is_and_how_to_get_in(stack: Stack) -> None:
    outputs = stack.outputs
    assert outputs["url"].startswith("http://")
    assert outputs["url"] in outputs["login"]
    assert outputs["reach"]["api"].startswith(f"kubectl --namespace {outputs['namespace']} ")
    assert outputs["phase"] in PHASES


@pytest.mark.parametrize(
    ("variant", "parts"),
    [
        ("phase1", {"api", "logs", "pods", "database"}),
        ("phase2", {"api", "logs", "pods", "database", "cache", "gateway"}),
    ],
)
def test_the_outputs_say_how_to_reach_each_part(variants: dict[str, Stack], variant: str, parts: set[str]) -> None:
    assert set(variants[variant].outputs["reach"]) == parts


# --- growing


def test_what_both_phases_have_keeps_its_name() -> None:
    def by_name(phase: str) -> dict[str, str]:
        config = {"task-manager:phase": phase, "task-manager:database": "postgresql"}
        stack = engine.run({**config, "task-manager:hostname": "tasks.example.com"}, "prod")
        return {resource.urn: resource.object_name for resource in stack.objects}

    before, after = by_name("1"), by_name("2")
    assert set(before) <= set(after), "growing must not replace anything"
    assert before == {urn: after[urn] for urn in before}


def test_the_api_is_installed_under_one_name_in_every_variant(variants: dict[str, Stack]) -> None:
    assert {stack.find("Release").object_name for stack in variants.values()} == {"task-manager"}


# --- phase 1


def test_phase_1_is_one_instance_on_a_volume_that_the_chart_mounts(phase1: Stack) -> None:
    assert values(phase1)["autoscaling"] == {"minReplicas": 1, "maxReplicas": 1}
    claim = phase1.find("PersistentVolumeClaim")
    assert values(phase1)["persistence"] == {"enabled": True, "claimName": claim.object_name, "mountPath": "/data"}
    assert values(phase1)["env"]["APP_DATABASE_URL"] == "sqlite:////data/tasks.sqlite"


def test_phase_1_needs_no_operator_gateway_or_cache(phase1: Stack) -> None:
    assert not any(phase1.has(kind) for kind in ("Cluster", "Pooler", "Gateway", "StatefulSet", "Middleware"))


def test_phase_1_does_not_wait_for_a_volume_that_waits_for_its_first_pod(phase1: Stack) -> None:
    annotations = phase1.find("PersistentVolumeClaim").inputs["metadata"]["annotations"]
    assert annotations["pulumi.com/skipAwait"] == "true"


def test_phase_1_is_reached_at_its_node_port_and_believes_no_proxy(phase1: Stack) -> None:
    assert values(phase1)["service"] == {"type": "NodePort", "port": 8000, "nodePort": 30080}
    assert values(phase1)["env"]["APP_TRUSTED_HOPS"] == "0"
    assert phase1.outputs["url"] == "http://127.0.0.1:30080"


def test_phase_1_runs_on_one_instance_of_postgresql_by_setting(phase1_postgresql: Stack) -> None:
    spec = phase1_postgresql.find("Cluster").inputs["spec"]
    assert spec["instances"] == 1
    assert spec["enablePDB"] is False, "it would block the drain of the node"
    assert "synchronous" not in spec["postgresql"], "no standby: every write would wait for ever"
    assert not phase1_postgresql.has("Pooler")
    assert not phase1_postgresql.has("PersistentVolumeClaim")
    assert values(phase1_postgresql)["env"]["APP_DATABASE_HOST"] == "task-manager-database-rw"


# --- phase 2


def test_phase_2_is_three_instances_behind_the_gateway(phase2: Stack) -> None:
    assert values(phase2)["autoscaling"] == {"minReplicas": 3, "maxReplicas": 3}
    assert values(phase2)["service"]["type"] == "ClusterIP"
    assert values(phase2)["route"]["gateway"]["name"] == phase2.find("Gateway").object_name
    assert values(phase2)["env"]["APP_TRUSTED_HOPS"] == "1"


def test_phase_2_confirms_every_write_on_the_standby(phase2: Stack) -> None:
    spec = phase2.find("Cluster").inputs["spec"]
    assert spec["instances"] == 2
    assert spec["enablePDB"] is True
    assert spec["postgresql"]["synchronous"] == {"method": "any", "number": 1, "dataDurability": "required"}


def test_phase_2_lets_an_owner_choose_writes_over_durability() -> None:
    config = {**engine.stack_file("phase2"), "task-manager:database_durability": "preferred"}
    spec = engine.run(config).find("Cluster").inputs["spec"]
    assert spec["postgresql"]["synchronous"]["dataDurability"] == "preferred"


def test_the_migration_finds_a_database_that_answers(phase2: Stack, phase1_postgresql: Stack) -> None:
    for stack in (phase2, phase1_postgresql):
        cluster = stack.find("Cluster")
        assert cluster.inputs["metadata"]["annotations"]["pulumi.com/waitFor"] == "condition=Ready"
        assert cluster.urn in stack.find("Release").dependencies


def test_phase_2_talks_to_the_database_through_a_pooler_in_transaction_mode(phase2: Stack) -> None:
    pooler = phase2.find("Pooler")
    assert pooler.inputs["spec"]["pgbouncer"]["poolMode"] == "transaction"
    assert pooler.inputs["spec"]["cluster"]["name"] == phase2.find("Cluster").object_name
    assert values(phase2)["env"]["APP_DATABASE_HOST"] == pooler.object_name


def test_poolers_together_leave_connections_for_migrations_and_the_operator(phase2: Stack) -> None:
    pooler = phase2.find("Pooler").inputs["spec"]
    pools = pooler["instances"] * int(pooler["pgbouncer"]["parameters"]["default_pool_size"])
    assert pools <= int(phase2.find("Cluster").inputs["spec"]["postgresql"]["parameters"]["max_connections"]) // 2


def test_the_database_password_comes_from_the_operators_secret(phase2: Stack) -> None:
    variables = {variable["name"]: variable for variable in values(phase2)["envFromSecrets"]}
    assert variables["APP_DATABASE_USER"] == {
        "name": "APP_DATABASE_USER",
        "secret": "task-manager-database-app",
        "key": "username",
    }
    assert variables["APP_DATABASE_PASSWORD"]["key"] == "password"


def test_the_job_makes_exactly_the_secrets_that_are_used(stack: Stack) -> None:
    containers = stack.find("Job").inputs["spec"]["template"]["spec"]["containers"]
    made = {container["args"][container["args"].index("--name") + 1] for container in containers}
    used = {variable["secret"] for variable in values(stack)["envFromSecrets"]} - {"task-manager-database-app"}
    if stack.has("Gateway"):
        listeners = stack.find("Gateway").inputs["spec"]["listeners"]
        used |= {ref["name"] for listener in listeners for ref in listener.get("tls", {}).get("certificateRefs", [])}
    if stack.has("StatefulSet"):
        volumes = stack.find("StatefulSet").inputs["spec"]["template"]["spec"]["volumes"]
        used |= {volume["secret"]["secretName"] for volume in volumes if "secret" in volume}
    assert made == used


def test_each_key_that_the_chart_asks_for_is_a_key_that_the_job_makes(stack: Stack) -> None:
    made = set()
    for container in stack.find("Job").inputs["spec"]["template"]["spec"]["containers"]:
        words = container["args"]
        keys = [words[place + 1] for place, word in enumerate(words) if word == "--key"]
        made |= {(words[words.index("--name") + 1], key) for key in keys}
    asked = {(variable["secret"], variable["key"]) for variable in values(stack)["envFromSecrets"]}
    assert {pair for pair in asked if pair[0] != "task-manager-database-app"} <= made


def test_provided_secrets_are_not_made() -> None:
    config = {**engine.stack_file("phase2"), "task-manager:secrets": "provided", "task-manager:tls": "provided"}
    assert not engine.run(config).has("Job")


def test_the_cache_keeps_its_data_on_a_volume_and_evicts_no_denied_token(phase2: Stack) -> None:
    server = phase2.find("StatefulSet").inputs["spec"]
    assert server["volumeClaimTemplates"]
    written = phase2.find("ConfigMap").inputs["data"]["valkey.conf"].splitlines()
    assert "appendonly yes" in written
    assert "maxmemory-policy noeviction" in written


def test_the_caches_memory_fits_its_container_with_room_for_a_rewrite(phase2: Stack) -> None:
    (container,) = phase2.find("StatefulSet").inputs["spec"]["template"]["spec"]["containers"]
    limit = int(container["resources"]["limits"]["memory"].removesuffix("Mi"))
    written = dict(
        line.split(" ", 1) for line in phase2.find("ConfigMap").inputs["data"]["valkey.conf"].splitlines() if line
    )
    assert int(written["maxmemory"].removesuffix("mb")) <= limit * 0.7


def test_a_changed_cache_configuration_changes_the_pod(monkeypatch: pytest.MonkeyPatch, phase2: Stack) -> None:
    from infra.components import cache

    def pod(stack: Stack) -> Any:
        return stack.find("StatefulSet").inputs["spec"]["template"]

    monkeypatch.setattr(cache, "configuration", lambda _memory: "port 6379\n")
    assert pod(engine.run(engine.stack_file("phase2"), "phase2")) != pod(phase2)


@pytest.mark.parametrize("kind", ["StatefulSet", "Service"])
def test_the_caches_selectors_find_its_pod(phase2: Stack, kind: str) -> None:
    labels = phase2.find("StatefulSet").inputs["spec"]["template"]["metadata"]["labels"]
    selector = phase2.find(kind).inputs["spec"]["selector"]
    assert selects(selector.get("matchLabels", selector), labels)


def test_a_network_policy_of_the_program_selects_the_pods_that_it_is_about(phase2: Stack) -> None:
    pods: dict[str, Resource] = {
        "task-manager-cache": phase2.find("StatefulSet"),
        "task-manager-secrets": phase2.find("Job"),
    }
    for name, owner in pods.items():
        selector = phase2.find("NetworkPolicy", name).inputs["spec"]["podSelector"]["matchLabels"]
        assert selects(selector, owner.inputs["spec"]["template"]["metadata"]["labels"])


def test_the_api_may_call_what_lets_it_in(phase2: Stack) -> None:
    for rule in values(phase2)["networkPolicy"]["egressTo"]:
        (peer,) = rule["to"]
        wanted = peer["podSelector"]["matchLabels"]
        (port,) = rule["ports"]
        answering = [
            policy
            for policy in phase2.objects
            if policy.kind == "NetworkPolicy"
            and selects(wanted, policy.inputs["spec"]["podSelector"].get("matchLabels", {}))
            and any(
                port["port"] in (p["port"] for p in way["ports"]) for way in policy.inputs["spec"].get("ingress", [])
            )
        ]
        assert answering, f"nothing lets the API in at {wanted}:{port['port']}"


def test_the_gateway_ends_tls_and_serves_routes_of_its_namespace_alone(phase2: Stack) -> None:
    spec = phase2.find("Gateway").inputs["spec"]
    listeners = {listener["name"]: listener for listener in spec["listeners"]}
    assert spec["gatewayClassName"] == "traefik"
    assert (listeners["http"]["port"], listeners["https"]["port"]) == (8000, 8443)
    assert listeners["https"]["tls"]["mode"] == "Terminate"
    assert all(listener["allowedRoutes"] == {"namespaces": {"from": "Same"}} for listener in listeners.values())


def test_least_loaded_goes_through_a_balancer_that_compares_two_pods(phase2: Stack) -> None:
    balancer = phase2.find("TraefikService")
    (service,) = balancer.inputs["spec"]["weighted"]["services"]
    assert (service["name"], service["port"], service["strategy"]) == ("task-manager", 8000, "p2c")
    assert values(phase2)["route"]["backend"] == {
        "group": "traefik.io",
        "kind": "TraefikService",
        "name": balancer.object_name,
    }


def test_round_robin_goes_to_the_service_itself(tls_only: Stack) -> None:
    assert not tls_only.has("TraefikService")
    assert "backend" not in values(tls_only)["route"]


def test_a_request_that_met_a_vanished_pod_is_tried_again(phase2: Stack) -> None:
    (rule,) = values(phase2)["route"]["filters"]
    assert rule["extensionRef"]["name"] == phase2.find("Middleware").object_name
    assert phase2.find("Middleware").inputs["spec"]["retry"]["attempts"] > 1


def test_plain_http_is_served_by_default_and_sent_on_by_setting(phase2: Stack, tls_only: Stack) -> None:
    assert values(phase2)["route"]["gateway"]["sectionNames"] == ["http", "https"]
    assert not phase2.has("HTTPRoute")
    assert values(tls_only)["route"]["gateway"]["sectionNames"] == ["https"]
    (rule,) = tls_only.find("HTTPRoute").inputs["spec"]["rules"]
    assert rule["filters"][0]["requestRedirect"] == {"scheme": "https", "port": 443, "statusCode": 301}


def test_a_host_name_is_the_only_one_that_is_answered_for(tls_only: Stack) -> None:
    listeners = tls_only.find("Gateway").inputs["spec"]["listeners"]
    assert {listener["hostname"] for listener in listeners} == {"tasks.example.com"}
    assert values(tls_only)["route"]["hostnames"] == ["tasks.example.com"]


# --- data


def test_data_is_protected_unless_the_stack_says_otherwise(tls_only: Stack, phase2: Stack) -> None:
    assert {resource.kind for resource in tls_only.objects if resource.protect} == {"Namespace", "Cluster"}
    assert tls_only.outputs["protected"] == [
        "namespace task-manager-phase2-tls-only",
        "database cluster task-manager-database with its volumes",
    ]
    assert not [resource.name for resource in phase2.objects if resource.protect]
    assert phase2.outputs["protected"] == []


def test_the_sqlite_volume_is_protected_with_its_namespace() -> None:
    stack = engine.run({})
    assert {resource.kind for resource in stack.objects if resource.protect} == {"Namespace", "PersistentVolumeClaim"}


def test_every_volume_is_of_the_stacks_storage_class(tls_only: Stack, phase2: Stack) -> None:
    assert tls_only.find("Cluster").inputs["spec"]["storage"]["storageClass"] == "fast"
    (claim,) = tls_only.find("StatefulSet").inputs["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast"
    assert "storageClass" not in phase2.find("Cluster").inputs["spec"]["storage"]
