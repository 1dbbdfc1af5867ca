"""Credentials of a provider, looked for before anything is made."""

from collections.abc import Mapping
from pathlib import Path

from infra.config.project import PLATFORM
from infra.platform import sizes
from infra.platform.settings import ClusterKind, PlatformSettings

_AWS_VARIABLES = (
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",  # a pipeline's, by OIDC
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",  # how a machine of AWS says that its own role is meant
)


def missing_credentials(settings: PlatformSettings, variables: Mapping[str, str], home: Path) -> str | None:
    """Return a line about credentials that are not there; None where all are.

    Args:
        variables: of the environment.
        home: folder with `.aws`.
    """
    key = f"{PLATFORM.name}:cluster: {settings.cluster}"
    if settings.cluster in (ClusterKind.DIGITALOCEAN, ClusterKind.VPS):
        needed = ["DIGITALOCEAN_TOKEN"]
        row = settings.row()
        if isinstance(row, sizes.Doks) and row.bucket:
            needed += ["SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"]
        if missing := [name for name in needed if not variables.get(name)]:
            return f"{key} has no credentials: set {' and '.join(missing)} in the environment"
    if settings.cluster is ClusterKind.AWS:
        files = [
            Path(variables.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws" / "credentials"),
            Path(variables.get("AWS_CONFIG_FILE") or home / ".aws" / "config"),
        ]
        if not any(map(variables.get, _AWS_VARIABLES)) and not any(file.exists() for file in files):
            return f"{key} has no credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    return None
