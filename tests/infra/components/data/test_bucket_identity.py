"""Workload identity of the bucket: a role by the database's ServiceAccount, and no key."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pulumi
import pytest
import yaml

from infra import names
from infra.config.settings import load_settings
from local.cluster import addons, backups
from local.tools import go_tools
from tests.infra import engine, render
from tests.infra.engine import Stack
from tests.infra.schemas import strict

ROLE = "arn:aws:iam::123456789012:role/tasks-backups"
GOOGLE = "tasks-backups@project.iam.gserviceaccount.com"
CLIENT = "01234567-89ab-cdef-0123-456789abcdef"
ACCOUNT = "https://tasks.blob.core.windows.net"
SETTINGS = {
    "keys": {},
    "irsa": {"backups.identity": ROLE},
    "pod-identity": {"backups.identity": "pod-identity"},
    "gke": {"backups.identity": GOOGLE},
    "aks": {"backups.identity": CLIENT, "backups.endpoint": ACCOUNT},
}
EVERYWHERE = ("0.0.0.0/0", "::/0")


def run(settings: dict[str, str]) -> Stack:
    """Phase 2 with a bucket."""
    config = {"backups.bucket": "backups", "backups.folder": "prod", **settings}
    return engine.run(
        {**engine.stack_file("phase2"), **{f"task-manager:{key}": value for key, value in config.items()}}
    )


@pytest.fixture(scope="module")
def stacks() -> dict[str, Stack]:
    return {name: run(settings) for name, settings in SETTINGS.items()}


def configuration(stack: Stack) -> dict[str, Any]:
    """How the store is reached."""
    found: dict[str, Any] = stack.find("ObjectStore").inputs["spec"]["configuration"]
    return found


@pytest.mark.parametrize(
    ("name", "path", "credentials"),
    [
        ("irsa", "s3://backups/prod", {"s3Credentials": {"inheritFromIAMRole": True}}),
        ("pod-identity", "s3://backups/prod", {"s3Credentials": {"inheritFromIAMRole": True}}),
        ("gke", "gs://backups/prod", {"googleCredentials": {"gkeEnvironment": True}}),
        ("aks", f"{ACCOUNT}/backups/prod", {"azureCredentials": {"useDefaultAzureCredentials": True}}),
    ],
)
def test_the_store_is_opened_by_a_role_and_no_secret_is_named(
    stacks: dict[str, Stack], name: str, path: str, credentials: dict[str, Any]
) -> None:
    said = configuration(stacks[name])
    assert said["destinationPath"] == path
    assert {key: value for key, value in said.items() if key.endswith("Credentials")} == credentials
    assert "endpointURL" not in said
    assert '"key"' not in json.dumps(said)


@pytest.mark.parametrize(
    ("name", "annotations"),
    [
        ("keys", None),
        ("irsa", {"eks.amazonaws.com/role-arn": ROLE}),
        ("pod-identity", None),
        ("gke", {"iam.gke.io/gcp-service-account": GOOGLE}),
        ("aks", {"azure.workload.identity/client-id": CLIENT}),
    ],
)
def test_the_service_account_of_the_cluster_names_the_role(
    stacks: dict[str, Stack], name: str, annotations: dict[str, str] | None
) -> None:
    template = stacks[name].find("Cluster").inputs["spec"].get("serviceAccountTemplate")
    assert template == ({"metadata": {"annotations": annotations}} if annotations else None)


def test_azure_finds_the_pods_by_a_label_and_the_policies_still_do(stacks: dict[str, Stack]) -> None:
    labels = {
        name: stack.find("Cluster").inputs["spec"]["inheritedMetadata"]["labels"] for name, stack in stacks.items()
    }
    assert labels.pop("aks") == {**names.DATABASE_LABELS, "azure.workload.identity/use": "true"}
    assert all(found == names.DATABASE_LABELS for found in labels.values())


@pytest.mark.parametrize(
    ("settings", "called"),
    [
        ({}, {(443, EVERYWHERE)}),
        ({"backups.endpoint": "http://s3.example:7070"}, {(7070, EVERYWHERE)}),
        ({**SETTINGS["irsa"], "backups.endpoint": "http://s3.example:7070"}, {(443, EVERYWHERE), (7070, EVERYWHERE)}),
        (SETTINGS["pod-identity"], {(443, EVERYWHERE), (80, ("169.254.170.23/32", "fd00:ec2::23/128"))}),
        (
            SETTINGS["gke"],
            {(443, EVERYWHERE), (988, ("169.254.169.252/32",)), (80, ("169.254.169.254/32",))},
        ),
        (SETTINGS["aks"], {(443, EVERYWHERE)}),
    ],
)
def test_the_databases_pods_may_call_whoever_gives_out_credentials_and_nobody_else(
    settings: dict[str, str], called: set[tuple[int, tuple[str, ...]]]
) -> None:
    # At a port that nothing else has: the database's pods call the API server, too.
    rules = run({**settings, "network.api_server_ports": "16443"}).find("NetworkPolicy", names.DATABASE_CLUSTER)
    found = {
        (int(port["port"]), tuple(peer["ipBlock"]["cidr"] for peer in rule["to"] if "ipBlock" in peer))
        for rule in rules.inputs["spec"]["egress"]
        if "ipBlock" in rule["to"][0]
        for port in rule["ports"]
    }
    assert found == {*called, (16443, EVERYWHERE)}


def schema(definitions: str, kind: str) -> dict[str, Any]:
    """The operator's own schema of a kind's specification."""
    [found] = [
        document
        for document in yaml.safe_load_all(definitions)
        if document and document["kind"] == "CustomResourceDefinition" and document["spec"]["names"]["kind"] == kind
    ]
    whole = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return strict(whole["properties"]["spec"])


@pytest.mark.parametrize("name", SETTINGS)
def test_operator_and_plugin_take_them(stacks: dict[str, Stack], name: str) -> None:
    plugin = go_tools.module_source(*backups.PLUGIN_MODULE) / "config" / "crd" / "bases"
    stores = (plugin / "barmancloud.cnpg.io_objectstores.yaml").read_text()
    for kind, definitions in (("Cluster", addons.operator_manifest()), ("ObjectStore", stores)):
        resource = render.manifest(stacks[name].find(kind))
        jsonschema.validate(resource["spec"], schema(definitions, kind))


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"identity": "tasks"}, "task-manager:backups.identity: 'tasks' is no workload identity: write it as arn:aws"),
        ({"identity": "arn:aws:iam::1:role/x"}, "task-manager:backups.identity: 'arn:aws:iam::1:role/x' is no work"),
        (
            {"identity": ROLE, "bucket": ""},
            "task-manager:backups.identity: there is no bucket for it: set task-manager:backups.bucket",
        ),
        (
            {"identity": GOOGLE, "endpoint": "https://s3.example.com"},
            "task-manager:backups.endpoint: a Google service account opens Google's buckets alone: remove it",
        ),
        (
            {"identity": CLIENT},
            "task-manager:backups.endpoint: a managed identity of Azure needs the address of its storage account: set",
        ),
    ],
)
def test_an_identity_that_cannot_be_is_one_line(settings: dict[str, str], line: str) -> None:
    config = {
        "task-manager:phase": "2",
        "task-manager:hostname": "tasks.example.com",
        "task-manager:backups": json.dumps({"bucket": "backups", **settings}),
    }
    with pytest.raises(pulumi.RunError) as refused:
        load_settings(config)
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("identity", [ROLE, "arn:aws-cn:iam::123456789012:role/path/x", "pod-identity", GOOGLE])
def test_each_form_of_an_identity_is_taken(identity: str) -> None:
    config = {
        "task-manager:phase": "2",
        "task-manager:hostname": "tasks.example.com",
        "task-manager:backups": json.dumps({"bucket": "backups", "identity": identity}),
    }
    assert load_settings(config).backups.identity == identity
