"""IAM policies, as documents. None allows every action; those on every resource are actions that know no resources."""

from typing import Any

Document = dict[str, Any]
Statement = dict[str, Any]

TAG = "elbv2.k8s.aws/cluster"
"""Tag of all that the load balancer controller makes, with the cluster's name."""


def document(*statements: Statement) -> Document:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trusted_service(service: str) -> Document:
    """The trust policy of a role that a service of AWS takes."""
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def trusted_service_account(provider_arn: str, issuer: str, namespace: str, account: str) -> Document:
    """The trust policy of a role that pods take (IRSA).

    Args:
        provider_arn: of the cluster's OIDC provider.
        issuer: its URL.
        namespace, account: of the ServiceAccount; `*` stands for the stack's name or a restored cluster's number.
    """
    host = issuer.removeprefix("https://")
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{host}:aud": "sts.amazonaws.com"},
                "StringLike": {f"{host}:sub": f"system:serviceaccount:{namespace}:{account}"},
            },
        }
    )


def tls_only(bucket_arn: str) -> Document:
    """A bucket's policy that refuses whoever speaks to it in the clear."""
    return document(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def backups(bucket_arn: str) -> Document:
    """What Barman needs of the bucket, and of nothing else."""
    return document(
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": bucket_arn},
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            "Resource": f"{bucket_arn}/*",
        },
    )


def load_balancer_controller(region: str, account: str, vpc_arn: str, cluster: str) -> Document:
    """What the AWS load balancer controller needs for network load balancers, which is all that the gateway uses.

    It may change and delete what bears its own cluster's tag alone. The controller's published policy also has rights
    for WAF, Shield and Cognito, which only application load balancers use
    (kubernetes-sigs/aws-load-balancer-controller, docs/install/iam_policy.json, 2026-11-30).
    """
    ec2 = f"arn:aws:ec2:{region}:{account}"
    groups = f"{ec2}:security-group/*"
    elb = f"arn:aws:elasticloadbalancing:{region}:{account}"
    balancers, targets = f"{elb}:loadbalancer/net/*", f"{elb}:targetgroup/*"
    listeners = [f"{elb}:listener/net/*", f"{elb}:listener-rule/net/*"]
    own = {"StringEquals": {f"aws:ResourceTag/{TAG}": cluster}}
    requested = {"StringEquals": {f"aws:RequestTag/{TAG}": cluster}}
    return document(
        {
            "Effect": "Allow",
            # Describe* of EC2 and Elastic Load Balancing know no resources (Service Authorization Reference).
            "Action": [
                "ec2:DescribeAccountAttributes",
                "ec2:DescribeAddresses",
                "ec2:DescribeAvailabilityZones",
                "ec2:DescribeInstances",
                "ec2:DescribeInternetGateways",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeTags",
                "ec2:DescribeVpcPeeringConnections",
                "ec2:DescribeVpcs",
                "elasticloadbalancing:DescribeListenerAttributes",
                "elasticloadbalancing:DescribeListenerCertificates",
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeLoadBalancerAttributes",
                "elasticloadbalancing:DescribeLoadBalancers",
                "elasticloadbalancing:DescribeRules",
                "elasticloadbalancing:DescribeSSLPolicies",
                "elasticloadbalancing:DescribeTags",
                "elasticloadbalancing:DescribeTargetGroupAttributes",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
            ],
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Action": "iam:CreateServiceLinkedRole",
            "Resource": f"arn:aws:iam::{account}:role/aws-service-role/elasticloadbalancing.amazonaws.com/*",
            "Condition": {"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
        },
        {
            "Effect": "Allow",
            "Action": ["ec2:CreateSecurityGroup", "ec2:GetSecurityGroupsForVpc"],
            "Resource": vpc_arn,
        },
        {"Effect": "Allow", "Action": "ec2:CreateSecurityGroup", "Resource": groups, "Condition": requested},
        {
            "Effect": "Allow",
            "Action": "ec2:CreateTags",
            "Resource": groups,
            "Condition": {
                "StringEquals": {"ec2:CreateAction": "CreateSecurityGroup", f"aws:RequestTag/{TAG}": cluster}
            },
        },
        {
            "Effect": "Allow",
            "Action": ["ec2:CreateTags", "ec2:DeleteTags", "ec2:DeleteSecurityGroup"],
            "Resource": groups,
            "Condition": own,
        },
        {
            "Effect": "Allow",
            # The nodes' own group, which EKS makes and tags with the cluster's name, lets the balancers in.
            "Action": ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"],
            "Resource": groups,
            "Condition": {"StringEquals": {"aws:ResourceTag/aws:eks:cluster-name": cluster}},
        },
        {
            "Effect": "Allow",
            "Action": ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"],
            "Resource": groups,
            "Condition": own,
        },
        {
            "Effect": "Allow",
            "Action": ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"],
            "Resource": [balancers, targets],
            "Condition": requested,
        },
        {
            "Effect": "Allow",
            "Action": "elasticloadbalancing:AddTags",
            "Resource": [balancers, targets, *listeners],
            "Condition": {
                "StringEquals": {
                    "elasticloadbalancing:CreateAction": [
                        "CreateListener",
                        "CreateLoadBalancer",
                        "CreateRule",
                        "CreateTargetGroup",
                    ],
                    f"aws:RequestTag/{TAG}": cluster,
                }
            },
        },
        {
            "Effect": "Allow",
            "Action": [
                "elasticloadbalancing:AddListenerCertificates",
                "elasticloadbalancing:AddTags",
                "elasticloadbalancing:CreateListener",
                "elasticloadbalancing:CreateRule",
                "elasticloadbalancing:DeleteListener",
                "elasticloadbalancing:DeleteLoadBalancer",
                "elasticloadbalancing:DeleteRule",
                "elasticloadbalancing:DeleteTargetGroup",
                "elasticloadbalancing:DeregisterTargets",
                "elasticloadbalancing:ModifyListener",
                "elasticloadbalancing:ModifyListenerAttributes",
                "elasticloadbalancing:ModifyLoadBalancerAttributes",
                "elasticloadbalancing:ModifyRule",
                "elasticloadbalancing:ModifyTargetGroup",
                "elasticloadbalancing:ModifyTargetGroupAttributes",
                "elasticloadbalancing:RegisterTargets",
                "elasticloadbalancing:RemoveListenerCertificates",
                "elasticloadbalancing:RemoveTags",
                "elasticloadbalancing:SetIpAddressType",
                "elasticloadbalancing:SetSecurityGroups",
                "elasticloadbalancing:SetSubnets",
            ],
            "Resource": [balancers, targets, *listeners],
            "Condition": own,
        },
    )
