"""The parts of a Helm release that need no cluster."""

import base64
import gzip
import json
from pathlib import Path

import pytest

from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.naming import Autonaming
from local.plugins.kubernetes_provider.release import chart, commands, inputs, record, status, tool
from local.plugins.kubernetes_provider.values import Secret, Tree


def complete(news: Tree, olds: Tree | None = None) -> Tree:
    """Complete the inputs of a release named app in the program."""
    return inputs.complete(
        news,
        olds or {},
        resource_name="app",
        seed=bytes(8),
        naming=Autonaming(),
        default_namespace="shop",
    )


def test_name_and_namespace_are_filled_in_and_kept() -> None:
    first = complete({"chart": "nginx"})
    assert (first["name"], first["namespace"]) == ("app-00000000", "shop")
    assert complete({"chart": "nginx"}, {"name": "app-ffffffff"})["name"] == "app-ffffffff"


def test_secret_values_stay_marked() -> None:
    checked = complete({"chart": "nginx", "values": {"password": Secret("hunter2"), "n": 3, "off": None}})
    assert checked["values"] == {"password": Secret("hunter2"), "n": 3, "off": None}


def test_a_release_without_a_chart_is_refused() -> None:
    with pytest.raises(ProviderError, match="release app names no chart"):
        complete({})


def test_a_name_that_helm_would_not_take_is_refused() -> None:
    with pytest.raises(ProviderError, match="longer than the 53 characters"):
        complete({"chart": "nginx", "name": "x" * 54})


def make_chart(folder: Path) -> Path:
    """Write a small chart."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("name: demo\n")
    (folder / "templates" / "a.yaml").write_text("kind: ConfigMap\n")
    return folder


def test_a_changed_template_of_a_chart_in_a_folder_is_a_change(tmp_path: Path) -> None:
    folder = make_chart(tmp_path / "chart")
    before = complete({"chart": str(folder)})[inputs.CHECKSUM]
    assert complete({"chart": str(folder)})[inputs.CHECKSUM] == before
    (folder / "templates" / "a.yaml").write_text("kind: LimitMaps\n")
    assert complete({"chart": str(folder)})[inputs.CHECKSUM] != before


def test_the_same_chart_elsewhere_has_the_same_hash(tmp_path: Path) -> None:
    one, other = make_chart(tmp_path / "one"), make_chart(tmp_path / "other")
    (other / "__pycache__").mkdir()
    (other / "__pycache__" / "x.pyc").write_text("x")
    assert chart.content_hash(one) == chart.content_hash(other)


def wanted(**options: object) -> inputs.ReleaseInputs:
    """Parse the inputs of a release."""
    return inputs.parse({"name": "app", "namespace": "shop", "chart": "../chart", **options})


def test_inputs_become_helms_arguments(tmp_path: Path) -> None:
    release = wanted(atomic=True, timeout=120, createNamespace=True, version="1.2.3", maxHistory=5)
    arguments = " ".join(commands.upgrade(release, tmp_path, major=3))
    assert arguments.startswith("upgrade --install app ../chart --namespace shop --values - --timeout 120s")
    for part in ("--atomic", "--wait", "--create-namespace", "--version 1.2.3", "--history-max 5"):
        assert part in arguments


def test_the_options_that_helm_4_renamed_are_renamed(tmp_path: Path) -> None:
    arguments = commands.upgrade(wanted(atomic=True, forceUpdate=True), tmp_path, major=4)
    assert "--rollback-on-failure" in arguments
    assert "--force-replace" in arguments
    assert "--atomic" not in arguments


@pytest.mark.parametrize(("major", "forced"), [(3, False), (4, True)])
def test_helm_4_overwrites_what_was_edited_by_hand_as_helm_3_does(tmp_path: Path, major: int, forced: bool) -> None:
    assert ("--force-conflicts" in commands.upgrade(wanted(), tmp_path, major=major)) is forced


def test_a_release_that_is_not_awaited_is_not_waited_for(tmp_path: Path) -> None:
    assert "--wait" not in commands.upgrade(wanted(skipAwait=True), tmp_path, major=4)


def test_values_never_appear_in_the_arguments(tmp_path: Path) -> None:
    release = wanted(values={"password": Secret("hunter2")}, valueYamlFiles=[{"text": "password: hunter2"}])
    arguments = commands.upgrade(release, tmp_path, major=4)
    assert "hunter2" not in " ".join(arguments)
    file = tmp_path / "values-0.yaml"
    assert arguments.index(str(file)) < arguments.index("-")
    assert file.stat().st_mode & 0o077 == 0


def make_record(**release: object) -> str:
    """Make a record as it stands in its Secret."""
    content = {"name": "app", "namespace": "shop", "version": 2, "info": {"status": "deployed"}, **release}
    return base64.b64encode(base64.b64encode(gzip.compress(json.dumps(content).encode()))).decode()


MANIFEST = """---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
---
# nothing
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: shop}
"""


def test_helms_record_is_read_with_its_hooks() -> None:
    hook = {"kind": "Job", "name": "migrate", "events": ["pre-upgrade"], "last_run": {"phase": "Running"}}
    found = record.parse(make_record(manifest=MANIFEST, hooks=[hook], config={"a": 1}))
    assert (found.revision, found.status, found.values) == (2, "deployed", {"a": 1})
    assert found.hooks == (record.Hook("Job", "migrate", ("pre-upgrade",), "Running"),)
    assert status.resource_names(found) == {"ConfigMap/v1": ["b"], "Deployment/apps/v1": ["shop/a"]}


def test_the_state_of_a_release_shows_no_secret_and_tells_a_change_of_values() -> None:
    found = record.parse(make_record(config={"password": "hunter2"}))
    state = status.outputs({"values": Secret({"password": "hunter2"})}, found)
    assert isinstance(state[status.VALUES_HASH], Secret)
    assert "hunter2" not in repr(state)
    assert status.values_hash({"a": 1, "b": 2}) == status.values_hash({"b": 2, "a": 1})
    assert status.values_hash({"a": 1}) != status.values_hash({"a": 2})


def test_the_last_good_revision_is_found() -> None:
    found = [
        record.parse(make_record(version=number, info={"status": state}))
        for number, state in ((1, "superseded"), (2, "failed"), (3, "pending-upgrade"))
    ]
    good = record.last_good(found)
    assert good is not None
    assert good.revision == 1


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("Error: UPGRADE FAILED: timed out\n", "timed out"),
        ("level=WARN msg=x\nError: INSTALLATION FAILED: no\n", "no"),
        (
            "Error: chart requires kubeVersion\n\nUse --debug flag to render out invalid YAML\n",
            "chart requires kubeVersion",
        ),
        ("", ""),
    ],
)
def test_helms_reason_is_taken_out_of_what_it_writes(written: str, reason: str) -> None:
    assert tool.reason(written) == reason
