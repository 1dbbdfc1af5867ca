"""Logs: off by default; what may read the node's files, where lines go, and what the ECK operator is given."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from infra import names
from infra.components.observability import filebeat, log_shipper, log_store
from infra.config.settings import load_settings
from infra.phases import PHASES
from local import paths
from local.tools import go_tools as tools
from tests.infra import engine, render
from tests.infra.engine import Resource, Stack
from tests.infra.schemas import strict

DEFINITIONS = ("github.com/elastic/cloud-on-k8s/v3", "v3.2.0")


@pytest.fixture
def existing(variants: dict[str, Stack]) -> Stack:
    """Phase 1 that ships to an Elasticsearch that is there."""
    return variants["phase1-shipped"]


@pytest.fixture
def operated(variants: dict[str, Stack]) -> Stack:
    """Phase 3 with an Elasticsearch of its own."""
    return variants["phase3-shipped"]


@pytest.fixture(params=["phase1-shipped", "phase3-shipped"])
def shipped(request: pytest.FixtureRequest, variants: dict[str, Stack]) -> Stack:
    """Each of the two."""
    return variants[request.param]


def made(stack: Stack) -> list[Resource]:
    """What is in the logs' namespace."""
    return [resource for resource in stack.objects if resource.namespace.endswith("-logs")]


