"""The commands of `python -m local pipeline`: what the workflows do beyond bringing a stack up."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from local.errors import LocalError
from local.pipeline import attestations, drift, github, preview
from local.pipeline.release import release as release_image
from local.progress import Progress
from local.tools import environment

pipeline_commands = typer.Typer(help="Steps of the pipeline.", no_args_is_help=True)
Stack = Annotated[str, typer.Argument(help="A stack.")]
Image = Annotated[str, typer.Argument(help="An image by digest: registry/name@sha256:….")]


@pipeline_commands.command()
def sbom(image: Image) -> None:
    """Print the SBOM of an image: CycloneDX, JSON."""
    sys.stdout.write(attestations.sbom(image))


@pipeline_commands.command()
def sign(image: Image) -> None:
    """Sign an image, and attest its SBOM and its provenance."""
    with Progress().step(f"signature, SBOM and provenance of {image}"):
        attestations.sign(image)


@pipeline_commands.command()
def verify(image: Image) -> None:
    """Check an image's signer, SBOM and provenance, and print what they say."""
    found = attestations.verify(image)
    sys.stdout.write(
        f"{image}\n  built from commit {found.revision}\n  by {found.builder}\n  of {found.packages} components\n"
    )


@pipeline_commands.command()
def release(stack: Stack, image: Image) -> None:
    """Bring a stack to an image, test it, and go back to the former image where the test fails."""
    release_image(stack, image, Progress())


@pipeline_commands.command("preview-report")
def preview_report(
    stack: Stack, base: Annotated[str, typer.Argument(help="The commit that costs are compared with.")]
) -> None:
    """Preview a stack and price it; keep the result for the comment, and print it."""
    environment.prepare()
    found = preview.report(stack, base)
    preview.write(found)
    sys.stdout.write(preview.markdown([found]))
    if found.problem:
        raise LocalError(found.problem)


@pipeline_commands.command("preview-comment")
def preview_comment(pull_request: Annotated[int, typer.Argument(help="Its number.")]) -> None:
    """Write the reports of all stacks as one comment on a pull request."""
    body = preview.markdown(preview.read())
    sys.stdout.write(github.comment(github.repository(), pull_request, preview.MARKER, body) + "\n")


@pipeline_commands.command("drift")
def show_drift(
    stack: Stack, issue: Annotated[bool, typer.Option("--issue", help="Keep an issue of it on GitHub.")] = False
) -> None:
    """Show what was changed by hand, and fail if anything was; nothing is written to the state or the cluster."""
    environment.prepare()
    found = drift.find(stack)
    if issue:
        address = github.report_drift(
            github.repository(), f"Drift: {stack}", drift.markdown(stack, found) if found else None
        )
        sys.stdout.write(f"{address}\n" if address else "")
    if found:
        sys.stdout.write("".join(f"{line}\n" for line in found))
        raise LocalError(f"{stack} has drifted from its program: {len(found)} differences")
    sys.stdout.write(f"{stack} is as its program says\n")
