"""Settings that come from the stack of the platform that the cluster was made ready by."""

import pulumi
import pytest

from tests.infra import engine

PHASE2 = {"task-manager:phase": "2", "task-manager:platform": "aws"}


def refusal(config: dict[str, str]) -> str:
    """What the engine prints for this configuration."""
    with pytest.raises(pulumi.RunError) as error:
        engine.run(config)
    return str(error.value)


def test_what_the_platform_offers_is_the_environments_setting() -> None:
    stack = engine.run(PHASE2)
    assert stack.outputs["url"] == "http://tasks.example.com"
    assert stack.find("Cluster").inputs["spec"]["storage"]["storageClass"] == "gp3"
    assert (
        stack.find("ObjectStore")
        .inputs["spec"]["configuration"]["destinationPath"]
        .startswith("s3://task-manager-backups-1a2b3c4/")
    )
    providers = [each for each in stack.resources if each.type == "pulumi:providers:kubernetes"]
    assert {each.inputs["context"] for each in providers} == {"task-manager-aws"}


def test_what_the_stack_says_itself_goes_before() -> None:
    stack = engine.run({**PHASE2, "task-manager:storage_class": "fast", "task-manager:hostname": "a.example.com"})
    assert stack.find("Cluster").inputs["spec"]["storage"]["storageClass"] == "fast"
    assert stack.outputs["url"] == "http://a.example.com"


def test_the_platforms_stack_can_be_named_in_full() -> None:
    stack = engine.run({**PHASE2, "task-manager:platform": "organization/task-manager-platform/aws"})
    assert stack.outputs["url"] == "http://tasks.example.com"


@pytest.mark.parametrize(
    ("platform", "said"),
    [
        ("nowhere", "task-manager:platform: the outputs of stack organization/task-manager-platform/nowhere cannot be"),
        ("empty", "task-manager:platform: stack organization/task-manager-platform/empty is not up: bring it up in"),
        ("a b", "task-manager:platform: "),
    ],
)
def test_a_platform_that_offers_nothing_is_named_in_one_line(platform: str, said: str) -> None:
    told = refusal({**PHASE2, "task-manager:platform": platform})
    assert said in told
    assert "\n" not in told
