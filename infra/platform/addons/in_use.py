"""Refusal to take an add-on away while environments stand on it.

A plain `pulumi destroy` runs no program, so the cluster itself refuses: each add-on has a record, a ConfigMap that goes
before its release does, and an admission policy keeps the records while there is a namespace of an environment.
"""

from typing import Final

import pulumi
from pulumi_kubernetes.admissionregistration import v1 as admission
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from infra.platform.addons.definition import Addon

NAMESPACE: Final = "task-manager-platform"
LABELS: Final = {"app.kubernetes.io/part-of": NAMESPACE, "app.kubernetes.io/managed-by": "pulumi"}
RESTRICTED: Final = {"pod-security.kubernetes.io/enforce": "restricted"}
PRIVILEGED: Final = {"pod-security.kubernetes.io/enforce": "privileged"}
ENVIRONMENT_LABEL: Final = "task-manager/stack"
"""Of the namespaces of environments (`infra/components/base.py`)."""

_POLICY: Final = "task-manager-platform-in-use"


class UsePolicy(pulumi.ComponentResource):
    """The namespace of the records, and the policy that keeps them."""

    def __init__(self, name: str, provider: pulumi.ProviderResource) -> None:
        super().__init__(
            "task-manager-platform:addons:UsePolicy", name, None, pulumi.ResourceOptions(providers=[provider])
        )
        children = pulumi.ResourceOptions(parent=self)
        self.namespace = core.Namespace(
            "platform-namespace",
            metadata=meta.ObjectMetaArgs(name=NAMESPACE, labels={**LABELS, **RESTRICTED}),
            opts=children,
        )
        policy = admission.ValidatingAdmissionPolicy(
            "in-use-policy",
            metadata=meta.ObjectMetaArgs(name=_POLICY, labels=LABELS),
            spec=_policy(),
            opts=children,
        )
        self.binding = admission.ValidatingAdmissionPolicyBinding(
            "in-use-binding",
            metadata=meta.ObjectMetaArgs(name=_POLICY, labels=LABELS),
            spec=_binding(),
            opts=pulumi.ResourceOptions.merge(children, pulumi.ResourceOptions(depends_on=[policy])),
        )
        self.register_outputs({})

    def record(self, addon: Addon, release: pulumi.Resource) -> core.ConfigMap:
        """Make the record of an add-on: the last that comes, and the first that goes."""
        return core.ConfigMap(
            f"{addon.key}-record",
            metadata=meta.ObjectMetaArgs(name=addon.chart.release_name, namespace=NAMESPACE, labels=LABELS),
            data={"namespace": addon.namespace, "chart": addon.chart.version, "version": addon.chart.app_version},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[release, self.namespace, self.binding]),
        )


def _policy() -> admission.ValidatingAdmissionPolicySpecArgs:
    return admission.ValidatingAdmissionPolicySpecArgs(
        failure_policy="Fail",
        # Each namespace of an environment is a parameter: the policy is evaluated, and refuses, for each of them.
        param_kind=admission.ParamKindArgs(api_version="v1", kind="Namespace"),
        match_constraints=admission.MatchResourcesArgs(
            object_selector=meta.LabelSelectorArgs(match_labels=LABELS),
            resource_rules=[
                admission.NamedRuleWithOperationsArgs(
                    api_groups=[""], api_versions=["v1"], resources=["configmaps", "namespaces"], operations=["DELETE"]
                )
            ],
        ),
        validations=[
            admission.ValidationArgs(
                expression="false",
                reason="Forbidden",
                message_expression="'environment ' + params.metadata.name + ' stands on ' + oldObject.metadata.name"
                " + ': destroy that stack first (`kubectl get namespaces -l "
                f"{ENVIRONMENT_LABEL}` lists every one)'",
            )
        ],
    )


def _binding() -> admission.ValidatingAdmissionPolicyBindingSpecArgs:
    environments = meta.LabelSelectorRequirementArgs(key=ENVIRONMENT_LABEL, operator="Exists")
    return admission.ValidatingAdmissionPolicyBindingSpecArgs(
        policy_name=_POLICY,
        validation_actions=["Deny"],
        param_ref=admission.ParamRefArgs(
            selector=meta.LabelSelectorArgs(match_expressions=[environments]), parameter_not_found_action="Allow"
        ),
    )