def pod(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.find("DaemonSet", names.LOGS).inputs["spec"]["template"]["spec"]
    return found


def config(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(stack.find("ConfigMap", names.LOGS).inputs["data"]["filebeat.yml"])
    return found


def test_nothing_is_there_by_default(phase1: Stack, phase2: Stack, phase3: Stack) -> None:
    for stack in (phase1, phase2, phase3):
        assert not stack.has("DaemonSet")
        assert made(stack) == []
        assert "kibana" not in stack.outputs["reach"]


def test_kubernetes_knows_every_field(shipped: Stack) -> None:
    checked = [resource for resource in made(shipped) if ".k8s.elastic.co" not in resource.type]
    assert {"Namespace", "DaemonSet", "ConfigMap", "NetworkPolicy"} <= {resource.kind for resource in checked}
    for resource in checked:
        kubernetes_validate.validate(render.manifest(resource), "1.34", strict=True)


@pytest.mark.parametrize("kind", ["Elasticsearch", "Kibana"])
def test_the_operator_takes_them(operated: Stack, kind: str) -> None:
    file = tools.module_source(*DEFINITIONS) / "config" / "crds" / "v1" / "all-crds.yaml"
    [definition] = [found for found in yaml.safe_load_all(file.read_text()) if found["spec"]["names"]["kind"] == kind]
    [version] = [found for found in definition["spec"]["versions"] if found["storage"]]
    found = render.manifest(operated.find(kind))
    assert found["apiVersion"] == f"{definition['spec']['group']}/{version['name']}"
    jsonschema.validate(found["spec"], strict(version["schema"]["openAPIV3Schema"]["properties"]["spec"]))


def test_the_shipper_sees_the_nodes_logs_and_changes_nothing_but_its_own_folder(shipped: Stack) -> None:
    spec = pod(shipped)
    paths = {volume["name"]: volume["hostPath"]["path"] for volume in spec["volumes"] if "hostPath" in volume}
    namespace = shipped.outputs["namespace"]
    assert paths == {"pods": "/var/log/pods", "data": f"/var/lib/{namespace}-logs"}
    [container] = spec["containers"]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert [name for name, mount in mounts.items() if not mount.get("readOnly")] == ["data"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC"))


def test_it_reads_the_stacks_pods_and_no_others(shipped: Stack) -> None:
    [read] = config(shipped)["filebeat.inputs"]
    assert read["paths"] == [f"/var/log/pods/{shipped.outputs['namespace']}_*/*/*.log*"]


def test_its_configuration_is_the_one_that_is_tested(existing: Stack) -> None:
    row = PHASES[1].logs
    credentials = {"api_key": "${SECRET}"}
    shipping = filebeat.Shipping(
        "task-manager-phase1-shipped", "phase1-shipped", "https://logs.example.com:443", credentials, row
    )
    assert existing.find("ConfigMap", names.LOGS).inputs["data"] == filebeat.files(shipping)
    [container] = pod(existing)["containers"]
    assert container["args"] == filebeat.arguments()
    folders = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert (folders["config"], folders["pods"], folders["data"]) == (filebeat.CONFIG, filebeat.PODS, filebeat.DATA)


def test_a_changed_configuration_is_a_changed_pod() -> None:
    def annotations(endpoint: str = "https://one.example.com") -> Any:
        stack = engine.run({"task-manager:logs": {"destination": "elasticsearch", "endpoint": endpoint}})
        return stack.find("DaemonSet").inputs["spec"]["template"]["metadata"]["annotations"]

    assert annotations() == annotations()
    assert annotations() != annotations("https://two.example.com")


@pytest.mark.parametrize("number", PHASES)
def test_lines_are_kept_and_buffered_as_the_phase_says(number: int) -> None:
    row = PHASES[number].logs
    shipping = filebeat.Shipping("task-manager-prod", "prod", "https://there:9200", {}, row)
    template = filebeat.template(shipping)
    assert template["template"]["lifecycle"] == {"data_retention": f"{row.days}d"}
    written = filebeat.configuration(shipping)
    assert written["queue.disk"] == {"max_size": f"{row.buffer}MiB"}
    # What Filebeat asks for, and Elasticsearch for names of data streams.
    assert row.buffer >= 10
    assert template["index_patterns"] == [written["output.elasticsearch"]["index"]] == ["logs-task_manager-prod"]


@pytest.mark.parametrize(("retention", "said"), [(True, {"lifecycle": {"data_retention": "7d"}}), (False, {})])
def test_a_template_for_an_elasticsearch_without_lifecycles_says_nothing_of_them(
    *, retention: bool, said: dict[str, Any]
) -> None:
    section = {"destination": "elasticsearch", "endpoint": "https://logs.example.com", "retention": retention}
    files = engine.run({"task-manager:logs": section}).find("ConfigMap", names.LOGS).inputs["data"]
    template = json.loads(files["template.json"])["template"]
    assert {key: value for key, value in template.items() if key == "lifecycle"} == said
    assert template["mappings"]["properties"]["json"]["type"] == "flattened"


def test_the_stacks_name_makes_one_part_of_the_streams() -> None:
    shipping = filebeat.Shipping("n", "Phase3-Logs", "https://there:9200", {}, PHASES[1].logs)
    assert shipping.stream == "logs-task_manager-phase3_logs"


def test_it_calls_the_one_that_is_there_with_the_key_in_the_secret(existing: Stack) -> None:
    output = config(existing)["output.elasticsearch"]
    assert output["hosts"] == ["https://logs.example.com:443"]
    assert output["api_key"] == "${SECRET}"
    [variable] = [found for found in pod(existing)["containers"][0]["env"] if found["name"] == "SECRET"]
    assert variable["valueFrom"]["secretKeyRef"] == {"name": "task-manager-logs", "key": "api-key"}
    [rule] = policies(existing)["log-shipper-flows"]["egress"]
    assert [port["port"] for port in rule["ports"]] == [443]
    [trusted] = [volume["secret"] for volume in pod(existing)["volumes"] if volume["name"] == "trusted"]
    assert (trusted["secretName"], trusted["optional"]) == ("task-manager-logs", True)


def test_it_calls_the_operators_by_the_user_and_the_authority_that_are_made_in_the_cluster(operated: Stack) -> None:
    output = config(operated)["output.elasticsearch"]
    assert output["hosts"] == [f"https://{names.LOGS}-es-http:9200"]
    given = operated.find("Elasticsearch").inputs["spec"]["auth"]
    assert given == {"fileRealm": [{"secretName": names.LOGS}], "roles": [{"secretName": names.LOGS}]}
    [maker] = [found for found in made(operated) if found.kind == "Job"]
    [container] = maker.inputs["spec"]["template"]["spec"]["containers"]
    words = container["args"]
    said = dict(word.split("=", 1) for before, word in pairwise(words) if before == "--value")
    assert words[words.index("--name") + 1] == names.LOGS
    assert words[words.index("--key") + 1] == "password"
    assert output["username"] == said["username"]
    role = json.loads(said["roles.yml"])[said["roles"]]
    assert role["indices"] == [{"names": [output["index"]], "privileges": ["auto_configure", "create_doc"]}]
    [trusted] = [volume["secret"] for volume in pod(operated)["volumes"] if volume["name"] == "trusted"]
    assert (trusted["secretName"], trusted["optional"]) == (f"{names.LOGS}-es-http-certs-public", False)


def test_who_provides_secrets_provides_this_one_too() -> None:
    stack = engine.run(
        {
            **engine.stack_file("phase3"),
            "task-manager:logs.destination": "operator",
            "task-manager:secrets.source": "provided",
        }
    )
    assert not [resource for resource in made(stack) if resource.kind == "Job"]


def policies(stack: Stack) -> dict[str, dict[str, Any]]:
    return {resource.name: resource.inputs["spec"] for resource in made(stack) if resource.kind == "NetworkPolicy"}


def labels(stack: Stack) -> dict[str, dict[str, str]]:
    """Labels of each kind of pod in the logs' namespace."""
    found = {"shipper": stack.find("DaemonSet", names.LOGS).inputs["spec"]["template"]["metadata"]["labels"]}
    [nodes] = stack.find("Elasticsearch").inputs["spec"]["nodeSets"]
    found["store"] = nodes["podTemplate"]["metadata"]["labels"]
    found["viewer"] = stack.find("Kibana").inputs["spec"]["podTemplate"]["metadata"]["labels"]
    return found


def allowed(stack: Stack, end: str) -> set[tuple[str, str, int]]:
    """Flows that one end's policies let pass: who calls, who is called, at which port."""
    peers = {"ingress": "from", "egress": "to"}[end]
    pods = labels(stack)
    found = set()
    for policy in policies(stack).values():
        chosen = policy["podSelector"].get("matchLabels", {})
        for own in (name for name, had in pods.items() if chosen and chosen.items() <= had.items()):
            for rule in policy.get(end, []):
                [peer] = rule[peers]
                for other, had in {**pods, "operator": {}}.items():
                    if "namespaceSelector" in peer:
                        reaches = other == "operator"
                        assert peer == {
                            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "elastic-system"}}
                        }
                    else:
                        wanted = peer["podSelector"]["matchLabels"]
                        reaches = wanted.items() <= had.items()
                    ends = (other, own) if end == "ingress" else (own, other)
                    found |= {(*ends, int(port["port"])) for port in rule["ports"] if reaches}
    return found


def test_policies_allow_the_flows_that_logs_need_and_no_other(operated: Stack) -> None:
    within = {
        ("shipper", "store", 9200),
        ("viewer", "store", 9200),
        ("store", "store", 9200),
        ("store", "store", 9300),
    }
    assert allowed(operated, "egress") == within
    assert allowed(operated, "ingress") == within | {("operator", "store", 9200)}


def test_the_operators_pods_are_without_privilege_and_bounded(operated: Stack) -> None:
    [nodes] = operated.find("Elasticsearch").inputs["spec"]["nodeSets"]
    for template in (nodes["podTemplate"], operated.find("Kibana").inputs["spec"]["podTemplate"]):
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]) & set(container["resources"]["limits"])
    assert nodes["config"]["node.store.allow_mmap"] is False


