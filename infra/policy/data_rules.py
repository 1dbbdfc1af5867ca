"""Rules on data: backups, protection, what the internet reaches, encryption at rest, the budget."""

from collections.abc import Iterator, Sequence
from typing import Final

from infra.policy.resource import Resource, of_kubernetes
from infra.policy.rule import Context, Finding, Rule

_BUCKETS: Final = ("aws:s3/bucket:Bucket", "digitalocean:index/spacesBucket:SpacesBucket")
_PUBLIC_SERVICES: Final = ("LoadBalancer", "NodePort")
_PUBLIC_COMPONENTS: Final = ("api", "gateway")
_BLOCKED: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_EBS: Final = "ebs.csi.aws.com"


def _backed_up(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    saved = {backup.spec["cluster"]["name"] for backup in of_kubernetes(resources, "ScheduledBackup")}
    for cluster in of_kubernetes(resources, "Cluster"):
        if cluster.name not in saved:
            yield cluster, "no ScheduledBackup: set backups.bucket"


def _protected(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    """A claim goes with its namespace, which has to be protected: a phase without a cache drops the cache's."""
    databases = of_kubernetes(resources, "Cluster")
    filled = {each.namespace for each in [*databases, *of_kubernetes(resources, "PersistentVolumeClaim")]}
    namespaces = [each for each in of_kubernetes(resources, "Namespace") if each.name in filled]
    for resource in [*databases, *namespaces, *(each for each in resources if each.type in _BUCKETS)]:
        if not resource.protected:
            yield resource, "holds data and can be destroyed: set protect_data"


def _private(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    for service in of_kubernetes(resources, "Service"):
        component = (service.spec.get("selector") or {}).get("app.kubernetes.io/component")
        if service.spec.get("type") in _PUBLIC_SERVICES and component not in _PUBLIC_COMPONENTS:
            yield service, f"a {service.spec['type']} leads to {component or 'any pod'}: make it a ClusterIP"
    for cluster in of_kubernetes(resources, "Cluster"):
        for service in ((cluster.spec.get("managed") or {}).get("services") or {}).get("additional") or ():
            kind = ((service.get("serviceTemplate") or {}).get("spec") or {}).get("type")
            if kind in _PUBLIC_SERVICES:
                yield cluster, f"a {kind} leads to the database: make it a ClusterIP"
    blocked = [each for each in resources if each.type == "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"]
    closed = any(all(each.properties.get(setting) is True for setting in _BLOCKED) for each in blocked)
    for bucket in resources:
        if bucket.type == _BUCKETS[0] and not closed:
            yield bucket, "no BucketPublicAccessBlock that blocks all four ways to make it public"
        if bucket.type == _BUCKETS[1] and bucket.properties.get("acl", "private") != "private":
            yield bucket, f"its acl is {bucket.properties['acl']}: set private"


def _encrypted(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    """DigitalOcean encrypts volumes and Spaces by itself (docs.digitalocean.com/products/volumes)."""
    sealed = any(each.kind == "BucketServerSideEncryptionConfiguration" for each in resources)
    for resource in resources:
        properties = resource.properties
        if resource.type == _BUCKETS[0] and not sealed:
            yield resource, "no BucketServerSideEncryptionConfiguration"
        parameters = properties.get("parameters") or {}
        ebs = resource.kind == "StorageClass" and properties.get("provisioner") == _EBS
        if ebs and parameters.get("encrypted") != "true":
            yield resource, "its volumes are not encrypted: set parameters.encrypted to true"
        if resource.type == "aws:eks/cluster:Cluster" and not properties.get("encryptionConfig"):
            yield resource, "its Secrets are not encrypted: set encryptionConfig"
        if resource.type == "aws:ec2/launchTemplate:LaunchTemplate":
            for mapping in properties.get("blockDeviceMappings") or ():
                if (mapping.get("ebs") or {}).get("encrypted") != "true":
                    yield resource, "the disk of its servers is not encrypted: set ebs.encrypted"


def _limited(_resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    if not context.budget:
        yield None, "no budget: set task-manager:budget to what it may cost a month"


RULES: Final = (
    Rule("backups", "Every database is backed up on a schedule.", _backed_up, production=True),
    Rule("protection", "What holds data can't be destroyed by mistake.", _protected, production=True),
    Rule("private-data", "No database and no bucket is reached from the internet.", _private),
    Rule("encryption", "Volumes, buckets and Secrets are encrypted at rest.", _encrypted),
    Rule("budget", "The stack has a budget.", _limited, production=True),
)
