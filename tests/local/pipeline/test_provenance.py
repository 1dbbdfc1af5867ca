"""Provenance of an image, as SLSA 1.0 has it."""

from __future__ import annotations

from local.pipeline.provenance import predicate

REVISION = "0a" * 20
RUN = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "somebody/tasks",
    "GITHUB_WORKFLOW_REF": "somebody/tasks/.github/workflows/deploy.yml@refs/heads/main",
    "GITHUB_RUN_ID": "17",
    "GITHUB_RUN_ATTEMPT": "2",
}


def test_an_image_of_a_workflow_names_its_commit_its_workflow_and_its_run() -> None:
    made = predicate(REVISION, RUN)
    definition, details = made["buildDefinition"], made["runDetails"]
    assert definition["resolvedDependencies"] == [
        {"uri": "git+https://github.com/somebody/tasks@refs/heads/main", "digest": {"gitCommit": REVISION}}
    ]
    assert definition["externalParameters"]["workflow"] == {
        "ref": "refs/heads/main",
        "repository": "https://github.com/somebody/tasks",
        "path": ".github/workflows/deploy.yml",
    }
    assert details["builder"]["id"] == (
        "https://github.com/somebody/tasks/.github/workflows/deploy.yml@refs/heads/main"
    )
    assert details["metadata"]["invocationId"] == "https://github.com/somebody/tasks/actions/runs/17/attempts/2"


def test_an_image_that_somebody_built_by_hand_says_so() -> None:
    made = predicate(REVISION, {})
    assert made["runDetails"] == {"builder": {"id": "urn:task-manager:make-publish"}, "metadata": {}}
    assert made["buildDefinition"]["resolvedDependencies"][0]["digest"] == {"gitCommit": REVISION}
