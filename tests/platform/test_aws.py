"""AWS: the network, the cluster, its nodes, roles, registry and bucket."""

import json
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from infra import names
from tests.platform import engine
from tests.platform.engine import Platform


def test_state_and_data_refuse_to_be_destroyed(aws: Platform) -> None:
    protected = {(each.type.rpartition(":")[2], each.name) for each in aws.resources if each.protect}
    subnets = {("Subnet", f"{kind}-{index}") for kind in ("public", "private") for index in range(3)}
    assert protected == {
        ("Vpc", "network"),
        ("Cluster", "cluster"),
        ("Key", "secrets"),
        ("Repository", "registry"),
        ("Bucket", "task-manager-backups"),
        *subnets,
    }
    assert aws.one("Cluster").inputs["deletionProtection"]


def test_the_network_has_a_private_and_a_public_subnet_in_each_of_three_zones(aws: Platform) -> None:
    ranges = []
    for kind in ("public", "private"):
        subnets = [aws.one("Subnet", f"{kind}-{index}") for index in range(3)]
        zones = [each.inputs["availabilityZone"] for each in subnets]
        assert zones == ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
        assert not any(each.inputs["mapPublicIpOnLaunch"] for each in subnets)
        assert all("availabilityZone" in each.ignored for each in subnets), "a subnet that exists stays where it is"
        ranges += [ip_network(each.inputs["cidrBlock"]) for each in subnets]
    assert all(each.subnet_of(ip_network("10.20.0.0/16")) for each in ranges)  # type: ignore[arg-type]
    assert not any(one.overlaps(other) for one in ranges for other in ranges if one is not other)


def test_each_zone_of_phase_3_leaves_by_a_gateway_of_its_own(aws: Platform) -> None:
    routes = [aws.one("RouteTable", f"private-{index}").inputs["routes"] for index in range(3)]
    assert [route["natGatewayId"] for [route] in routes] == ["nat-0-id", "nat-1-id", "nat-2-id"]
    one = engine.run(engine.settings_of("aws", phase="2"))
    routes = [one.one("RouteTable", f"private-{index}").inputs["routes"] for index in range(3)]
    assert [route["natGatewayId"] for [route] in routes] == ["nat-0-id"] * 3


def test_whoever_names_no_security_group_is_shut_in(aws: Platform) -> None:
    group = aws.one("DefaultSecurityGroup").inputs
    assert (group["ingress"], group["egress"]) == ([], [])


def test_the_api_answers_administrators_and_nodes_alone(aws: Platform) -> None:
    network = aws.one("Cluster").inputs["vpcConfig"]
    assert network == {
        "subnetIds": ["private-0-id", "private-1-id", "private-2-id"],
        "endpointPrivateAccess": True,
        "endpointPublicAccess": True,
        "publicAccessCidrs": ["192.0.2.7/32"],
    }
    assert aws.one("Cluster").inputs["accessConfig"]["authenticationMode"] == "API"


def test_secrets_are_encrypted_by_a_key_that_is_rotated(aws: Platform) -> None:
    encryption = aws.one("Cluster").inputs["encryptionConfig"]
    assert encryption["resources"] == ["secrets"]
    assert encryption["provider"]["keyArn"].endswith(":key/secrets")
    assert aws.one("Key").inputs["enableKeyRotation"]


def test_who_did_what_is_logged_for_a_month(aws: Platform) -> None:
    assert "audit" in aws.one("Cluster").inputs["enabledClusterLogTypes"]
    assert aws.one("LogGroup").inputs["retentionInDays"] == 30
    assert aws.one("LogGroup").inputs["name"] == "/aws/eks/task-manager-aws/cluster"
    assert aws.one("LogGroup").urn in aws.one("Cluster").dependencies


def test_nodes_stand_in_private_subnets_one_group_a_zone(aws: Platform) -> None:
    groups = aws.all("NodeGroup")
    subnets = sorted(each.inputs["subnetIds"] for each in groups)
    assert subnets == [["private-0-id"], ["private-1-id"], ["private-2-id"]]
    for each in groups:
        assert each.inputs["scalingConfig"] == {"minSize": 2.0, "maxSize": 3.0, "desiredSize": 2.0}
        assert each.ignored == ("scalingConfig.desiredSize",)
        assert each.inputs["updateConfig"] == {"maxUnavailablePercentage": 33.0}


def test_growing_adds_a_zone_and_renames_no_group() -> None:
    seen = [
        {each.name for each in engine.run(engine.settings_of("aws", phase=phase)).all("NodeGroup")}
        for phase in ("2", "3", "4")
    ]
    three = {"nodes-0", "nodes-1", "nodes-2"}
    assert seen == [{"nodes-0", "nodes-1"}, three, three]


def test_pods_reach_no_credentials_of_their_node(aws: Platform) -> None:
    options = aws.one("LaunchTemplate").inputs["metadataOptions"]
    assert options == {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1.0}


def test_volumes_are_encrypted(aws: Platform) -> None:
    [disk] = aws.one("LaunchTemplate").inputs["blockDeviceMappings"]
    assert disk["ebs"]["encrypted"] == "true"
    storage = aws.one("StorageClass").inputs
    assert storage["parameters"] == {"type": "gp3", "encrypted": "true"}
    assert storage["volumeBindingMode"] == "WaitForFirstConsumer"
    assert storage["allowVolumeExpansion"]


