"""The real engine runs a program through both plugins, by the commands that a person types."""

import json
import os
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from local import paths
from local.plugins.kubernetes_provider.client import MERGE_PATCH, Client
from tests.plugins.live.charts import write_chart
from tests.plugins.live.control_plane import ControlPlane
from tests.plugins.live.objects import exists, kubelet, wait_for
from tests.plugins.live.project import STACK, Project


def settings(namespace: str, value: str = "1") -> str:
    """Give a program of one namespace and one ConfigMap in it."""
    return f"""
        space = core.Namespace("space", metadata={{"name": "{namespace}-own"}})
        settings = core.ConfigMap(
            "settings", metadata={{"name": "settings", "namespace": space.metadata["name"]}}, data={{"a": "{value}"}}
        )
        pulumi.export("name", settings.metadata["name"])
    """


def test_a_program_is_previewed_brought_up_changed_and_destroyed(
    project: Project, client: Client, namespace: str
) -> None:
    project.program(settings(namespace))
    assert "+ 3 to create" in project.preview().ok()
    assert not exists(client, f"/api/v1/namespaces/{namespace}-own")
    assert "+ 3 created" in project.up().ok()
    assert project.outputs() == {"name": "settings"}
    assert "3 unchanged" in project.up("--expect-no-changes").ok()
    project.program(settings(namespace, "2"))
    assert '~ a: "1" => "2"' in project.preview().ok()
    assert "+-1 replaced" in project.up().ok()
    path = f"/api/v1/namespaces/{namespace}-own/configmaps/settings"
    client.request("PATCH", path, {"fieldManager": "someone"}, {"data": {"a": "theirs"}}, MERGE_PATCH)
    assert "~ 1 updated" in project.run("refresh", "--yes", "--skip-preview", "--stack", STACK).ok()
    project.destroy()
    assert not exists(client, f"/api/v1/namespaces/{namespace}-own")


def test_an_object_is_imported_by_the_command(project: Project, client: Client, namespace: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}, "data": {"a": "1"}}
    client.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", body=body)
    project.program(f"""
        core.ConfigMap(
            "theirs",
            metadata={{"name": "theirs", "namespace": "{namespace}"}},
            data={{"a": "1"}},
            opts=opts(import_="{namespace}/theirs"),
        )
    """)
    assert "= 1 imported" in project.up().ok()
    assert "2 unchanged" in project.up("--expect-no-changes").ok()


def test_no_secret_is_in_the_state(project: Project, namespace: str, tmp_path: Path) -> None:
    chart = write_chart(tmp_path / "chart")
    project.run("config", "set", "--secret", "password", "hunter2secret", "--stack", STACK).ok()
    project.program(f"""
        password = pulumi.Config().require_secret("password")
        core.Secret("keys", metadata={{"namespace": "{namespace}"}}, string_data={{"key": password}})
        url = password.apply(lambda text: "x:" + text)
        core.ConfigMap("leaky", metadata={{"namespace": "{namespace}"}}, data={{"url": url}})
        release = helm.Release(
            "app", name="app", namespace="{namespace}", chart="{chart}", values={{"text": "x", "password": password}}
        )
        pulumi.export("release", release.status)
    """)
    project.up().ok()
    state = project.state()
    assert "hunter2secret" not in state
    assert "aHVudGVyMnNlY3JldA" not in state
    assert "hunter2secret" not in "".join(
        path.read_text(errors="replace") for path in (project.folder / "state").rglob("*") if path.is_file()
    )
    assert project.outputs()["release"]["status"] == "deployed"
    assert "unchanged" in project.up("--expect-no-changes").ok()


def test_a_cluster_that_does_not_answer_is_named_in_one_line(project: Project, plane: ControlPlane) -> None:
    project.program('core.ConfigMap("x", data={"a": "1"})')
    away = plane.kubeconfig(server="https://127.0.0.1:1")
    project.extra = {"KUBECONFIG": str(away)}
    for result in (project.preview(), project.up()):
        text = result.failed()
        line = (
            f"cannot reach the Kubernetes API server https://127.0.0.1:1 (context 'test' of {away}): connection refused"
        )
        assert line in text
        assert "set KUBECONFIG to the kubeconfig of one that runs" in text
    project.extra = {}


def test_missing_rights_are_named_in_one_line(project: Project, plane: ControlPlane, namespace: str) -> None:
    project.program(f'core.ConfigMap("x", metadata={{"namespace": "{namespace}"}}, data={{"a": "1"}})')
    project.extra = {"KUBECONFIG": str(plane.kubeconfig("guest"))}
    text = project.preview().failed()
    assert f"no rights: user guest may not get configmaps in namespace {namespace}" in text
    project.extra = {}


