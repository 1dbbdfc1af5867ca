"""What brings a stack's Secrets: a Job that makes them, copies of a store's entries, and renewals of certificates."""

import pulumi

from infra.components.base import Target
from infra.components.certificate_renewal import CertificateRenewal
from infra.components.external_secrets import ExternalSecrets
from infra.components.namespace import Namespace
from infra.components.secrets import Secrets
from infra.components.workload.generated_secrets import generated_secrets, self_signed, stored_secrets
from infra.config.image import Image
from infra.config.settings import Settings


def stack_secrets(
    settings: Settings, target: Target, *, image: Image, namespace: Namespace
) -> tuple[tuple[pulumi.Resource, ...], list[CertificateRenewal]]:
    """Register what makes or copies the Secrets.

    Args:
        settings: the stack's.
        target: where the Secrets go.
        image: whose commands make them.
        namespace: of the stack.

    Returns:
        What the rest of the stack waits for, the namespace first; and what renews certificates later.
    """
    parts: list[pulumi.Resource] = [namespace]
    if settings.secrets.source.external:
        stored = list(stored_secrets(settings))
        parts.append(
            ExternalSecrets("external-secrets", target, settings=settings.secrets, stored=stored, after=[namespace])
        )
    if generated := list(generated_secrets(settings, target.namespace)):
        parts.append(Secrets("secrets", target, image=image, generated=generated, after=[namespace]))
    after = tuple(parts)
    return after, [
        CertificateRenewal("certificate-renewal", target, image=image, generated=each, after=after)
        for each in self_signed(settings)
    ]