def test_network_policies_are_enforced(aws: Platform) -> None:
    assert json.loads(aws.one("Addon", "vpc-cni").inputs["configurationValues"]) == {"enableNetworkPolicy": "true"}
    for group in aws.all("NodeGroup"):
        assert aws.one("Addon", "vpc-cni").urn in group.dependencies, "a node without it is never ready"


def test_the_bucket_is_private_encrypted_and_keeps_former_versions(aws: Platform) -> None:
    block = aws.one("BucketPublicAccessBlock").inputs
    assert all(block[key] for key in block if key != "bucket")
    assert len(block) == 5
    [rule] = aws.one("BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    assert aws.one("BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}
    [rule] = aws.one("BucketLifecycleConfiguration").inputs["rules"]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 30.0}
    assert aws.one("BucketOwnershipControls").inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    [denied] = json.loads(aws.one("BucketPolicy").inputs["policy"])["Statement"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert aws.one("Bucket").inputs["forceDestroy"] is False
    assert aws.one("Bucket").retain


def test_a_tag_of_the_registry_never_means_another_image(aws: Platform) -> None:
    registry = aws.one("Repository").inputs
    assert registry["imageTagMutability"] == "IMMUTABLE"
    assert registry["imageScanningConfiguration"] == {"scanOnPush": True}
    assert registry["encryptionConfigurations"]


def policies(platform: Platform) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that allows something, with the name of its resource."""
    for each in platform.resources:
        for key in ("policy", "assumeRolePolicy"):
            if isinstance(text := each.inputs.get(key), str) and each.type.startswith("aws:iam"):
                for statement in json.loads(text)["Statement"]:
                    yield each.name, statement


def test_no_policy_allows_every_action_or_every_principal(aws: Platform) -> None:
    seen = list(policies(aws))
    assert len(seen) >= 10
    for name, statement in seen:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action], name
        assert statement.get("Principal") != "*", name
        assert "NotAction" not in statement, name


def test_every_resource_is_meant_by_actions_that_know_none(aws: Platform) -> None:
    for name, statement in policies(aws):
        if statement.get("Resource") == "*":
            assert name == "load-balancer-controller"
            assert all(action.partition(":")[2].startswith("Describe") for action in statement["Action"])


def test_the_controller_changes_what_is_tagged_as_its_clusters_alone(aws: Platform) -> None:
    for name, statement in policies(aws):
        actions = json.dumps(statement["Action"])
        if name == "load-balancer-controller" and ("Delete" in actions or "Modify" in actions):
            assert statement["Condition"] == {
                "StringEquals": {"aws:ResourceTag/elbv2.k8s.aws/cluster": "task-manager-aws"}
            }


@pytest.mark.parametrize(
    ("role", "account"),
    [
        ("load-balancer-controller", "kube-system:aws-load-balancer-controller"),
        ("volumes", "kube-system:ebs-csi-controller-sa"),
        ("pod-network", "kube-system:aws-node"),
        ("backups", f"task-manager-*:{names.DATABASE_CLUSTER}*"),
    ],
)
def test_a_role_is_taken_by_its_own_service_account_alone(aws: Platform, role: str, account: str) -> None:
    [trust] = json.loads(aws.one("Role", role).inputs["assumeRolePolicy"])["Statement"]
    host = "oidc.eks.eu-central-1.amazonaws.com/id/ABC"
    assert trust["Condition"] == {
        "StringEquals": {f"{host}:aud": "sts.amazonaws.com"},
        "StringLike": {f"{host}:sub": f"system:serviceaccount:{account}"},
    }
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"


def test_backups_reach_their_bucket_alone(aws: Platform) -> None:
    statements = [statement for name, statement in policies(aws) if name == "backups" and "Resource" in statement]
    bucket = "arn:aws:s3:::task-manager-backups-1a2b3c4"
    assert {statement["Resource"] for statement in statements} == {bucket, f"{bucket}/*"}


def test_there_is_no_database_and_no_server_beside_the_nodes(aws: Platform) -> None:
    services = {each.type.split(":")[1].split("/")[0] for each in aws.resources if each.type.startswith("aws:")}
    assert services == {"ec2", "iam", "eks", "kms", "s3", "ecr", "cloudwatch"}
    assert not aws.all("Instance")


def test_an_environment_and_the_add_ons_get_what_they_need(aws: Platform) -> None:
    assert aws.outputs["environment"] == {
        "context": "task-manager-aws",
        "storage_class": "gp3",
        "backups.bucket": "task-manager-backups-1a2b3c4",
        "backups.identity": aws.outputs["identity"]["backup_role"],
        "hostname": "tasks.example.com",
        **engine.OF_ADDONS,
    }
    assert set(aws.outputs["identity"]) == {
        "cluster_name",
        "vpc_id",
        "load_balancer_controller_role",
        "backup_role",
    }
    assert aws.outputs["registry"].endswith("/registry")
    assert aws.secret_outputs == set(), "its kubeconfig asks aws for a token"
