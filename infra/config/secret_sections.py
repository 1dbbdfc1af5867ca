"""Sections of a stack's settings on its Secrets."""

from pydantic import Field

from infra.config.sections import Section
from infra.config.types import Name, SecretSource, Url


class Secrets(Section):
    """Secrets of the stack."""

    source: SecretSource = Field(
        default=SecretSource.GENERATE,
        description="generate (random, made in the cluster, never seen by the program), provided (they exist), vault"
        " (HashiCorp Vault or OpenBao) or aws (Secrets Manager), both by External Secrets Operator.",
    )
    prefix: str = Field(
        default="",
        pattern=r"^$|^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$",
        description="Path in the store below which each Secret has an entry of its name. Empty: task-manager/ and the"
        " stack's name.",
    )
    refresh: int = Field(
        default=3600, ge=10, le=86_400, description="Seconds after which the store is asked again, and pods follow."
    )
    address: Url = Field(default="", description="vault: its address, such as https://vault.example.com:8200.")
    mount: str = Field(default="secret", min_length=1, description="vault: mount of the KV engine, version 2.")
    role: Name = Field(default="task-manager", description="vault: role of its Kubernetes auth method.")
    auth: str = Field(default="kubernetes", min_length=1, description="vault: mount of that auth method.")
    audience: str = Field(default="vault", min_length=1, description="vault: audience that the role wants in a token.")
    authority: Name = Field(
        default="",
        description="vault: ConfigMap in the stack's namespace with the authority of its certificate (key ca.crt)."
        " Empty: a public one.",
    )
    region: str = Field(default="", pattern=r"^$|^[a-z]{2}(-[a-z]+)+-\d$", description="aws: region of the entries.")
    identity: str = Field(
        default="",
        pattern=r"^$|^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$",
        description="aws: ARN of the IAM role that may read them (IRSA). Empty: EKS Pod Identity or the operator's.",
    )
