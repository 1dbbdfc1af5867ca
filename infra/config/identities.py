"""Workload identities: the role of a cloud that pods take on by their ServiceAccount, without a key."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class IdentityKind(StrEnum):
    """Whose role, and how pods get it."""

    EKS_IRSA = "an IAM role for a service account of EKS"
    EKS_POD_IDENTITY = "an association of EKS Pod Identity"
    GKE = "a Google service account"
    AKS = "a managed identity of Azure"


@dataclass(frozen=True)
class Identity:
    """A workload identity.

    Args:
        kind: whose.
        name: the role's; empty where the cloud alone knows it.
    """

    kind: IdentityKind
    name: str = ""


_FORMS: Final = {
    IdentityKind.EKS_IRSA: r"arn:aws(-[a-z]+)*:iam::\d{12}:role/[\w+=,.@/-]+",
    IdentityKind.GKE: r"[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z0-9.:-]+\.iam\.gserviceaccount\.com",
    IdentityKind.AKS: r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
POD_IDENTITY: Final = "pod-identity"


def parse_identity(text: str) -> Identity | None:
    """Tell an identity by its form; None for an empty text.

    Raises:
        ValueError: it has none of the forms.
    """
    if not text:
        return None
    if text == POD_IDENTITY:
        return Identity(IdentityKind.EKS_POD_IDENTITY)
    for kind, form in _FORMS.items():
        if re.fullmatch(form, text):
            return Identity(kind, text)
    raise ValueError(
        f"{text!r} is no workload identity: write it as arn:aws:iam::123456789012:role/NAME or {POD_IDENTITY} (EKS),"
        " NAME@PROJECT.iam.gserviceaccount.com (GKE) or the client ID of a managed identity (AKS)"
    )
