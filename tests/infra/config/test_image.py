"""The image: of the setting, the environment, the last update or this version, in this order."""

import re
from collections.abc import Mapping
from types import SimpleNamespace

import pulumi
import pytest

from infra import outputs
from infra.config.image import choose_image
from tests.infra import engine

OWN = "ghcr.io/primetrade/task-manager"
SET, GIVEN, DEPLOYED = (f"{OWN}@sha256:{letter * 64}" for letter in "abc")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TASK_MANAGER_IMAGE", raising=False)


def image(config: Mapping[str, str], deployed: Mapping[str, str]) -> str:
    """The image that the program runs and records."""
    stack = engine.run(config, deployed=deployed)
    release = stack.values["image"]
    written = f"{release['repository']}:{release['tag']}" if release["tag"] else ""
    assert stack.outputs["image"] == (written or f"{release['repository']}@{release['digest']}")
    return str(stack.outputs["image"])


def test_a_first_update_takes_the_image_of_this_version() -> None:
    assert re.fullmatch(rf"{re.escape(OWN)}:\d+\.\d+\.\d+", image({}, {}))


def test_a_later_update_leaves_the_image_that_runs() -> None:
    assert image({}, {"image": DEPLOYED}) == DEPLOYED
    assert image({"task-manager:log_level": "debug"}, {"image": DEPLOYED}) == DEPLOYED


def test_the_environment_goes_before_what_runs_and_the_setting_before_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASK_MANAGER_IMAGE", GIVEN)
    assert image({}, {"image": DEPLOYED}) == GIVEN
    assert image({"task-manager:image": SET}, {"image": DEPLOYED}) == SET


@pytest.mark.parametrize(
    ("deployed", "told"), [(f"{OWN}:0.0.1", True), (DEPLOYED, False), ("example.com/a/b:1", False)]
)
def test_an_image_of_another_version_that_stays_is_told(
    monkeypatch: pytest.MonkeyPatch, deployed: str, *, told: bool
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lines.append)
    choose_image("", deployed, engine.ROOT)
    assert [line for line in lines if f"the image stays {deployed}" in line] == (lines if told else [])
    assert bool(lines) is told


def test_an_environment_that_names_no_image_is_refused_with_the_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASK_MANAGER_IMAGE", "nonsense")
    with pytest.raises(pulumi.RunError, match=r"TASK_MANAGER_IMAGE: 'nonsense' is no image"):
        choose_image("", None, engine.ROOT)


def fail_for(monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    """Have the engine refuse names of a stack that hold some text."""

    def invoke(_: str, arguments: Mapping[str, str]) -> SimpleNamespace:
        if refused in arguments["name"]:
            raise Exception(f"{arguments['name']} is no name")  # noqa: TRY002 - the SDK raises no other
        return SimpleNamespace(value={"outputs": {"image": DEPLOYED}})

    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)


def test_a_backend_that_takes_the_plain_name_alone_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_for(monkeypatch, "/")
    assert outputs.recorded()["image"] == DEPLOYED


def test_a_state_that_cannot_be_read_is_an_error_and_no_other_image(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_for(monkeypatch, "")
    with pytest.raises(pulumi.RunError, match=r"the outputs of stack \S+ cannot be read: .* is no name"):
        outputs.recorded()