def test_credentials_that_are_not_accepted_are_named(project: Project, plane: ControlPlane) -> None:
    project.program('core.ConfigMap("x", data={"a": "1"})')
    project.extra = {"KUBECONFIG": str(plane.kubeconfig("nobody"))}
    assert "does not accept the credentials of this kubeconfig" in project.preview().failed()
    project.extra = {}


def test_an_error_of_the_program_is_its_sentence_alone(project: Project) -> None:
    project.program('raise pulumi.RunError("phase must be 1 to 4")')
    text = project.preview().failed()
    assert "error: phase must be 1 to 4" in text
    assert "unhandled" not in text


def test_a_fault_of_the_program_is_shown_from_the_program_on(project: Project) -> None:
    project.program("def fault():\n    return 1 / 0\n\n\nfault()")
    result = project.preview()
    assert result.code != 0
    assert "ZeroDivisionError: division by zero" in result.text
    assert "runpy" not in result.text


def test_what_only_the_official_provider_does_is_refused_in_one_line(project: Project) -> None:
    project.program("""
        from pulumi_kubernetes.yaml import v2 as yaml
        yaml.ConfigGroup("group", yaml="kind: ConfigMap")
    """)
    assert "kubernetes:yaml/v2:ConfigGroup needs the official Kubernetes provider" in project.preview().failed()


def test_a_deployment_that_never_becomes_ready_is_reported_and_repaired(project: Project, namespace: str) -> None:
    def deployment(annotation: str) -> str:
        return f"""
            apps.Deployment(
                "api",
                metadata={{"name": "api", "namespace": "{namespace}", "annotations": {{{annotation}}}}},
                spec={{
                    "selector": {{"match_labels": {{"app": "api"}}}},
                    "template": {{
                        "metadata": {{"labels": {{"app": "api"}}}},
                        "spec": {{"containers": [{{"name": "api", "image": "example.org/api:1"}}]}},
                    }},
                }},
            )
        """

    project.program(deployment('"pulumi.com/timeoutSeconds": "2"'))
    text = project.up().failed()
    assert f"Deployment {namespace}/api was not ready after 2 s" in text
    assert "[1/2] Waiting for app ReplicaSet to be available (0/1 Pods available)" in text
    kept = json.loads(project.state())["deployment"]["resources"]
    assert [entry["urn"].rsplit("::", 1)[1] for entry in kept if entry.get("initErrors")] == ["api"]
    # Nothing has changed in the program, and yet the next update tries again.
    assert f"Deployment {namespace}/api was not ready after 2 s" in project.up().failed()
    project.program(deployment('"pulumi.com/skipAwait": "true"'))
    assert "~ 1 updated" in project.up().ok()


def test_an_interrupted_update_keeps_what_it_has_made(project: Project, client: Client, namespace: str) -> None:
    project.program(f"""
        apps.Deployment(
            "api",
            metadata={{"name": "api", "namespace": "{namespace}"}},
            spec={{
                "selector": {{"match_labels": {{"app": "api"}}}},
                "template": {{
                    "metadata": {{"labels": {{"app": "api"}}}},
                    "spec": {{"containers": [{{"name": "api", "image": "example.org/api:1"}}]}},
                }},
            }},
        )
    """)
    command = [str(project.pulumi), "up", "--yes", "--skip-preview", "--stack", STACK, "--non-interactive"]
    with subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as engine:
        wait_for(lambda: exists(client, f"/apis/apps/v1/namespaces/{namespace}/deployments/api"), "the Deployment")
        engine.send_signal(signal.SIGINT)
        text, _ = engine.communicate(timeout=60)
    assert engine.returncode != 0
    assert f"cancelled while waiting for Deployment {namespace}/api" in text
    assert f'"id": "{namespace}/api"' in project.state()


def test_a_job_that_has_failed_is_made_anew_by_the_next_update(
    project: Project, client: Client, namespace: str
) -> None:
    project.program(f"""
        from pulumi_kubernetes.batch import v1 as batch
        batch.Job(
            "work",
            metadata={{
                "name": "work", "namespace": "{namespace}", "annotations": {{"pulumi.com/replaceUnready": "true"}}
            }},
            spec={{
                "backoff_limit": 0,
                "template": {{
                    "spec": {{
                        "restart_policy": "Never", "containers": [{{"name": "api", "image": "example.org/api:1"}}]
                    }},
                }},
            }},
        )
    """)
    with kubelet(client, namespace, lambda _: {"phase": "Failed"}):
        assert f"Job {namespace}/work has failed" in project.up().failed()
    with kubelet(client, namespace, lambda _: {"phase": "Succeeded"}):
        assert "+-1 replaced" in project.up().ok()
    assert "unchanged" in project.up("--expect-no-changes").ok()


