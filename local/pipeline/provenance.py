"""Provenance of an image: which commit it was built from, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ACTIONS: Final = "https://actions.github.io/buildtypes/workflow/v1"
"""Build type of GitHub's workflows, as SLSA's page of it defines its parameters."""

WORKSTATION: Final = "urn:task-manager:make-publish"
"""Build type, and builder, of an image that somebody has built by hand."""


def predicate(revision: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the predicate `https://slsa.dev/provenance/v1` of an image (SLSA 1.0, "Provenance").

    Args:
        revision: the Git commit, 40 hexadecimal digits.
        environment: of the build; inside GitHub Actions it names the repository, the workflow and the run.
    """
    if environment.get("GITHUB_ACTIONS") != "true":
        return _predicate(WORKSTATION, {"target": "publish"}, "git+file:.", revision, WORKSTATION, "")
    server, repository = environment["GITHUB_SERVER_URL"], environment["GITHUB_REPOSITORY"]
    # OWNER/REPOSITORY/.github/workflows/deploy.yml@refs/heads/main
    path, _, ref = environment["GITHUB_WORKFLOW_REF"].partition("@")
    source = f"{server}/{repository}"
    workflow = {"ref": ref, "repository": source, "path": path.removeprefix(f"{repository}/")}
    run = f"{source}/actions/runs/{environment['GITHUB_RUN_ID']}/attempts/{environment['GITHUB_RUN_ATTEMPT']}"
    builder = f"{server}/{environment['GITHUB_WORKFLOW_REF']}"
    return _predicate(ACTIONS, {"workflow": workflow}, f"git+{source}@{ref}", revision, builder, run)


def _predicate(
    build_type: str, parameters: dict[str, Any], source: str, revision: str, builder: str, run: str
) -> dict[str, Any]:
    return {
        "buildDefinition": {
            "buildType": build_type,
            "externalParameters": parameters,
            "resolvedDependencies": [{"uri": source, "digest": {"gitCommit": revision}}],
        },
        "runDetails": {"builder": {"id": builder}, "metadata": {"invocationId": run} if run else {}},
    }
