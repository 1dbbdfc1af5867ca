"""Phase 2: three instances behind the gateway, a database with a standby and a pooler, a cache."""

from typing import Any

from infra import names
from infra.phases import PHASES
from tests.infra import engine
from tests.infra.engine import Resource, Stack


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether a selector's labels are all among a pod's."""
    return bool(selector) and selector.items() <= labels.items()


def test_phase_2_is_three_instances_behind_the_gateway(phase2: Stack) -> None:
    assert phase2.values["autoscaling"] == {"minReplicas": 3, "maxReplicas": 3}
    assert phase2.values["service"]["type"] == "ClusterIP"
    assert phase2.values["route"]["gateway"]["name"] == phase2.find("Gateway").object_name
    assert phase2.values["env"]["APP_TRUSTED_HOPS"] == "1"


def test_phase_2_fits_a_node_of_two_cpus_beside_the_addons_even_while_it_is_updated() -> None:
    config = {
        "task-manager:phase": "2",
        "task-manager:hostname": "tasks.example.com",
        "task-manager:backups.bucket": "backups",
    }
    stack, row = engine.run(config), PHASES[2].services[names.ALL]
    assert row.jobs
    surge = 1  # of each Deployment of the chart
    asked = (row.api.max_replicas + surge) * row.api.compute.cpu_request
    asked += (row.jobs.min_workers + surge) * row.jobs.worker.cpu_request + (1 + surge) * row.jobs.beat.cpu_request
    for resource in stack.objects:
        spec = resource.inputs.get("spec", {})
        if resource.kind in ("StatefulSet", "Deployment", "Pooler"):
            containers = spec["template"]["spec"]["containers"]
            each = sum(millicores(container["resources"]) for container in containers)
            asked += each * spec.get("instances", spec.get("replicas", 1))
        if resource.kind == "Cluster":
            sidecar = stack.find("ObjectStore").inputs["spec"]["instanceSidecarConfiguration"]
            asked += spec["instances"] * (millicores(spec["resources"]) + millicores(sidecar["resources"]))
    assert 1400 < asked <= 1500


def millicores(resources: dict[str, Any]) -> int:
    """The CPU that is asked for."""
    return int(resources["requests"]["cpu"].removesuffix("m"))


def test_phase_2_confirms_every_write_on_the_standby(phase2: Stack) -> None:
    spec = phase2.find("Cluster").inputs["spec"]
    assert spec["instances"] == 2
    assert spec["enablePDB"] is True
    assert spec["postgresql"]["synchronous"] == {"method": "any", "number": 1, "dataDurability": "required"}


def test_phase_2_lets_an_owner_choose_writes_over_durability(phase2: Stack) -> None:
    config = {**engine.stack_file("phase2"), "task-manager:database.durability": "preferred"}
    spec = engine.run(config).find("Cluster").inputs["spec"]
    assert spec["postgresql"]["synchronous"]["dataDurability"] == "preferred"
    assert phase2.find("Cluster").inputs["spec"]["switchoverDelay"] <= 15
    assert "switchoverDelay" not in spec, "a primary that is stopped at once may have what no standby has"


def test_the_migration_finds_a_database_that_answers(phase2: Stack, phase1_postgresql: Stack) -> None:
    for stack in (phase2, phase1_postgresql):
        cluster = stack.find("Cluster")
        assert cluster.inputs["metadata"]["annotations"]["pulumi.com/waitFor"] == "condition=Ready"
        assert cluster.urn in stack.find("Release").dependencies


def test_phase_2_talks_to_the_database_through_a_pooler_in_transaction_mode(phase2: Stack) -> None:
    pooler = phase2.find("Pooler")
    assert pooler.inputs["spec"]["pgbouncer"]["poolMode"] == "transaction"
    assert pooler.inputs["spec"]["cluster"]["name"] == phase2.find("Cluster").object_name
    assert phase2.values["env"]["APP_DATABASE_HOST"] == pooler.object_name


def test_poolers_together_leave_connections_for_migrations_and_the_operator(phase2: Stack) -> None:
    pooler = phase2.find("Pooler").inputs["spec"]
    pools = pooler["instances"] * int(pooler["pgbouncer"]["parameters"]["default_pool_size"])
    assert pools <= int(phase2.find("Cluster").inputs["spec"]["postgresql"]["parameters"]["max_connections"]) // 2


def test_the_database_password_comes_from_the_operators_secret(phase2: Stack) -> None:
    variables = {variable["name"]: variable for variable in phase2.values["envFromSecrets"]}
    assert variables["APP_DATABASE_USER"] == {
        "name": "APP_DATABASE_USER",
        "secret": "task-manager-database-app",
        "key": "username",
    }
    assert variables["APP_DATABASE_PASSWORD"]["key"] == "password"


def annotations(resource: Resource) -> dict[str, str]:
    """The annotations of an object."""
    found: dict[str, str] = resource.inputs["metadata"].get("annotations") or {}
    return found


def makers(stack: Stack) -> list[dict[str, Any]]:
    """The containers of the Job that makes the secrets; what logs are shipped by has another, in its own namespace."""
    [job] = [
        resource
        for resource in stack.objects
        if (resource.kind, resource.object_name) == ("Job", names.SECRET_MAKER)
        and resource.namespace == stack.outputs["namespace"]
    ]
    containers: list[dict[str, Any]] = job.inputs["spec"]["template"]["spec"]["containers"]
    return containers


def test_the_job_makes_exactly_the_secrets_that_are_used(stack: Stack) -> None:
    containers = makers(stack)
    made = {container["args"][container["args"].index("--name") + 1] for container in containers}
    used = {variable["secret"] for variable in stack.variables_from_secrets} - {"task-manager-database-app"}
    issued = stack.has("Gateway") and "cert-manager.io/cluster-issuer" in annotations(stack.find("Gateway"))
    if stack.has("Gateway") and not issued:
        listeners = stack.find("Gateway").inputs["spec"]["listeners"]
        used |= {ref["name"] for listener in listeners for ref in listener.get("tls", {}).get("certificateRefs", [])}
    for resource in stack.objects:
        if resource.kind == "StatefulSet":
            volumes = resource.inputs["spec"]["template"]["spec"]["volumes"]
            secrets = [volume["secret"] for volume in volumes if "secret" in volume]
            used |= {secret["secretName"] for secret in secrets if not secret.get("optional")}
            projected = [source for volume in volumes for source in volume.get("projected", {}).get("sources", [])]
            used |= {source["secret"]["name"] for source in projected if "secret" in source}
    assert made == used


def test_each_key_that_the_chart_asks_for_is_a_key_that_the_job_makes(stack: Stack) -> None:
    made = set()
    for container in makers(stack):
        words = container["args"]
        keys = [words[place + 1] for place, word in enumerate(words) if word == "--key"]
        keys += [words[place + 1].partition("=")[0] for place, word in enumerate(words) if word == "--value"]
        made |= {(words[words.index("--name") + 1], key) for key in keys}
    needed = [variable for variable in stack.variables_from_secrets if not variable.get("optional")]
    asked = {(variable["secret"], variable["key"]) for variable in needed}
    assert {pair for pair in asked if pair[0] != "task-manager-database-app"} <= made


def test_provided_secrets_are_not_made() -> None:
    config = {
        **engine.stack_file("phase2"),
        "task-manager:secrets.source": "provided",
        "task-manager:gateway.certificate": "provided",
    }
    assert not engine.run(config).has("Job")


def test_a_network_policy_of_the_program_selects_the_pods_that_it_is_about(phase2: Stack) -> None:
    pods: dict[str, Resource] = {
        "task-manager-cache": phase2.find("StatefulSet", names.CACHE),
        "task-manager-broker": phase2.find("StatefulSet", names.BROKER),
        "task-manager-secrets": phase2.find("Job"),
    }
    for name, owner in pods.items():
        selector = phase2.find("NetworkPolicy", name).inputs["spec"]["podSelector"]["matchLabels"]
        assert selects(selector, owner.inputs["spec"]["template"]["metadata"]["labels"])


def lets_the_api_in(policy: Resource, port: int) -> bool:
    """Whether a policy has a rule for the API's pods at a port."""
    return any(
        port in [allowed["port"] for allowed in rule["ports"]]
        and any(peer.get("podSelector", {}).get("matchLabels") == names.API_LABELS for peer in rule["from"])
        for rule in policy.inputs["spec"].get("ingress", [])
    )


