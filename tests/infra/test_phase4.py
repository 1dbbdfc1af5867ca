"""Phase 4: a release, a database and credentials of its own for each service."""

from typing import Any

import pulumi
import pytest

from infra import names
from infra.names import ServiceNames
from infra.phases import PHASES
from tests.infra import engine
from tests.infra.engine import Resource, Stack

SERVICES = tuple(PHASES[4].services)
STANDARD = {"task-manager:phase": "4", "task-manager:hostname": "tasks.example.com"}


@pytest.fixture(scope="module")
def standard() -> Stack:
    return engine.run(STANDARD)


def values(stack: Stack, service: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.find("Release", ServiceNames(service).release).inputs["values"]
    return found


def test_each_service_has_a_release_that_runs_it_alone(phase4: Stack) -> None:
    assert {release.object_name for release in phase4.releases} == {ServiceNames(name).release for name in SERVICES}
    assert [values(phase4, name)["apiService"] for name in SERVICES] == list(SERVICES)


def test_no_two_services_read_the_same_secret_but_the_optional_ones(phase4: Stack) -> None:
    read = {
        name: {each["secret"] for each in values(phase4, name)["envFromSecrets"] if not each.get("optional")}
        for name in SERVICES
    }
    for name, secrets in read.items():
        others = set[str]().union(*(found for other, found in read.items() if other != name))
        assert secrets, name
        assert not secrets & others, name


def test_auth_keeps_the_signing_keys_of_all_services_and_the_others_verify_by_its_public_ones(phase4: Stack) -> None:
    assert "APP_JWKS_URL" not in values(phase4, "auth")["env"]
    for name in SERVICES:
        [secret] = [
            each["secret"] for each in values(phase4, name)["envFromSecrets"] if each["name"] == "APP_SECRET_KEY"
        ]
        assert (secret == names.KEYS_SECRET) is (name == "auth")
        if name != "auth":
            assert values(phase4, name)["env"]["APP_JWKS_URL"] == "http://task-manager-auth:8000/.well-known/jwks.json"


def test_every_secret_of_a_service_is_generated_in_the_cluster(phase4: Stack) -> None:
    job = phase4.find("Job", names.SECRET_MAKER).inputs["spec"]["template"]["spec"]
    made = {container["args"][container["args"].index("--name") + 1] for container in job["containers"]}
    for name in SERVICES:
        read = {each["secret"] for each in values(phase4, name)["envFromSecrets"]}
        assert read <= made, name


# --- databases


def test_services_that_share_a_cluster_have_a_database_and_a_role_each(phase4: Stack) -> None:
    cluster = phase4.find("Cluster").inputs["spec"]
    roles = {role["name"]: role["passwordSecret"]["name"] for role in cluster["managed"]["roles"]}
    assert roles == {ServiceNames(name).database: ServiceNames(name).database_secret for name in SERVICES}
    databases = [each.inputs["spec"] for each in phase4.objects if each.kind == "Database"]
    assert {each["name"]: each["owner"] for each in databases} == {role: role for role in roles}
    assert all(each["databaseReclaimPolicy"] == "retain" for each in databases)
    for name in SERVICES:
        assert values(phase4, name)["env"]["APP_DATABASE_NAME"] == ServiceNames(name).database


def admitted(rules: list[str], database: str, user: str) -> bool:
    """Whether the first line of pg_hba.conf that fits lets a connection by TLS in."""
    for rule in rules:
        kind, databases, users, _, method = rule.split()
        if kind in ("host", "hostssl") and databases in ("all", database) and users in ("all", user):
            return method != "reject"
    return True


def test_the_role_of_a_service_connects_to_its_own_database_and_to_no_other(phase4: Stack) -> None:
    rules = phase4.find("Cluster").inputs["spec"]["postgresql"]["pg_hba"]
    every = [ServiceNames(name).database for name in SERVICES]
    for role in every:
        for database in (*every, names.DATABASE_NAME, "postgres"):
            assert admitted(rules, database, role) is (database == role), (role, database)
    assert admitted(rules, names.DATABASE_NAME, names.DATABASE_NAME), "the data of the phase before"


def test_a_pooler_shares_its_connections_among_the_databases_behind_it(phase4: Stack, phase3: Stack) -> None:
    def total(stack: Stack, databases: int) -> int:
        pooler = stack.find("Pooler", names.DATABASE_POOLER).inputs["spec"]
        return int(pooler["instances"] * databases * int(pooler["pgbouncer"]["parameters"]["default_pool_size"]))

    assert total(phase4, len(SERVICES)) == total(phase3, 1)


def test_the_most_poolers_that_a_stack_may_set_have_a_connection_to_each_database() -> None:
    def pool_size(poolers: int) -> int:
        stack = engine.run({**engine.stack_file("phase4"), "task-manager:database.poolers": poolers}, "phase4")
        pooler = stack.find("Pooler", names.DATABASE_POOLER).inputs["spec"]
        return int(pooler["pgbouncer"]["parameters"]["default_pool_size"])

    assert pool_size(10) >= 1
    with pytest.raises(pulumi.RunError, match="11 is above 10"):
        pool_size(11)


def test_at_the_standard_size_each_service_has_a_cluster_of_its_own(standard: Stack) -> None:
    clusters = {each.object_name: each.inputs["spec"] for each in standard.objects if each.kind == "Cluster"}
    assert set(clusters) == {f"{ServiceNames(name).release}-database" for name in SERVICES}
    for name in SERVICES:
        own = ServiceNames(name)
        spec = clusters[f"{own.release}-database"]
        assert spec["bootstrap"]["initdb"]["database"] == spec["bootstrap"]["initdb"]["owner"] == own.database
        assert spec["inheritedMetadata"]["labels"].items() >= own.database_labels.items()
        assert values(standard, name)["env"]["APP_DATABASE_HOST"] == f"{own.release}-pooler"
        assert "managed" not in spec


def clients(policy: Resource) -> list[dict[str, str]]:
    return [
        peer["podSelector"]["matchLabels"]
        for rule in policy.inputs["spec"]["ingress"]
        for peer in rule["from"]
        if names.API_LABELS.items() <= peer.get("podSelector", {}).get("matchLabels", {}).items()
    ]


def test_only_the_service_itself_reaches_a_cluster_of_its_own(standard: Stack) -> None:
    for name in SERVICES:
        own = ServiceNames(name)
        policy = standard.find("NetworkPolicy", f"{own.release}-database")
        assert policy.inputs["spec"]["podSelector"]["matchLabels"] == own.database_labels
        assert clients(policy) == [own.labels]


# --- cache, gateway, growth


def test_each_service_has_a_user_in_the_cache_for_keys_of_its_own(phase4: Stack) -> None:
    script = phase4.find("ConfigMap", names.CACHE).inputs["data"]["start.sh"]
    for name in SERVICES:
        env = values(phase4, name)["env"]
        user, prefix = env["APP_REDIS_USER"], env["APP_REDIS_PREFIX"]
        [line] = [line for line in script.splitlines() if line.startswith(f"user {user} ")]
        assert f" ~{prefix}* &{prefix}* " in line
        assert " -@admin -@dangerous" in line


def test_each_service_has_a_balancer_of_its_own_behind_the_gateway(phase4: Stack) -> None:
    for name in SERVICES:
        backend = values(phase4, name)["route"]["backend"]
        balancer = phase4.find(backend["kind"], backend["name"]).inputs["spec"]
        assert [each["name"] for each in balancer["weighted"]["services"]] == [ServiceNames(name).release]


def test_the_edge_asks_the_service_of_the_front_end(phase4: Stack) -> None:
    origin = phase4.find("Service", names.EDGE_ORIGIN).inputs["spec"]["selector"]
    assert origin == ServiceNames(names.FRONT_END).server_labels
    assert [name for name in SERVICES if "edge" in values(phase4, name)["route"]] == [names.FRONT_END]


def test_a_stack_of_phase_4_is_updated() -> None:
    assert engine.run(STANDARD, deployed={"phase": 4.0, "image": "ghcr.io/primetrade/task-manager:1.2.3"}).releases
