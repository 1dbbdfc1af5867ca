"""Backups, and bringing the database back to a moment."""

import pulumi
import pytest

from infra import names
from infra.components.data.backups import PLUGIN
from infra.config.restores import archive_of, parse_restores, write_restores
from infra.names import ClusterGeneration
from tests.infra import engine
from tests.infra.engine import Stack

FIRST, SECOND = ClusterGeneration(1), ClusterGeneration(2)
ONCE = "2030-01-02T03:04:05+00:00@1"
RESTORED = {**engine.stack_file("phase3"), "task-manager:database.restores": ONCE}


@pytest.fixture(scope="module")
def restored() -> Stack:
    """Phase 3, once brought back to a moment."""
    return engine.run(RESTORED, "phase3")


def test_the_log_is_archived_and_a_backup_taken_at_once_and_every_night(phase3: Stack) -> None:
    cluster = phase3.find("Cluster").inputs["spec"]
    [plugin] = cluster["plugins"]
    assert (plugin["name"], plugin["isWALArchiver"]) == (PLUGIN, True)
    assert plugin["parameters"]["barmanObjectName"] == phase3.find("ObjectStore").object_name
    schedule = phase3.find("ScheduledBackup")
    assert (schedule.inputs["spec"]["method"], schedule.inputs["spec"]["immediate"]) == ("plugin", True)
    assert schedule.inputs["spec"]["cluster"]["name"] == phase3.find("Cluster").object_name
    assert len(schedule.inputs["spec"]["schedule"].split()) == 6, "the operator's schedules have seconds"


def test_the_store_knows_its_credentials_by_the_name_of_a_secret(phase3: Stack) -> None:
    spec = phase3.find("ObjectStore").inputs["spec"]
    said = spec["configuration"]["s3Credentials"]
    assert {reference["name"] for reference in said.values()} == {names.BACKUPS}
    assert said["accessKeyId"]["key"] == "access-key-id"
    assert spec["retentionPolicy"] == "30d"
    assert spec["instanceSidecarConfiguration"]["resources"]["limits"]["memory"]


def test_a_stack_that_is_made_anew_does_not_write_into_what_is_left_of_the_one_before(phase3: Stack) -> None:
    path = phase3.find("ObjectStore").inputs["spec"]["configuration"]["destinationPath"]
    assert path == "s3://backups/task-manager-phase3/the-id-of-the-namespace"
    chosen = engine.run({**engine.stack_file("phase3"), "task-manager:backups.folder": "prod/1"})
    assert chosen.find("ObjectStore").inputs["spec"]["configuration"]["destinationPath"] == "s3://backups/prod/1"


def test_the_databases_pods_may_call_the_port_of_the_bucket_and_only_with_one(phase3: Stack, phase2: Stack) -> None:
    def outside(stack: Stack) -> set[int]:
        rules = stack.find("NetworkPolicy", names.DATABASE_CLUSTER).inputs["spec"]["egress"]
        return {port["port"] for rule in rules for port in rule["ports"] if "ipBlock" in rule["to"][0]}

    assert outside(phase3) - outside(phase2) == {7070}


def warnings(monkeypatch: pytest.MonkeyPatch, config: dict[str, str]) -> tuple[Stack, list[str]]:
    """Run the program; return its stack and the lines that it warns with."""
    said: list[str] = []
    monkeypatch.setattr(pulumi, "warn", said.append)
    return engine.run(config), said


@pytest.mark.parametrize(("number", "warned"), [(1, False), (2, True), (3, True)])
def test_a_stack_without_a_bucket_has_no_backups_and_says_so_from_phase_2_on(
    monkeypatch: pytest.MonkeyPatch, number: int, warned: bool
) -> None:
    config = {
        "task-manager:phase": str(number),
        "task-manager:database.kind": "postgresql",
        "task-manager:hostname": "tasks.example.com",
    }
    stack, said = warnings(monkeypatch, config)
    assert not stack.has("ObjectStore")
    assert not stack.has("ScheduledBackup")
    assert "plugins" not in stack.find("Cluster").inputs["spec"]
    assert [line.partition(" ")[0] for line in said] == ["task-manager:backups.bucket"] * warned


def test_backups_that_are_waived_are_not_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    stack, said = warnings(monkeypatch, engine.stack_file("phase2"))
    assert not stack.has("ObjectStore")
    assert said == []


