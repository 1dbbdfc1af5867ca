"""What holds for every resource of every variant: no secret passes through, every pod is restricted and bounded."""

import re
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from infra import names
from tests.infra import engine
from tests.infra.engine import Resource, Stack, walk

SECRET_NAME = re.compile(r"password|secret|token|private|credential", re.IGNORECASE)


def pod_specs(stack: Stack) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """The pods that the program describes itself. Others are the chart's (tested with it) and the operator's."""
    for resource in stack.objects:
        if resource.kind in ("Job", "StatefulSet", "Deployment", "DaemonSet"):
            yield resource, resource.inputs["spec"]["template"]["spec"]
        if resource.kind == "CronJob":
            yield resource, resource.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        if resource.kind == "Pod":
            yield resource, resource.inputs["spec"]


def containers(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every container of these pods."""
    for resource, spec in pod_specs(stack):
        for container in spec["containers"] + spec.get("initContainers", []):
            yield f"{resource.name}/{container['name']}", container


def test_the_program_describes_pods_at_all(stack: Stack) -> None:
    assert list(containers(stack))


def test_no_secret_is_ever_a_resource_of_the_program(stack: Stack) -> None:
    assert not [resource.name for resource in stack.objects if resource.kind.startswith("Secret")]


def test_no_input_looks_like_a_secret_value(stack: Stack) -> None:
    random = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9_+/=-]{24,}")
    found = [
        f"{resource.name}{path}"
        for resource in stack.resources
        for path, value in walk(resource.inputs)
        if isinstance(value, str) and random.fullmatch(value)
    ]
    assert not found


def test_no_variable_that_is_named_like_a_secret_has_a_value(stack: Stack) -> None:
    named = [variable for _, container in containers(stack) for variable in container.get("env", [])]
    assert not [variable["name"] for variable in named if SECRET_NAME.search(variable["name"]) and "value" in variable]
    for release in stack.releases:
        plain = release.inputs["values"]["env"]
        assert not [name for name in plain if SECRET_NAME.search(name) or name.endswith("_KEY")]
        passwords = [name for name, value in plain.items() if re.search(r"//[^/]*:[^/]*@", value)]
        assert not passwords, "a URL with a password"


def test_a_setting_that_is_secret_is_encrypted_in_the_state() -> None:
    mail = {"host": "mail.example.com", "sender": "tasks@example.com", "user": "someone"}
    config = {"task-manager:mail": mail}
    plain, secret = engine.run(config), engine.run(config, secret=list(config))
    assert plain.values["env"]["APP_SMTP_USER"] == "someone"
    assert pulumi.runtime.rpc.is_rpc_secret(secret.find("Release").inputs["values"])


def test_the_chart_gets_each_secret_by_name_and_key(stack: Stack) -> None:
    for release in stack.releases:
        for variable in release.inputs["values"]["envFromSecrets"]:
            assert set(variable) - {"optional"} == {"name", "secret", "key"}


def test_every_pod_but_the_reader_of_the_nodes_logs_fits_the_restricted_standard(stack: Stack) -> None:
    for resource, spec in pod_specs(stack):
        if resource.name == "log-shipper-server":
            continue
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True, resource.name
        assert security["runAsUser"] > 0, resource.name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, resource.name
        assert not any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")), resource.name
        allowed = {"configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected", "name"}
        assert all(set(volume) <= allowed for volume in spec.get("volumes", [])), resource.name


def test_every_container_is_without_privilege_and_cannot_write_its_root(stack: Stack) -> None:
    for name, container in containers(stack):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["readOnlyRootFilesystem"] is True, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name


def test_every_container_has_requests_and_limits(stack: Stack) -> None:
    described = dict(containers(stack))
    described |= {release.name: release.inputs["values"] for release in stack.releases}
    if stack.has("Cluster"):
        described["database"] = stack.find("Cluster").inputs["spec"]
    for resource in stack.objects:
        if resource.kind == "Pooler":
            (described[resource.name],) = resource.inputs["spec"]["template"]["spec"]["containers"]
    for name, part in described.items():
        for kind in ("requests", "limits"):
            assert {"cpu", "memory"} <= set(part["resources"][kind]), name
        assert part["resources"]["requests"]["memory"] == part["resources"]["limits"]["memory"], name


def test_only_who_makes_or_renews_secrets_and_prometheus_and_rabbitmq_get_a_token(stack: Stack) -> None:
    for resource, spec in pod_specs(stack):
        wanted = resource.name in (
            "secrets-job",
            "logs-secrets-job",
            "certificate-renewal-job",
            "prometheus-server",
            "rabbitmq-certificate-renewal-job",
            "rabbitmq-server",
        )
        assert spec["automountServiceAccountToken"] is wanted, resource.name


def test_the_maker_of_secrets_reads_and_changes_only_the_secrets_it_makes(stack: Stack) -> None:
    makers = [(resource, spec) for resource, spec in pod_specs(stack) if resource.object_name == names.SECRET_MAKER]
    assert makers
    for maker, spec in makers:
        made = {container["name"] for container in spec["containers"]}
        [role] = [found for found in of_kind(stack, "Role", maker.namespace) if found.object_name == names.SECRET_MAKER]
        for rule in role.inputs["rules"]:
            assert rule["resources"] == ["secrets"]
            assert "*" not in rule["verbs"]
            assert "list" not in rule["verbs"]
            if rule["verbs"] != ["create"]:
                assert set(rule["resourceNames"]) == made


def of_kind(stack: Stack, kind: str, namespace: str) -> list[Resource]:
    return [resource for resource in stack.objects if (resource.kind, resource.namespace) == (kind, namespace)]


def namespaces(stack: Stack) -> list[Resource]:
    return [resource for resource in stack.objects if resource.kind == "Namespace"]


def test_each_namespace_but_that_of_the_reader_of_logs_enforces_the_restricted_standard(stack: Stack) -> None:
    for namespace in namespaces(stack):
        labels = namespace.inputs["metadata"]["labels"]
        standard = "privileged" if namespace.name == "logs-namespace" else "restricted"
        assert labels["pod-security.kubernetes.io/enforce"] == standard


def test_each_namespace_denies_every_flow_that_no_policy_names(stack: Stack) -> None:
    for namespace in namespaces(stack):
        policies = of_kind(stack, "NetworkPolicy", namespace.object_name)
        [spec] = [policy.inputs["spec"] for policy in policies if policy.object_name == "default-deny"]
        assert spec["podSelector"].get("matchLabels", {}) == {}
        assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
        assert not spec.get("ingress")
        assert not spec.get("egress")


@pytest.mark.parametrize("end", ["ingress", "egress"])
def test_no_policy_has_a_rule_without_peers_or_ports(stack: Stack, end: str) -> None:
    peers = {"ingress": "from", "egress": "to"}[end]
    for resource in stack.objects:
        if resource.kind == "NetworkPolicy":
            for rule in resource.inputs["spec"].get(end, []):
                assert rule.get(peers), f"{resource.name}: an empty list means everybody"
                assert rule.get("ports"), f"{resource.name}: an empty list means every port"
                assert all(rule[peers]), f"{resource.name}: an empty peer means everybody"
