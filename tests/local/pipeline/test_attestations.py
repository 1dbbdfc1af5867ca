"""Signatures of images: what is asked of an image and of a signer before a program is run."""

from __future__ import annotations

from typing import Any

import pytest

from local.errors import LocalError
from local.pipeline import attestations

IMAGE = f"registry.example.com/task-manager@sha256:{'0a' * 32}"
LABEL = "syft:image:labels:org.opencontainers.image.revision"


def components(revision: str | None) -> dict[str, Any]:
    return {"metadata": {"properties": [{"name": LABEL, "value": revision}]} if revision is not None else {}}


def test_the_commit_of_an_image_is_that_of_its_label() -> None:
    assert attestations.revision_of(components("0a" * 20)) == "0a" * 20


@pytest.mark.parametrize("revision", [None, "unknown", "0a" * 19, "0A" * 20])
def test_an_image_without_a_commit_is_not_signed(revision: str | None) -> None:
    with pytest.raises(LocalError, match="and no commit: build it by `make publish`"):
        attestations.revision_of(components(revision))


@pytest.mark.parametrize("image", ["registry.example.com/task-manager:1.2.3", IMAGE[:-1], f"x {IMAGE}", ""])
@pytest.mark.parametrize("step", [attestations.sbom, attestations.sign, attestations.verify])
def test_an_image_that_is_not_named_by_digest_is_refused(step: Any, image: str) -> None:
    with pytest.raises(LocalError, match="names no image by digest: give it as registry/name@sha256"):
        step(image)


@pytest.mark.parametrize(
    "environment", [{}, {"COSIGN_IDENTITY": "https://github.com/a/b", "COSIGN_PUBLIC_KEY": "signer.pub"}]
)
def test_verification_needs_one_signer(environment: dict[str, str]) -> None:
    with pytest.raises(LocalError, match="verify needs COSIGN_IDENTITY"):
        attestations.verify(IMAGE, environment)
