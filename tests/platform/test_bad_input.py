"""What a person gets wrong: one line that says what, where and what to do, before anything is made."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from tests.platform import engine

PREFIX = "task-manager-platform"


def refusal(config: dict[str, Any]) -> str:
    """What the engine prints for this configuration."""
    with pytest.raises(pulumi.RunError) as error:
        engine.run(config)
    told = str(error.value)
    assert "\n" not in told
    return told


@pytest.mark.parametrize(
    ("stack", "changes", "said"),
    [
        ("digitalocean", {"cluster": "gke"}, f"{PREFIX}:cluster: 'gke' is not one of 'provided', 'vps', "),
        ("digitalocean", {"regoin": "fra1"}, f"{PREFIX}:regoin: there is no such key (did you mean {PREFIX}:region?)"),
        ("digitalocean", {"zz": "red"}, "docs/platform-settings.md lists the keys"),
        ("aws", {"phase": "1"}, f"{PREFIX}:phase: there is no size for phase 1 on aws: set it to 2 or 3 or 4"),
        ("vps", {"phase": "2"}, f"{PREFIX}:phase: there is no size for phase 2 on vps: set it to 1"),
        ("vps", {"region": "", "admin_addresses": ""}, "vps needs to know more: set region and admin_addresses"),
        ("digitalocean", {"region": "fra9"}, f"{PREFIX}:region: DigitalOcean has no 'fra9': set one of ams3, fra1"),
        ("digitalocean", {"region": "nyc3"}, "DigitalOcean has no 'nyc3'"),
        ("vps", {"region": "fra9"}, "DigitalOcean has no 'fra9'"),
        ("digitalocean", {"phase": "3", "region": "fra1"}, "DigitalOcean has no g-4vcpu-16gb in fra1"),
        ("aws", {"region": "eu-centrl-1"}, f"{PREFIX}:region: AWS has no 'eu-centrl-1' for this account: set one of"),
        ("aws", {"nodes": {"size": "t3.medium"}}, "AWS has no t3.medium in eu-central-1b, eu-central-1c"),
        ("digitalocean", {"nodes": {"size": "huge"}}, f"{PREFIX}:nodes.size: 'huge' is none of s-1vcpu-2gb, "),
        ("digitalocean", {"nodes": {"least": 5, "most": 2}}, f"{PREFIX}:nodes.most: it is below nodes.least"),
        ("digitalocean", {"admin_addresses": "0.0.0.0/0"}, "0.0.0.0/0 is everybody: name the addresses"),
        ("digitalocean", {"admin_addresses": "here"}, f"{PREFIX}:admin_addresses: 'here' is no range of addresses"),
        ("aws", {"admin_addresses": "2001:db8::/48"}, "the API of EKS is reached by IPv4 alone"),
        ("digitalocean", {"network": "10.0.0.0/24"}, f"{PREFIX}:network: '10.0.0.0/24' is no private IPv4 network"),
        ("digitalocean", {"kubernetes_version": "1.29"}, "1.29 is too old: the task manager needs 1.30 or later"),
        ("digitalocean", {"kubernetes_version": "latest"}, "'latest' is no version of Kubernetes: write it as 1.34"),
        ("digitalocean", {"kubernetes_version": "1.39"}, "DigitalOcean has no 1.39: set another one"),
        ("vps", {"kubernetes_version": "1.33"}, "no release of k3s is pinned for it: set it to 1.34"),
    ],
)
def test_a_wrong_setting_is_named(stack: str, changes: dict[str, Any], said: str) -> None:
    assert said in refusal(engine.settings_of(stack, **changes))


@pytest.mark.parametrize(
    ("stack", "gone", "said"),
    [
        ("vps", ["DIGITALOCEAN_TOKEN"], "vps has no credentials: set DIGITALOCEAN_TOKEN in the environment"),
        (
            "digitalocean",
            ["DIGITALOCEAN_TOKEN", "SPACES_ACCESS_KEY_ID"],
            "set DIGITALOCEAN_TOKEN and SPACES_ACCESS_KEY_ID in the environment",
        ),
        ("aws", ["AWS_ACCESS_KEY_ID"], "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_missing_credentials_are_named_before_anything_is_asked(
    stack: str, gone: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in gone:
        monkeypatch.delenv(name)
    monkeypatch.setattr("tests.platform.engine.ask", lambda token, _: pytest.fail(f"asked for {token}"))
    told = refusal(engine.stack_file(stack))
    assert told.startswith(f"{PREFIX}:cluster: ")
    assert said in told


def test_a_profile_of_aws_is_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("[default]\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert engine.run(engine.stack_file("aws")).one("Cluster")


class Api(http.server.BaseHTTPRequestHandler):
    """A Kubernetes API that knows its version."""

    minor = "34"

    def do_GET(self) -> None:
        if self.path.rstrip("/") != "/version":
            self.send_error(404)
            return
        body = json.dumps({"gitVersion": f"v1.{self.minor}.4"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A kubeconfig with the context `ours`, of a cluster that answers."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = tmp_path / "kubeconfig"
    file.write_text(_kubeconfig(server.server_port))
    monkeypatch.setenv("KUBECONFIG", str(file))
    yield file
    server.shutdown()


def _kubeconfig(port: int) -> str:
    return str(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "ours",
                "clusters": [{"name": "ours", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                "contexts": [{"name": "ours", "context": {"cluster": "ours", "user": "ours"}}],
                "users": [{"name": "ours", "user": {"token": "t"}}],
            }
        )
    )


PROVIDED = {f"{PREFIX}:cluster": "provided"}


def test_a_provided_cluster_is_used_by_its_context(kubeconfig: Path) -> None:
    del kubeconfig
    platform = engine.run({**PROVIDED, f"{PREFIX}:context": "ours"})
    providers = platform.all("kubernetes")
    assert {each.inputs["context"] for each in providers} == {"ours"}
    assert platform.outputs["environment"] == {"context": "ours", **engine.OF_ADDONS}
    assert platform.outputs["cluster"] == "the-id-of-the-cluster"
    assert "kubeconfig" not in platform.outputs


def test_a_context_that_is_not_there_is_named(kubeconfig: Path) -> None:
    told = refusal({**PROVIDED, f"{PREFIX}:context": "theirs"})
    assert told.startswith(f"{PREFIX}:context: {kubeconfig}: ")
    assert "theirs" in told


def test_a_kubeconfig_that_leads_nowhere_is_named(kubeconfig: Path) -> None:
    kubeconfig.write_text(_kubeconfig(1))
    told = refusal({**PROVIDED, f"{PREFIX}:context": "ours"})
    assert told.startswith(f"{PREFIX}:context: cannot reach the Kubernetes API server http://127.0.0.1:1: ")


def test_a_missing_kubeconfig_is_named(kubeconfig: Path) -> None:
    kubeconfig.unlink()
    assert refusal(PROVIDED).endswith("set KUBECONFIG")


def test_a_cluster_that_is_too_old_is_named(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del kubeconfig
    monkeypatch.setattr(Api, "minor", "29")
    told = refusal({**PROVIDED, f"{PREFIX}:context": "ours"})
    assert told.endswith("runs Kubernetes 1.29.4, which is too old: upgrade it to 1.30 or later")
