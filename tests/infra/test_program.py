"""What holds for the program in every phase, and what growing keeps."""

import pytest

from infra import names
from infra.phases import PHASES
from local.cluster import addons
from tests.infra import engine
from tests.infra.engine import Resource, Stack, walk

ELSEWHERE = ("prometheus-gateway-role", "prometheus-gateway-binding")
"""Prometheus finds the gateway's pods where they are."""


LOGS = ("log-", "logs-")
"""What ships and keeps logs has a namespace of its own beside the stack's, and no release waits for it."""


def test_everything_is_made_in_the_stacks_own_namespaces(variants: dict[str, Stack]) -> None:
    for name, stack in variants.items():
        for resource in stack.objects:
            own = f"task-manager-{name}-logs" if resource.name.startswith(LOGS) else f"task-manager-{name}"
            assert (resource.namespace == own) is (resource.name not in ELSEWHERE), resource.name


def provider(stack: Stack, name: str) -> Resource:
    [found] = [each for each in stack.resources if (each.type, each.name) == ("pulumi:providers:kubernetes", name)]
    return found


def test_everything_goes_through_providers_that_know_their_cluster(stack: Stack) -> None:
    for each in stack.objects:
        adopted = each.kind == "Namespace" or (each.kind == "PersistentVolumeClaim" and "-claim-" in each.name)
        through = provider(stack, "cluster-adopting" if adopted else "cluster")
        assert each.provider.rpartition("::")[0] == through.urn, each.name
        assert through.inputs["clusterIdentifier"] == "the-id-of-the-cluster"
    assert stack.outputs["cluster"] == "the-id-of-the-cluster"


def test_no_machines_kubeconfig_is_an_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/jane/kubeconfig")
    stack = engine.run({"task-manager:context": "prod"})
    providers = [each for each in stack.resources if each.type == "pulumi:providers:kubernetes"]
    assert {each.inputs["context"] for each in providers} == {"prod"}
    inputs = [leaf for each in stack.resources for leaf in walk(each.inputs)]
    assert [path for path, value in inputs if value == "/home/jane/kubeconfig"] == []


def test_the_kubernetes_providers_own_context_is_honoured() -> None:
    stack = engine.run({"kubernetes:context": "prod"})
    assert provider(stack, "cluster").inputs["context"] == "prod"


def test_a_job_that_has_failed_is_made_anew_and_has_time_to_pull_its_image(stack: Stack) -> None:
    jobs = [resource for resource in stack.objects if resource.kind == "Job"]
    assert jobs
    for job in jobs:
        assert job.inputs["metadata"]["annotations"]["pulumi.com/replaceUnready"] == "true", job.name
        assert job.inputs["spec"]["activeDeadlineSeconds"] >= 300, job.name
        waited = int(job.create_timeout.removesuffix("m")) * 60
        assert waited > job.inputs["spec"]["activeDeadlineSeconds"], f"{job.name}: the Job says why it has failed"


def test_every_object_belongs_to_a_component(stack: Stack) -> None:
    components = {resource.urn for resource in stack.resources if not resource.custom}
    assert {resource.parent for resource in stack.objects} <= components


def test_nothing_is_made_before_its_namespace(stack: Stack) -> None:
    namespaces = {resource.object_name: resource.urn for resource in stack.objects if resource.kind == "Namespace"}
    own = namespaces[stack.outputs["namespace"]]
    assert [
        resource.name
        for resource in stack.objects
        if resource.kind != "Namespace" and namespaces.get(resource.namespace, own) not in resource.dependencies
    ] == []


def test_each_release_waits_for_all_that_it_stands_on(stack: Stack) -> None:
    assert stack.releases
    others = {resource.urn for resource in stack.objects if resource not in stack.releases}
    migrations = {resource.urn for resource in stack.objects if resource.name.endswith("-migration-flows")}
    after = {
        resource.urn
        for resource in stack.objects
        if resource.name.startswith(("cache-shape", "cache-spread", "purge", *LOGS))
    }
    for release in stack.releases:
        own = release.name.replace("-release", "-migration-flows")
        assert own in {urn.rpartition("::")[2] for urn in release.dependencies}
        assert others - after - migrations <= release.dependencies


def test_each_release_goes_back_by_itself(stack: Stack) -> None:
    for release in stack.releases:
        assert release.inputs["atomic"] is True
        assert release.inputs.get("skipAwait", False) is False


def test_the_release_has_the_time_that_the_stack_gives_it_and_the_engine_waits_longer() -> None:
    release = engine.run({"task-manager:rollout_timeout": "600"}).find("Release")
    assert release.inputs["timeout"] == 600
    minutes = int(release.create_timeout.removesuffix("m"))
    assert minutes * 60 > 2 * 600


def test_the_chart_is_named_by_a_path_that_no_machine_owns(stack: Stack) -> None:
    for release in stack.releases:
        chart = release.inputs["chart"]
        assert not chart.startswith("/")
        assert (engine.PROGRAM / chart / "Chart.yaml").resolve().is_file()