def test_what_is_kept_is_protected_where_data_are(existing: Stack) -> None:
    keys = {
        **engine.stack_file("phase3"),
        "task-manager:logs.destination": "operator",
        "task-manager:protect_data": "true",
    }
    operated = engine.run(keys, "prod")
    protected = {resource.name for resource in made(operated) if resource.protect}
    assert protected == {"logs-namespace", "log-store-elasticsearch"}
    assert "namespace task-manager-prod-logs" in operated.outputs["protected"]
    assert not [resource.name for resource in made(existing) if resource.protect]


def test_kibana_is_told_how_to_be_reached(operated: Stack) -> None:
    namespace = operated.outputs["namespace"]
    way = f"kubectl --namespace {namespace}-logs port-forward service/{names.LOGS}-kb-http 5601"
    assert operated.outputs["reach"]["kibana"] == way


def test_the_shipper_is_not_newer_than_what_it_sends_to() -> None:
    assert log_shipper.IMAGE.rpartition(":")[2] == log_store.VERSION


def test_an_endpoint_without_a_port_means_its_schemes() -> None:
    def port(endpoint: str) -> int:
        return load_settings({"task-manager:logs": {"destination": "elasticsearch", "endpoint": endpoint}}).logs_port()

    assert [port(f"{it}") for it in ("https://a", "http://a", "https://a:9243")] == [443, 80, 9243]


def test_the_local_clusters_elasticsearch_lets_the_shipper_in_and_nobody_else(existing: Stack) -> None:
    documents = yaml.safe_load_all((paths.MANIFESTS / "elasticsearch.yaml").read_text())
    [policy] = [document["spec"] for document in documents if document["kind"] == "NetworkPolicy"]
    assert (policy["podSelector"], policy["policyTypes"]) == ({}, ["Ingress", "Egress"])
    [rule] = policy["ingress"]
    assert rule["ports"] == [{"port": names.ELASTICSEARCH_PORT}]
    [peer] = rule["from"]
    labels = existing.find("DaemonSet", names.LOGS).inputs["spec"]["template"]["metadata"]["labels"]
    assert peer["podSelector"]["matchLabels"].items() <= labels.items()
    [namespace] = [resource for resource in made(existing) if resource.kind == "Namespace"]
    [expression] = peer["namespaceSelector"]["matchExpressions"]
    assert expression["operator"] == "Exists"
    assert expression["key"] in namespace.inputs["metadata"]["labels"]