def test_a_restore_makes_a_cluster_beside_the_one_there_is_out_of_its_backups(restored: Stack) -> None:
    spec = restored.find("Cluster", SECOND.cluster).inputs["spec"]
    recovery = spec["bootstrap"]["recovery"]
    assert recovery["recoveryTarget"] == {"targetTime": "2030-01-02T03:04:05+00:00"}
    assert (recovery["database"], recovery["owner"]) == (names.DATABASE_NAME, names.DATABASE_NAME)
    [source] = [entry for entry in spec["externalClusters"] if entry["name"] == recovery["source"]]
    assert source["plugin"]["parameters"]["serverName"] == FIRST.cluster
    [plugin] = spec["plugins"]
    assert plugin["parameters"]["serverName"] == "task-manager-database-2-20300102T030405"


def test_everything_moves_over_to_the_restored_cluster(restored: Stack) -> None:
    poolers = {pooler.object_name: pooler for pooler in restored.objects if pooler.kind == "Pooler"}
    env = restored.values["env"]
    assert {env["APP_DATABASE_HOST"], env["APP_DATABASE_REPLICA_HOST"]} == set(poolers)
    assert {pooler.inputs["spec"]["cluster"]["name"] for pooler in poolers.values()} == {SECOND.cluster}
    secrets = {entry["secret"] for entry in restored.values["envFromSecrets"] if "DATABASE" in entry["name"]}
    assert secrets == {SECOND.secret}
    assert restored.find("ScheduledBackup").inputs["spec"]["cluster"]["name"] == SECOND.cluster
    assert restored.outputs["database"] == SECOND.cluster


def test_the_former_cluster_is_kept_and_sleeps_once_the_api_has_left_it(phase3: Stack, restored: Stack) -> None:
    former = restored.find("Cluster", FIRST.cluster)
    assert former.urn == phase3.find("Cluster").urn, "another name would remove it"
    assert former.inputs["spec"] == phase3.find("Cluster").inputs["spec"]
    assert former.inputs["metadata"]["annotations"]["cnpg.io/hibernation"] == "on"
    assert restored.find("Release").urn in former.dependencies
    assert restored.find("Cluster", SECOND.cluster).urn in restored.find("Release").dependencies


def test_former_clusters_go_when_the_stack_says_so() -> None:
    stack = engine.run({**RESTORED, "task-manager:database.retired_clusters": "removed"})
    assert stack.find("Cluster").object_name == SECOND.cluster


def test_a_second_try_can_come_out_of_the_first_cluster_again() -> None:
    twice = f"{ONCE},2030-01-02T03:04:00+00:00@1"
    stack = engine.run(
        {**RESTORED, "task-manager:database.restores": twice, "task-manager:protect_data": "true"}, "phase3"
    )
    spec = stack.find("Cluster", "task-manager-database-3").inputs["spec"]
    assert spec["externalClusters"][0]["plugin"]["parameters"]["serverName"] == FIRST.cluster
    asleep = [cluster for cluster in stack.objects if "cnpg.io/hibernation" in str(cluster.inputs.get("metadata"))]
    assert {cluster.object_name for cluster in asleep} == {FIRST.cluster, SECOND.cluster}
    assert sum("database cluster" in line for line in stack.outputs["protected"]) == 3


def test_no_two_clusters_write_to_one_folder_even_after_a_restore_is_undone() -> None:
    once, again = parse_restores(ONCE), parse_restores("2030-01-02T03:04:00+00:00@1")
    assert len({archive_of(FIRST, once), archive_of(SECOND, once), archive_of(SECOND, again)}) == 3


def test_a_cluster_that_was_restored_can_be_restored_again_out_of_its_own_backups() -> None:
    spec = engine.run({**RESTORED, "task-manager:database.restores": f"{ONCE},2030-02-02T03:04:00+00:00@2"}).find(
        "Cluster", "task-manager-database-3"
    )
    [source] = spec.inputs["spec"]["externalClusters"]
    assert source["plugin"]["parameters"]["serverName"] == "task-manager-database-2-20300102T030405"


def test_restores_are_written_as_they_are_read() -> None:
    restores = parse_restores("2030-01-02 05:04:05+02@1")
    assert write_restores(restores) == ONCE
    assert parse_restores(write_restores(restores)) == restores