def test_the_api_may_call_what_lets_it_in(phase2: Stack) -> None:
    policies = [resource for resource in phase2.objects if resource.kind == "NetworkPolicy"]
    assert len(phase2.values["networkPolicy"]["egressTo"]) == 3, "database, cache and broker"
    for rule in phase2.values["networkPolicy"]["egressTo"]:
        ((peer,), (port,)) = rule["to"], rule["ports"]
        called = peer["podSelector"]["matchLabels"]
        answering = [
            policy.name
            for policy in policies
            if selects(called, policy.inputs["spec"]["podSelector"].get("matchLabels", {}))
            and lets_the_api_in(policy, port["port"])
        ]
        assert answering, f"nothing lets the API in at {called}:{port['port']}"


def test_the_migration_may_call_the_database_before_the_charts_own_policy_is_there(phase2: Stack) -> None:
    policy = phase2.find("NetworkPolicy", "task-manager-migrations").inputs["spec"]
    assert policy["podSelector"]["matchLabels"] == names.ServiceNames().migration_labels
    (rule,) = policy["egress"]
    assert [(peer["podSelector"]["matchLabels"], port["port"]) for peer in rule["to"] for port in rule["ports"]] == [
        (names.DATABASE_LABELS, 5432)
    ]


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
    assert phase2.values["route"]["backend"] == {
        "group": "traefik.io",
        "kind": "TraefikService",
        "name": balancer.object_name,
    }


