"""Messages for refusals of the API server: what failed, where, and what to do."""

import pytest

from local.plugins.kubernetes_provider.errors import ApiError


def error_message(code: int, **status: object) -> str:
    """Give the message for a refusal."""
    return str(ApiError(code, status))


def test_missing_rights_are_named_with_verb_resource_and_namespace() -> None:
    message = (
        'deployments.apps "x" is forbidden: User "jane" cannot patch resource "deployments" in API group "apps" '
        'in the namespace "shop"'
    )
    assert error_message(403, reason="Forbidden", message=message) == (
        "no rights: user jane may not patch deployments.apps in namespace shop; "
        "grant the verb patch on deployments.apps by a Role, or use a kubeconfig that has it"
    )


def test_missing_rights_in_the_whole_cluster_are_named_so() -> None:
    message = (
        'namespaces is forbidden: User "jane" cannot create resource "namespaces" in API group "" at the cluster scope'
    )
    assert "create namespaces in the whole cluster" in error_message(403, reason="Forbidden", message=message)


def test_a_refusal_by_pod_security_is_shown_as_it_is() -> None:
    message = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
    assert error_message(403, reason="Forbidden", message=message) == message


def test_an_invalid_object_names_each_field_once() -> None:
    causes = [
        {"field": "spec.ports[0].port", "message": "Invalid value: 0"},
        {"field": "spec.ports[0].port", "message": "Invalid value: 0"},
        {"field": "spec.selector", "message": "Required value"},
    ]
    text = error_message(422, reason="Invalid", details={"kind": "Service", "name": "api", "causes": causes})
    assert text == "Service api is not valid: spec.ports[0].port: Invalid value: 0; spec.selector: Required value"


def test_a_field_of_another_manager_is_named_with_its_owner_and_the_way_out() -> None:
    causes = [{"field": ".spec.replicas", "message": 'conflict with "kubectl-scale" using apps/v1'}]
    text = error_message(409, reason="Conflict", message="Apply failed", details={"causes": causes})
    assert ".spec.replicas is held by kubectl-scale" in text
    assert "pulumi.com/patchForce" in text


def test_bad_credentials_are_named() -> None:
    assert "does not accept the credentials" in error_message(401, reason="Unauthorized", message="Unauthorized")


@pytest.mark.parametrize(
    ("code", "status", "missing"),
    [
        (404, {"details": {"kind": "namespaces", "name": "shop"}}, True),
        (404, {"details": {"kind": "configmaps", "name": "x"}}, False),
        (403, {"details": {"causes": [{"reason": "NamespaceTerminating"}]}}, True),
        (403, {"message": "no"}, False),
    ],
)
def test_a_missing_namespace_is_distinguished_from_a_missing_object(
    code: int, status: dict[str, object], *, missing: bool
) -> None:
    assert ApiError(code, status).namespace_missing is missing
