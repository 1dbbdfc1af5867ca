"""DigitalOcean: the cluster, and what it stands on."""

import pytest
import yaml

from infra.config.reading import paths_of
from infra.config.settings import Settings
from tests.platform import engine
from tests.platform.engine import Platform


def test_state_and_data_refuse_to_be_destroyed(digitalocean: Platform) -> None:
    protected = {(each.type.rpartition(":")[2], each.name) for each in digitalocean.resources if each.protect}
    assert protected == {
        ("Vpc", "network"),
        ("KubernetesCluster", "cluster"),
        ("ContainerRegistry", "task-manager"),
        ("SpacesBucket", "task-manager-backups"),
    }


def test_protection_goes_by_a_setting() -> None:
    platform = engine.run(engine.settings_of("digitalocean", protect="false"))
    assert not any(each.protect for each in platform.resources)
    assert platform.one("SpacesBucket").retain, "backups outlive even that"


def test_the_api_answers_administrators_alone(digitalocean: Platform) -> None:
    firewall = digitalocean.one("KubernetesCluster").inputs["controlPlaneFirewall"]
    assert firewall == {"enabled": True, "allowedAddresses": ["192.0.2.7/32"]}


def test_upgrades_start_new_nodes_before_old_ones_go(digitalocean: Platform) -> None:
    cluster = digitalocean.one("KubernetesCluster").inputs
    assert cluster["surgeUpgrade"]
    assert cluster["autoUpgrade"]
    assert cluster["maintenancePolicy"] == {"day": "sunday", "startTime": "03:00"}
    assert cluster["version"] == "1.34.1-do.2", "the newest patch of the minor version"
    assert cluster["ha"]


def test_cluster_nodes_and_network_are_one(digitalocean: Platform) -> None:
    cluster, nodes = digitalocean.one("KubernetesCluster"), digitalocean.one("KubernetesNodePool")
    assert cluster.inputs["vpcUuid"] == "network-id"
    assert digitalocean.one("Vpc").inputs["ipRange"] == "10.20.0.0/16"
    assert nodes.inputs == {
        "clusterId": "cluster-id",
        "name": "nodes-s-2vcpu-4gb",
        "size": "s-2vcpu-4gb",
        "autoScale": True,
        "minNodes": 2.0,
        "maxNodes": 3.0,
    }


def test_growing_changes_nothing_that_would_replace_the_cluster() -> None:
    """Size and name of a cluster's first nodes, its region and its network cannot be changed in place."""
    seen = [
        engine.run(engine.settings_of("digitalocean", phase=phase)).one("KubernetesCluster").inputs
        for phase in ("1", "2", "3", "4")
    ]
    for key in ("nodePool", "region", "vpcUuid", "name"):
        assert all(each[key] == seen[0][key] for each in seen), key
    assert [each["ha"] for each in seen] == [False, True, True, True], "it can be turned on, and not off"


def test_phase_1_has_one_node_and_no_bucket() -> None:
    platform = engine.run(engine.settings_of("digitalocean", phase="1"))
    assert not platform.all("KubernetesNodePool")
    assert not platform.all("SpacesBucket")
    assert "backups.bucket" not in platform.outputs["environment"]


def test_the_bucket_is_private_and_keeps_former_versions(digitalocean: Platform) -> None:
    bucket = digitalocean.one("SpacesBucket")
    assert bucket.inputs["acl"] == "private"
    assert bucket.inputs["versioning"] == {"enabled": True}
    assert bucket.inputs["lifecycleRules"][0]["noncurrentVersionExpiration"] == {"days": 30.0}
    assert bucket.inputs["forceDestroy"] is False
    assert bucket.retain


def test_the_key_for_backups_opens_their_bucket_alone(digitalocean: Platform) -> None:
    grants = digitalocean.one("SpacesKey").inputs["grants"]
    assert grants == [{"bucket": "task-manager-backups-1a2b3c4", "permission": "readwrite"}]


def test_nothing_public_is_made(digitalocean: Platform) -> None:
    kinds = {each.type.rpartition(":")[2] for each in digitalocean.resources if each.type.startswith("digitalocean:")}
    assert kinds == {
        "Vpc",
        "KubernetesCluster",
        "KubernetesNodePool",
        "ContainerRegistry",
        "SpacesBucket",
        "SpacesKey",
    }


def test_the_cluster_pulls_from_the_registry(digitalocean: Platform) -> None:
    assert digitalocean.one("KubernetesCluster").inputs["registryIntegration"]
    assert digitalocean.one("ContainerRegistry").inputs["subscriptionTierSlug"] == "basic"
    assert digitalocean.outputs["registry"] == "registry.digitalocean.com/task-manager-1a2b3c4"


def test_a_registry_that_is_there_is_used() -> None:
    platform = engine.run(engine.settings_of("digitalocean", registry={"name": "ours"}))
    assert not platform.all("ContainerRegistry")
    assert platform.outputs["registry"] == "registry.digitalocean.com/ours"


def test_what_opens_something_is_a_secret_output(digitalocean: Platform) -> None:
    assert digitalocean.secret_outputs == {"kubeconfig", "backup_credentials"}


def test_an_environment_gets_its_settings(digitalocean: Platform) -> None:
    offered = digitalocean.outputs["environment"]
    assert offered == {
        "context": "task-manager-digitalocean",
        "storage_class": "do-block-storage",
        "backups.bucket": "task-manager-backups-1a2b3c4",
        "backups.endpoint": "https://ams3.digitaloceanspaces.com",
        "hostname": "tasks.example.com",
        **engine.OF_ADDONS,
    }
    assert yaml.safe_load(digitalocean.outputs["kubeconfig"])["current-context"] == offered["context"]


@pytest.mark.parametrize("name", ["vps", "digitalocean", "aws"])
def test_what_is_offered_are_settings_of_an_environment(name: str, request: pytest.FixtureRequest) -> None:
    platform: Platform = request.getfixturevalue(name)
    assert set(platform.outputs["environment"]) <= set(paths_of(Settings))


@pytest.mark.parametrize("name", ["vps", "digitalocean", "aws"])
def test_the_clusters_provider_is_bound_to_its_cluster(name: str, request: pytest.FixtureRequest) -> None:
    """A kubeconfig that is renewed changes the provider in place."""
    platform: Platform = request.getfixturevalue(name)
    assert platform.one("kubernetes", "cluster").inputs["clusterIdentifier"] == platform.outputs["cluster"]