def test_the_kubeconfig_of_another_cluster_changes_nothing(project: Project, client: Client, namespace: str) -> None:
    project.program(f"""
        asking = Provider("asking")
        system = core.Namespace.get("kube-system", "kube-system", opts=opts(provider=asking))
        cluster = Provider("cluster", cluster_identifier=system.metadata.uid)
        core.ConfigMap(
            "settings", metadata={{"name": "settings", "namespace": "{namespace}"}}, data={{"a": "1"}},
            opts=opts(provider=cluster),
        )
    """)
    project.up().ok()
    project.up("--expect-no-changes").ok()
    uid = client.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    # A second cluster is this one, as a stack sees it that was made in another.
    elsewhere = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    exported = project.folder / "state.json"
    exported.write_text(project.state().replace(f'"clusterIdentifier": "{uid}"', f'"clusterIdentifier": "{elsewhere}"'))
    project.run("stack", "import", "--stack", STACK, "--file", str(exported)).ok()
    before = json.loads(project.state())["deployment"]["resources"]
    client.request("DELETE", f"/api/v1/namespaces/{namespace}/configmaps/settings")
    for command in (["preview"], ["up", "--yes"], ["refresh", "--yes"], ["destroy", "--yes"]):
        text = project.run(*command, "--stack", STACK).failed()
        assert f"this stack is in the cluster {elsewhere}, and " in text, command
    after = json.loads(project.state())["deployment"]["resources"]
    assert {entry["urn"] for entry in after} == {entry["urn"] for entry in before}
    exported.write_text(json.dumps({"version": 3, "deployment": {"resources": before}}).replace(elsewhere, uid))
    project.run("stack", "import", "--stack", STACK, "--file", str(exported)).ok()


def connected(namespace: str, connect: str) -> str:
    """Give a program of one ConfigMap by the stack's own provider."""
    return f"""
        import sys
        sys.path.insert(0, "{paths.ROOT}")
        from infra.cluster import connect
        cluster = {connect}
        core.ConfigMap(
            "settings", metadata={{"name": "settings", "namespace": "{namespace}"}}, data={{"a": "1"}},
            opts=opts(provider=cluster.provider),
        )
    """


def test_another_machine_with_another_kubeconfig_sees_no_change(
    project: Project, plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    project.program(connected(namespace, "connect(None)"))
    project.up().ok()
    assert ".kubeconfig" not in project.state()
    elsewhere = replace(project, folder=shutil.copytree(project.folder, tmp_path / "elsewhere"))
    there = plane.kubeconfig()
    elsewhere.extra = {"KUBECONFIG": str(there), "PULUMI_BACKEND_URL": f"file://{project.folder / 'state'}"}
    assert "unchanged" in elsewhere.up("--expect-no-changes").ok()
    assert "unchanged" in elsewhere.run("preview", "--expect-no-changes", "--stack", STACK).ok()


def test_a_state_with_a_path_in_it_goes_on_without_a_replacement(project: Project, namespace: str) -> None:
    with_path = """type("Cluster", (), {"provider": Provider("cluster", cluster_identifier=core.Namespace.get(
            "kube-system", "kube-system", opts=opts(provider=Provider("cluster-identity"))
        ).metadata.uid)})"""
    project.program(connected(namespace, with_path))
    project.up().ok()
    assert ".kubeconfig" in project.state()
    project.program(connected(namespace, "connect(None)"))
    shown = project.up().ok()
    assert "replaced" not in shown
    assert ".kubeconfig" not in project.state()


@pytest.mark.parametrize("plugin", ["pulumi-language-python", "pulumi-resource-kubernetes"])
def test_a_plugin_ends_with_the_process_that_started_it(project: Project, plugin: str) -> None:
    starter = f"{plugin} 127.0.0.1:1 & echo $!; sleep 0.2; read -r _ < /dev/null; exec 1>&-"
    with subprocess.Popen(
        ["sh", "-c", starter], env=project.environment(), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as shell:
        assert shell.stdout is not None
        pid = int(shell.stdout.readline())
        shell.wait()
    wait_for(lambda: not _alive(pid), "the plugin's end")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
