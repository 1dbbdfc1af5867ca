"""Helm releases: installed, upgraded, watched, gone back, recovered and removed through the real helm."""

import base64
import threading
from pathlib import Path

import pytest

from local.plugins.kubernetes_provider.client import Client
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.create import InitFailedError
from local.plugins.kubernetes_provider.errors import CancelledError, ProviderError
from local.plugins.kubernetes_provider.objects import Object
from local.plugins.kubernetes_provider.release import drift, record, tool
from local.plugins.kubernetes_provider.release.lifecycle import ReleaseLifecycle
from local.plugins.kubernetes_provider.tokens import RELEASE
from local.plugins.kubernetes_provider.values import Secret, plain
from tests.plugins.live.charts import write_chart
from tests.plugins.live.objects import exists, kubelet, ready_status, wait_for, waiting_status
from tests.plugins.live.releases import change_text, set_status, text_of
from tests.plugins.live.resources import Made, Resources
from tests.plugins.test_secret_values import visible


@pytest.fixture
def releases(cluster: Cluster) -> Resources:
    """Releases made, changed and deleted the way the engine asks for it."""
    return Resources(ReleaseLifecycle(cluster), cluster)


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart in a folder."""
    return write_chart(tmp_path / "chart")


def release(chart: Path, namespace: str, values: Object | None = None, **options: object) -> Object:
    """Make the inputs of a release."""
    return {
        "name": "app",
        "namespace": namespace,
        "chart": str(chart),
        "timeout": 20,
        "values": values or {"text": "one"},
        **options,
    }


def newest(client: Client, namespace: str) -> record.Record:
    """Give the newest revision."""
    found = record.latest(client, namespace, "app")
    assert found is not None
    return found


def test_a_release_is_installed_upgraded_and_removed(
    releases: Resources, client: Client, namespace: str, chart: Path
) -> None:
    made = releases.create(release(chart, namespace), RELEASE)
    state = plain(made.state)
    assert (state["status"]["status"], state["status"]["revision"], state["status"]["version"]) == (
        "deployed",
        1,
        "1.2.3",
    )
    assert state["resourceNames"] == {"ConfigMap/v1": ["app-settings"], "Secret/v1": ["app-keys"]}
    assert not releases.diff(made, release(chart, namespace)).changes
    changed = releases.update(made, release(chart, namespace, {"text": "two"}))
    assert plain(changed.state)["status"]["revision"] == 2
    assert text_of(client, namespace) == "two"
    releases.delete(changed)
    assert not exists(client, f"/api/v1/namespaces/{namespace}/configmaps/app-settings")
    assert releases.refresh(changed) is None
    releases.delete(changed)


def test_a_changed_template_is_an_upgrade(releases: Resources, namespace: str, chart: Path) -> None:
    made = releases.create(release(chart, namespace), RELEASE)
    (chart / "templates" / "more.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n")
    assert [change.text() for change in releases.diff(made, release(chart, namespace)).changes] == ["checksum"]


def test_another_name_is_another_release(releases: Resources, namespace: str, chart: Path) -> None:
    made = releases.create(release(chart, namespace), RELEASE)
    found = releases.diff(made, {**release(chart, namespace), "name": "other"})
    assert [change.text() for change in found.replaces] == ["name"]


def test_secret_values_reach_the_cluster_and_not_the_state(
    releases: Resources, client: Client, namespace: str, chart: Path
) -> None:
    values = {"text": "x", "password": Secret("hunter2secret")}
    made = releases.create(release(chart, namespace, values), RELEASE)
    assert "hunter2secret" not in visible(made.state) + visible(made.inputs)
    data = client.get(f"/api/v1/namespaces/{namespace}/secrets/app-keys")["data"]
    assert base64.b64decode(data["password"]) == b"hunter2secret"
    found = releases.refresh(made)
    assert found is not None
    assert "hunter2secret" not in visible(found.state) + visible(found.inputs)


def test_values_that_the_charts_schema_refuses_are_refused_in_preview(
    releases: Resources, namespace: str, chart: Path
) -> None:
    resource, inputs = releases.check(release(chart, namespace, {"text": "x" * 30}), type_token=RELEASE)
    with pytest.raises(ProviderError, match=r"cannot be rendered: .*text"):
        releases.lifecycle.create(resource, inputs, preview=True)


def test_a_refresh_sees_an_upgrade_by_hand(releases: Resources, cluster: Cluster, namespace: str, chart: Path) -> None:
    made = releases.create(release(chart, namespace), RELEASE)
    with tool.environment(cluster.client.connection) as env:
        tool.run(["upgrade", "app", str(chart), "--namespace", namespace, "--set", "text=theirs"], env)
    found = releases.refresh(made)
    assert found is not None
    assert plain(found.inputs)["values"] == {"text": "theirs"}
    assert releases.diff(Made(made.resource, found.inputs, found.state), release(chart, namespace)).changes


def test_a_release_reports_its_rollout(releases: Resources, client: Client, namespace: str, chart: Path) -> None:
    waiting = "Deployment app: [1/2] Waiting for app ReplicaSet to be available (0/1 Pods available)"

    def reported() -> bool:
        return any(waiting in text for text in releases.heard.statuses)

    # The pod becomes ready only after that: on a busy machine it would otherwise be ready before the first poll.
    with kubelet(client, namespace, lambda _: ready_status() if reported() else None):
        releases.create(release(chart, namespace, {"image": "example.org/api:1"}), RELEASE)
    assert reported()
    assert releases.heard.statuses[-1] == "Helm release is deployed (revision 1)"


def test_an_upgrade_that_does_not_become_ready_goes_back_and_says_why(
    releases: Resources, client: Client, namespace: str, chart: Path
) -> None:
    def status(pod: Object) -> Object:
        image = pod["spec"]["containers"][0]["image"]
        return waiting_status("ErrImagePull", f"{image}: not found", image) if "none" in image else ready_status()

    with kubelet(client, namespace, status):
        made = releases.create(release(chart, namespace, {"image": "example.org/api:1"}, atomic=True), RELEASE)
        broken = release(chart, namespace, {"image": "example.org/api:none"}, atomic=True, timeout=5)
        with pytest.raises(ProviderError) as caught:
            releases.update(made, broken)
    message = str(caught.value).splitlines()
    assert message[0].startswith(f"the upgrade of Helm release {namespace}/app failed and has been rolled back")
    assert "image example.org/api:none of container api cannot be pulled (ErrImagePull)" in message[1]
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/app"
    image = client.get(path)["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "example.org/api:1"
    assert newest(client, namespace).status == record.DEPLOYED


def test_an_installation_that_does_not_become_ready_is_removed_again(
    releases: Resources, client: Client, namespace: str, chart: Path
) -> None:
    broken = release(chart, namespace, {"image": "example.org/api:none"}, atomic=True, timeout=4)
    status = waiting_status("ErrImagePull", "not found", "example.org/api:none")
    with kubelet(client, namespace, lambda _: status), pytest.raises(ProviderError) as caught:
        releases.create(broken, RELEASE)
    assert f"the installation of Helm release {namespace}/app failed and has been removed again" in str(caught.value)
    assert "image example.org/api:none of container api cannot be pulled" in str(caught.value)
    assert record.latest(client, namespace, "app") is None


def test_a_failed_release_that_stays_is_kept_for_repair(
    releases: Resources, client: Client, namespace: str, chart: Path
) -> None:
    with pytest.raises(InitFailedError) as caught:
        releases.create(release(chart, namespace, {"image": "example.org/api:1"}, timeout=3), RELEASE)
    assert plain(caught.value.state)["status"]["status"] == "failed"
    resource, _ = releases.check(release(chart, namespace), type_token=RELEASE)
    kept = Made(type(resource)("urn", RELEASE, "thing", caught.value.identity), caught.value.inputs, caught.value.state)
    found = releases.refresh(kept)
    assert found is not None
    assert found.problems[0].startswith(f"Helm release {namespace}/app is failed")
    with kubelet(client, namespace, lambda _: ready_status()):
        repaired = releases.update(kept, release(chart, namespace, {"image": "example.org/api:1"}))
    assert plain(repaired.state)["status"]["status"] == "deployed"


def test_a_failing_hook_is_named_with_its_pod(releases: Resources, client: Client, namespace: str, chart: Path) -> None:
    ended = {"terminated": {"exitCode": 3, "reason": "Error", "message": "no such table: users"}}
    status = {"name": "api", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": ended}

    def fail(_: Object) -> Object | None:
        running = any("Running hook app-migrations" in text for text in releases.heard.statuses)
        return {"phase": "Failed", "containerStatuses": [status]} if running else None

    with kubelet(client, namespace, fail), pytest.raises(ProviderError) as caught:
        releases.create(release(chart, namespace, {"hook": "example.org/api:1"}, atomic=True), RELEASE)
    assert "hook app-migrations: " in str(caught.value)
    assert "container api ends with exit code 3" in str(caught.value)
    assert "no such table: users" in str(caught.value)


@pytest.mark.parametrize("status", ["pending-upgrade", "pending-rollback"])
def test_a_release_that_an_interrupted_upgrade_has_left_is_rolled_back_first(
    releases: Resources, client: Client, namespace: str, chart: Path, status: str
) -> None:
    made = releases.create(release(chart, namespace), RELEASE)
    changed = releases.update(made, release(chart, namespace, {"text": "two"}))
    set_status(client, namespace, status)
    found = releases.refresh(changed)
    assert found is not None
    assert found.problems
    repaired = releases.update(changed, release(chart, namespace, {"text": "three"}))
    assert plain(repaired.state)["status"]["status"] == "deployed"
    assert text_of(client, namespace) == "three"
    assert f"was left {status} by an interrupted update: rolling back to revision 1 first" in releases.heard.warnings[0]


def test_an_installation_that_was_interrupted_is_done_again(
    releases: Resources, client: Client, namespace: str, chart: Path
) -> None:
    releases.create(release(chart, namespace), RELEASE)
    set_status(client, namespace, "pending-install")
    made = releases.create(release(chart, namespace, {"text": "two"}), RELEASE)
    assert plain(made.state)["status"]["status"] == "deployed"
    assert "was left pending-install by an interrupted update: removing it first" in releases.heard.warnings[0]


def test_a_release_that_is_there_already_is_not_taken_over_by_chance(
    releases: Resources, namespace: str, chart: Path
) -> None:
    releases.create(release(chart, namespace), RELEASE)
    with pytest.raises(ProviderError, match=f"Helm release {namespace}/app exists already and is not in this stack"):
        releases.create(release(chart, namespace), RELEASE)


def test_a_release_of_the_stacks_own_that_a_killed_update_has_installed_is_taken_over(
    releases: Resources, client: Client, namespace: str, chart: Path
) -> None:
    releases.create(release(chart, namespace, replace=True), RELEASE)
    made = releases.create(release(chart, namespace, {"text": "two"}, replace=True), RELEASE)
    assert plain(made.state)["status"]["revision"] == 2
    assert text_of(client, namespace) == "two"


def test_a_failed_first_installation_that_stays_is_done_again(
    releases: Resources, client: Client, namespace: str, chart: Path
) -> None:
    releases.create(release(chart, namespace), RELEASE)
    set_status(client, namespace, "failed")
    made = releases.create(release(chart, namespace, {"text": "two"}, atomic=True), RELEASE)
    assert plain(made.state)["status"]["status"] == "deployed"
    assert text_of(client, namespace) == "two"


def test_a_release_that_nobody_has_changed_has_no_drift(
    releases: Resources, client: Client, namespace: str, chart: Path
) -> None:
    with kubelet(client, namespace, lambda _: ready_status()):
        made = releases.create(release(chart, namespace, {"text": "one", "image": "example.org/api:1"}), RELEASE)
        found = releases.refresh(made)
    assert found is not None
    assert not releases.diff(
        Made(made.resource, found.inputs, found.state), release(chart, namespace, plain(made.inputs)["values"])
    ).changes


def test_a_refresh_sees_an_object_that_was_edited_by_hand_and_the_next_update_mends_it(
    releases: Resources, client: Client, namespace: str, chart: Path
) -> None:
    made = releases.create(release(chart, namespace), RELEASE)
    change_text(client, namespace, "theirs")
    found = releases.refresh(made)
    assert found is not None
    assert plain(found.inputs)["description"] == f"changed by hand: ConfigMap {namespace}/app-settings: data.text"
    seen = Made(made.resource, found.inputs, found.state)
    assert [change.text() for change in releases.diff(seen, release(chart, namespace)).changes] == ["description"]
    mended = releases.update(seen, release(chart, namespace))
    assert text_of(client, namespace) == "one"
    again = releases.refresh(mended)
    assert again is not None
    assert "description" not in plain(again.inputs)


def test_a_refresh_sees_an_object_that_was_deleted_by_hand_and_the_next_update_makes_it_again(
    releases: Resources, client: Client, namespace: str, chart: Path
) -> None:
    made = releases.create(release(chart, namespace), RELEASE)
    client.request("DELETE", f"/api/v1/namespaces/{namespace}/configmaps/app-settings")
    found = releases.refresh(made)
    assert found is not None
    assert plain(found.inputs)["description"] == f"changed by hand: ConfigMap {namespace}/app-settings: gone"
    releases.update(Made(made.resource, found.inputs, found.state), release(chart, namespace))
    assert text_of(client, namespace) == "one"


def test_drift_is_mended_without_the_engine(
    releases: Resources, cluster: Cluster, client: Client, namespace: str, chart: Path
) -> None:
    made = releases.create(release(chart, namespace), RELEASE)
    change_text(client, namespace, "theirs")
    [found] = drift.find(cluster, newest(client, namespace))
    drift.revert(cluster, found)
    assert text_of(client, namespace) == "one"
    assert list(drift.find(cluster, newest(client, namespace))) == []
    releases.update(made, release(chart, namespace, {"text": "two"}))
    assert text_of(client, namespace) == "two", "helm still changes what was mended"


def test_a_cancelled_upgrade_goes_back(releases: Resources, client: Client, namespace: str, chart: Path) -> None:
    image = {"image": "example.org/api:1"}
    healthy: list[bool] = [True]

    with kubelet(client, namespace, lambda pod: ready_status() if healthy[0] or "1" in str(pod["spec"]) else None):
        made = releases.create(release(chart, namespace, image, atomic=True), RELEASE)
        healthy[0] = False
        errors: list[BaseException] = []

        def upgrade() -> None:
            with pytest.raises((CancelledError, ProviderError)) as caught:
                releases.update(made, release(chart, namespace, {"image": "example.org/api:none"}, atomic=True))
            errors.append(caught.value)

        worker = threading.Thread(target=upgrade)
        worker.start()
        wait_for(lambda: "Waiting for app ReplicaSet" in releases.heard.statuses[-1], "the rollout")
        releases.cluster.client.cancelled.set()
        worker.join(timeout=60)
    assert "cancelled" in str(errors[0])
    assert newest(client, namespace).status not in record.PENDING