def test_round_robin_goes_to_the_service_itself(tls_only: Stack) -> None:
    assert not tls_only.has("TraefikService")
    assert "backend" not in tls_only.values["route"]


def test_a_request_that_met_a_vanished_pod_is_tried_again(phase2: Stack) -> None:
    (rule,) = phase2.values["route"]["filters"]
    assert rule["extensionRef"]["name"] == phase2.find("Middleware").object_name
    assert phase2.find("Middleware").inputs["spec"]["retry"]["attempts"] > 1


def test_plain_http_is_served_by_default_and_sent_on_by_setting(phase2: Stack, tls_only: Stack) -> None:
    assert phase2.values["route"]["gateway"]["sectionNames"] == ["http", "https"]
    assert not phase2.has("HTTPRoute")
    assert tls_only.values["route"]["gateway"]["sectionNames"] == ["https"]
    (rule,) = tls_only.find("HTTPRoute").inputs["spec"]["rules"]
    assert rule["filters"][0]["requestRedirect"] == {"scheme": "https", "port": 443, "statusCode": 301}


def test_a_host_name_is_the_only_one_that_is_answered_for(tls_only: Stack) -> None:
    listeners = tls_only.find("Gateway").inputs["spec"]["listeners"]
    assert {listener["hostname"] for listener in listeners} == {"tasks.example.com"}
    assert tls_only.values["route"]["hostnames"] == ["tasks.example.com"]


def test_a_broken_answer_is_asked_for_again_and_a_post_never_repeated(phase2: Stack) -> None:
    retry = phase2.find("Middleware").inputs["spec"]["retry"]
    assert retry["status"] == ["502"]
    assert not retry.get("retryNonIdempotentMethod", False)


def test_the_pooler_finds_a_new_primary_within_seconds(phase2: Stack) -> None:
    parameters = phase2.find("Pooler").inputs["spec"]["pgbouncer"]["parameters"]
    retry, connect, wait = (
        float(parameters[key]) for key in ("server_login_retry", "server_connect_timeout", "query_wait_timeout")
    )
    assert retry + connect < 10, "the aim for a gap in writes"
    assert wait > retry + connect, "a transaction would give up before the pooler looks again"


def test_servers_of_a_database_that_is_there_are_not_restarted_to_be_spread(phase2: Stack) -> None:
    assert phase2.find("Cluster").ignored == ("spec.topologySpreadConstraints",)
