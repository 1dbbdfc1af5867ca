"""IAM roles: of the control plane, of the nodes, and of ServiceAccounts by the cluster's OIDC provider (IRSA)."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.platform.clusters.aws import policies
from infra.platform.clusters.base import Cluster

MANAGED = "arn:aws:iam::aws:policy"


def service_role(
    name: str, service: str, managed: Sequence[str], made: Cluster
) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
    """Make a role that a service of AWS takes, with policies that AWS keeps; return it and what attaches them."""
    role = aws.iam.Role(name, assume_role_policy=json.dumps(policies.trusted_service(service)), opts=made.options())
    attached: list[pulumi.Resource] = [
        aws.iam.RolePolicyAttachment(
            f"{name}-{policy.lower()}", role=role.name, policy_arn=f"{MANAGED}/{policy}", opts=made.options()
        )
        for policy in managed
    ]
    return role, attached


@dataclass(frozen=True)
class ServiceAccountRoles:
    """Maker of roles for ServiceAccounts.

    Args:
        provider: the cluster's OIDC provider.
        issuer: its URL.
        made: their parent.
    """

    provider: aws.iam.OpenIdConnectProvider
    issuer: pulumi.Output[str]
    made: Cluster

    def role(self, name: str, namespace: str, account: str) -> aws.iam.Role:
        """Make a role that one ServiceAccount may take."""
        trust = pulumi.Output.all(self.provider.arn, self.issuer).apply(
            lambda known: json.dumps(policies.trusted_service_account(known[0], known[1], namespace, account))
        )
        return aws.iam.Role(name, assume_role_policy=trust, opts=self.made.options())

    def managed(self, name: str, account: str, policy: str) -> aws.iam.Role:
        """Make a role of an add-on in kube-system, with a policy that AWS keeps for it."""
        role = self.role(name, "kube-system", account)
        aws.iam.RolePolicyAttachment(
            name, role=role.name, policy_arn=f"{MANAGED}/service-role/{policy}", opts=self.made.options()
        )
        return role

    def own(
        self,
        name: str,
        namespace: str,
        account: str,
        policy: Callable[[str], policies.Document],
        of: pulumi.Input[str],
    ) -> aws.iam.Role:
        """Make a role with a policy of its own.

        Args:
            policy: made of `of`, once that is known.
        """
        role = self.role(name, namespace, account)
        text = pulumi.Output.from_input(of).apply(lambda known: json.dumps(policy(known)))
        aws.iam.RolePolicy(name, role=role.name, policy=text, opts=self.made.options())
        return role
