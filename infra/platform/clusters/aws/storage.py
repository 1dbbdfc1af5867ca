"""Container registry, and the bucket for backups."""

import json

import pulumi_aws as aws

from infra.platform.clusters.aws import policies
from infra.platform.clusters.base import Cluster


def make_registry(name: str, made: Cluster) -> aws.ecr.Repository:
    """Make the repository of the API's image: a tag, once pushed, never means another image."""
    repository = aws.ecr.Repository(
        "registry",
        name=name,
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
        encryption_configurations=[aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="AES256")],
        force_delete=False,
        opts=made.options(holds_data=True),
    )
    untagged = {
        "rulePriority": 1,
        "description": "what no tag names any more",
        "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 90},
        "action": {"type": "expire"},
    }
    aws.ecr.LifecyclePolicy(
        "registry", repository=repository.name, policy=json.dumps({"rules": [untagged]}), opts=made.options()
    )
    return repository


def make_bucket(days: int, made: Cluster) -> aws.s3.Bucket:
    """Make the bucket: private, encrypted, with former versions.

    Args:
        days: that former versions are kept.
    """
    bucket = aws.s3.Bucket("task-manager-backups", force_destroy=False, opts=made.options(holds_data=True, retain=True))
    aws.s3.BucketPublicAccessBlock(
        "backups",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=made.options(retain=True),
    )
    aws.s3.BucketOwnershipControls(
        "backups",
        bucket=bucket.id,
        rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        opts=made.options(retain=True),
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        "backups",
        bucket=bucket.id,
        rules=[
            aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                    sse_algorithm="AES256"
                )
            )
        ],
        opts=made.options(retain=True),
    )
    versioning = aws.s3.BucketVersioning(
        "backups",
        bucket=bucket.id,
        versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        opts=made.options(retain=True),
    )
    aws.s3.BucketLifecycleConfiguration(
        "backups",
        bucket=bucket.id,
        rules=[
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="former-versions",
                status="Enabled",
                filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                    noncurrent_days=days
                ),
                abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                    days_after_initiation=7
                ),
            )
        ],
        opts=made.options(versioning, retain=True),
    )
    aws.s3.BucketPolicy(
        "backups",
        bucket=bucket.id,
        policy=bucket.arn.apply(lambda arn: json.dumps(policies.tls_only(arn))),
        opts=made.options(retain=True),
    )
    return bucket
