"""Add-ons that environments stand on stay, whatever runs against the stack."""

from infra.components.base import Target
from infra.platform.addons import in_use
from tests.infra.engine import Stack
from tests.infra.platform.addons.conftest import releases
from tests.infra.platform.addons.test_install import comes_after


def test_each_add_on_has_a_record_that_goes_before_it(everything: Stack) -> None:
    for key, release in releases(everything).items():
        record = everything.find("ConfigMap", release.object_name)
        assert record.name == f"{key}-record"
        assert comes_after(everything, record, release)


def test_records_go_while_the_policy_is_still_there(everything: Stack) -> None:
    binding = everything.find("ValidatingAdmissionPolicyBinding")
    policy = everything.find("ValidatingAdmissionPolicy")
    assert comes_after(everything, binding, policy)
    for record in (each for each in everything.objects if each.kind == "ConfigMap"):
        assert comes_after(everything, record, binding)


def test_the_policy_is_about_the_deletion_of_what_the_platform_has_made(everything: Stack) -> None:
    spec = everything.find("ValidatingAdmissionPolicy").inputs["spec"]
    assert spec["failurePolicy"] == "Fail"
    [rule] = spec["matchConstraints"]["resourceRules"]
    assert rule["operations"] == ["DELETE"]
    selector = spec["matchConstraints"]["objectSelector"]["matchLabels"]
    for each in everything.objects:
        if each.kind in ("ConfigMap", "Namespace"):
            assert selector.items() <= each.inputs["metadata"]["labels"].items()


def test_the_policy_speaks_for_the_namespaces_of_environments(everything: Stack) -> None:
    spec = everything.find("ValidatingAdmissionPolicyBinding").inputs["spec"]
    assert spec["policyName"] == everything.find("ValidatingAdmissionPolicy").object_name
    assert spec["validationActions"] == ["Deny"]
    assert spec["paramRef"]["parameterNotFoundAction"] == "Allow"
    [selected] = spec["paramRef"]["selector"]["matchExpressions"]
    assert selected == {"key": in_use.ENVIRONMENT_LABEL, "operator": "Exists"}
    assert in_use.ENVIRONMENT_LABEL in Target.labels(_target(), "namespace")


def _target() -> Target:
    return Target(None, None, "namespace", "stack", None, None, (), False, None)  # type: ignore[arg-type]


def test_namespaces_of_the_platform_are_no_environments(everything: Stack) -> None:
    for each in everything.objects:
        assert in_use.ENVIRONMENT_LABEL not in each.inputs.get("metadata", {}).get("labels", {})