def test_the_outputs_say_where_it_is_and_how_to_get_in(stack: Stack) -> None:
    outputs = stack.outputs
    assert outputs["url"].startswith("http://")
    assert outputs["url"] in outputs["login"]
    for release in stack.releases:
        way = outputs["reach"][release.object_name.replace("task-manager", "api")]
        assert way.startswith(f"kubectl --namespace {outputs['namespace']} ")
    assert outputs["phase"] in PHASES


@pytest.mark.parametrize(
    ("variant", "parts"),
    [
        ("phase1", {"api", "logs", "pods", "database"}),
        ("phase1-shipped", {"api", "logs", "pods", "database"}),
        ("phase2", {"api", "logs", "pods", "database", "cache", "broker", "gateway", "metrics", "alerts"}),
    ],
)
def test_the_outputs_say_how_to_reach_each_part(variants: dict[str, Stack], variant: str, parts: set[str]) -> None:
    assert set(variants[variant].outputs["reach"]) == parts


@pytest.mark.parametrize(("former", "next_"), [("1", "2"), ("2", "3")])
def test_what_both_phases_have_keeps_its_name(former: str, next_: str) -> None:
    def by_name(phase: str) -> dict[str, str]:
        config = {"task-manager:phase": phase, "task-manager:database.kind": "postgresql"}
        stack = engine.run({**config, "task-manager:hostname": "tasks.example.com"}, "prod")
        return {resource.urn: resource.object_name for resource in stack.objects}

    before, after = by_name(former), by_name(next_)
    assert set(before) <= set(after), "growing must not replace anything"
    assert before == {urn: after[urn] for urn in before}


def test_the_api_is_installed_under_one_name_in_every_variant_of_one_release(variants: dict[str, Stack]) -> None:
    single = [stack for stack in variants.values() if stack.outputs["phase"] < 4]
    assert {stack.find("Release").object_name for stack in single} == {"task-manager"}


def test_keys_that_are_still_accepted_come_from_the_secret_of_the_key_where_it_holds_any(stack: Stack) -> None:
    for release in stack.releases:
        variables = {variable["name"]: variable for variable in release.inputs["values"]["envFromSecrets"]}
        accepted = variables["APP_SECRET_KEYS_ACCEPTED"]
        assert accepted["secret"] == variables["APP_SECRET_KEY"]["secret"]
        assert accepted["optional"] is True


def test_data_is_protected_unless_the_stack_says_otherwise(tls_only: Stack, phase2: Stack) -> None:
    assert {resource.kind for resource in tls_only.objects if resource.protect} == {"Namespace", "Cluster"}
    assert tls_only.outputs["protected"] == [
        "namespace task-manager-phase2-tls-only",
        "database cluster task-manager-database with its volumes",
    ]
    assert not [resource.name for resource in phase2.objects if resource.protect]
    assert phase2.outputs["protected"] == []


def test_the_sqlite_volume_outlives_phase_1_and_goes_with_its_namespace_alone(stack: Stack) -> None:
    """Protected, it would refuse the growth to a phase that no longer names it."""
    kept = {resource.kind for resource in stack.objects if resource.retain}
    assert kept == {resource.kind for resource in stack.objects if resource.kind == "PersistentVolumeClaim"}
    assert {resource.kind for resource in engine.run({}).objects if resource.protect} == {"Namespace"}


@pytest.mark.parametrize("variant", ["phase1-postgresql", "phase2", "phase3"])
def test_a_stack_on_postgresql_looks_for_the_data_of_one_on_sqlite(variants: dict[str, Stack], variant: str) -> None:
    former, stack = variants["phase1"], variants[variant]
    carry = stack.values["carry"]
    assert carry["claimName"] == former.find("PersistentVolumeClaim").object_name
    assert former.values["env"]["APP_DATABASE_URL"].endswith(f"/{carry['file']}")
    assert former.values["carry"] == {"claimName": ""}
    ports = {stack.values["service"].get("nodePort"), carry["nodePort"]}
    assert former.values["service"]["nodePort"] in ports, "its clients are led nowhere"
    assert carry["activeDeadlineSeconds"] < stack.find("Release").inputs["timeout"]


def test_every_volume_is_of_the_stacks_storage_class(tls_only: Stack, phase2: Stack) -> None:
    assert tls_only.find("Cluster").inputs["spec"]["storage"]["storageClass"] == "fast"
    for name in (names.CACHE, names.BROKER):
        (claim,) = tls_only.find("StatefulSet", name).inputs["spec"]["volumeClaimTemplates"]
        assert claim["spec"]["storageClassName"] == "fast"
    assert "storageClass" not in phase2.find("Cluster").inputs["spec"]["storage"]


@pytest.mark.parametrize("phase", PHASES)
def test_the_local_cluster_has_every_image_that_the_program_names(variants: dict[str, Stack], phase: int) -> None:
    stack = variants[f"phase{phase}"]
    named = {
        value
        for resource in stack.objects
        for path, value in walk(resource.inputs)
        if path.endswith((".image", ".imageName"))
    }
    held = {image.reference for addon in addons.of_phase(phase) for image in addons.ADDONS[addon].images}
    assert named - held == {stack.outputs["image"]}
