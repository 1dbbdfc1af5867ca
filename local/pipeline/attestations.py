"""Signature, SBOM and provenance of an image, beside it in its registry, and their verification."""

from __future__ import annotations

import base64
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local.errors import LocalError
from local.host.commands import run
from local.pipeline.provenance import predicate
from local.tools import go_tools

ISSUER: Final = "https://token.actions.githubusercontent.com"
"""Who vouches for the identities of GitHub's workflows."""

SBOM, PROVENANCE = "cyclonedx", "slsaprovenance1"
_REVISION: Final = "org.opencontainers.image.revision"
_DIGEST: Final = re.compile(r"\S+@sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Verified:
    """What the attestations of an image say, once its signer is the one that was asked for.

    Attributes:
        revision: the Git commit that it was built from.
        builder: what has built it.
        packages: number of components of its SBOM.
    """

    revision: str
    builder: str
    packages: int


def sbom(image: str) -> str:
    """Return the SBOM of an image in its registry: CycloneDX, JSON.

    Args:
        image: by digest.

    Raises:
        LocalError: it is not named by digest, or the registry does not give it.
    """
    _check_digest(image)
    syft = go_tools.build("syft") / "syft"
    return run(syft, "scan", f"registry:{image}", "--output", "cyclonedx-json", "--quiet", env=_PACKAGES_ALONE)


_PACKAGES_ALONE: Final = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "SYFT_FILE_METADATA_SELECTION": "none"}


def revision_of(components: Mapping[str, Any]) -> str:
    """Return the Git commit that an image was built from, by the label that its SBOM has.

    Raises:
        LocalError: it has no such label, or one of no commit.
    """
    properties = {each["name"]: each["value"] for each in components["metadata"].get("properties", [])}
    revision = str(properties.get(f"syft:image:labels:{_REVISION}", ""))
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise LocalError(f"the image's label {_REVISION} is '{revision}' and no commit: build it by `make publish`")
    return revision


def sign(image: str, environment: Mapping[str, str] = os.environ) -> None:
    """Sign an image, and attest its SBOM and its provenance.

    The signer is the workflow's identity, by OIDC and Sigstore's public log, or the holder of COSIGN_KEY, the file of a
    private key; with a key nothing is written to a public log.

    Args:
        image: by digest.

    Raises:
        LocalError: the image does not say which commit it was built from; or a program's words, when one fails.
    """
    listed = sbom(image)
    revision = revision_of(json.loads(listed))
    with tempfile.TemporaryDirectory() as scratch:
        signer = []
        if key := environment.get("COSIGN_KEY", ""):
            services = str(Path(scratch) / "services.json")  # none: no log and no authority knows of the signature
            _cosign("signing-config", "create", "--out", services)
            signer = ["--key", key, "--signing-config", services]
        # Each architecture's manifest too: a node verifies the one that it pulls.
        _cosign("sign", "--yes", "--recursive", *signer, image)
        for kind, text in ((SBOM, listed), (PROVENANCE, json.dumps(predicate(revision, environment)))):
            file = Path(scratch) / kind
            file.write_text(text)
            _cosign("attest", "--yes", *signer, "--type", kind, "--predicate", str(file), image)


def verify(image: str, environment: Mapping[str, str] = os.environ) -> Verified:
    """Check who has signed an image and attested its SBOM and provenance.

    Args:
        image: by digest.
        environment: COSIGN_IDENTITY is the workflow that has to be the signer, such as
            `https://github.com/OWNER/REPOSITORY/.github/workflows/deploy.yml@refs/heads/main`; or COSIGN_PUBLIC_KEY is
            the file of a public key.

    Raises:
        LocalError: no signer is named; the image is not signed by it, or lacks an attestation of its.
    """
    _check_digest(image)
    key, identity = environment.get("COSIGN_PUBLIC_KEY", ""), environment.get("COSIGN_IDENTITY", "")
    if bool(key) == bool(identity):
        raise LocalError(
            "verify needs COSIGN_IDENTITY, the workflow that signs, or COSIGN_PUBLIC_KEY, a file: one of them"
        )
    signer = ["--key", key, "--insecure-ignore-tlog=true"] if key else []
    signer = signer or ["--certificate-identity", identity, "--certificate-oidc-issuer", ISSUER]
    try:
        _cosign("verify", *signer, image)
    except LocalError as error:
        raise LocalError(f"{image} is not signed by {identity or key}, so do not run it; cosign: {error}") from error
    components = _attested(SBOM, signer, image)["components"]
    built = _attested(PROVENANCE, signer, image)
    [source] = built["buildDefinition"]["resolvedDependencies"]
    return Verified(source["digest"]["gitCommit"], built["runDetails"]["builder"]["id"], len(components))


def _attested(kind: str, signer: list[str], image: str) -> dict[str, Any]:
    """Return the predicate of a kind; the last one where an image was attested twice."""
    lines = _cosign("verify-attestation", *signer, "--type", kind, image).splitlines()
    statement: dict[str, Any] = json.loads(base64.b64decode(json.loads(lines[-1])["payload"]))
    found: dict[str, Any] = statement["predicate"]
    return found


def _cosign(*arguments: str) -> str:
    return run(go_tools.build("cosign") / "cosign", *arguments)


def _check_digest(image: str) -> None:
    if not _DIGEST.fullmatch(image):
        raise LocalError(f"'{image}' names no image by digest: give it as registry/name@sha256:…")
