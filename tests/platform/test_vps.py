"""One server with k3s."""

import subprocess
from typing import Any

import yaml

from infra.platform.clusters.cloud_init import cloud_init
from tests.platform import engine
from tests.platform.engine import Platform


def user_data() -> dict[str, Any]:
    """What cloud-init is told."""
    text = cloud_init("203.0.113.9", "v1.34.4+k3s1", "private host-key", "ssh-ed25519 host-key")
    assert text.startswith("#cloud-config\n")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def written(path: str) -> str:
    """A file that cloud-init writes."""
    [content] = [each["content"] for each in user_data()["write_files"] if each["path"] == path]
    return str(content)


def test_the_server_is_protected_and_never_made_anew(vps: Platform) -> None:
    server = vps.one("Droplet")
    assert server.protect
    assert set(server.ignored) == {"image", "userData", "sshKeys"}
    assert server.inputs["backups"]
    assert server.inputs["backupPolicy"]["plan"] == "daily"
    assert vps.one("ReservedIp").protect
    assert vps.one("Vpc").protect


def test_users_reach_the_site_and_administrators_the_rest(vps: Platform) -> None:
    rules = {each["portRange"]: each["sourceAddresses"] for each in vps.one("Firewall").inputs["inboundRules"]}
    everybody, administrators = ["0.0.0.0/0", "::/0"], ["192.0.2.7/32"]
    assert rules == {
        "80": everybody,
        "443": everybody,
        "30080": everybody,
        "22": administrators,
        "6443": administrators,
    }
    assert vps.one("Firewall").inputs["dropletIds"] == [4711]


def test_the_stacks_node_port_is_the_one_that_is_open() -> None:
    platform = engine.run(engine.settings_of("vps", node_port="30123"))
    ports = [each["portRange"] for each in platform.one("Firewall").inputs["inboundRules"]]
    assert "30123" in ports
    assert "30080" not in ports
    assert platform.outputs["environment"]["url"] == "http://203.0.113.9:30123"


def test_whoever_connects_knows_that_it_is_this_server(vps: Platform) -> None:
    for name in ("k3s", "kubeconfig"):
        connection = vps.one("Command", name).inputs["connection"]["value"]
        assert connection["hostKey"] == "ssh-ed25519 host-key"
        assert connection["privateKey"] == "private log-in"
    assert user_data()["ssh_keys"] == {"ed25519_private": "private host-key", "ed25519_public": "ssh-ed25519 host-key"}
    assert user_data()["ssh_pwauth"] is False


def test_the_kubeconfig_is_read_when_k3s_runs_and_is_not_logged(vps: Platform) -> None:
    command = vps.one("Command", "kubeconfig")
    assert vps.one("Command", "k3s").urn in command.dependencies
    assert command.inputs["logging"] == "none"
    assert {vps.one("Firewall").urn, vps.one("ReservedIpAssignment").urn} <= vps.one("Command", "k3s").dependencies
    config = yaml.safe_load(vps.outputs["kubeconfig"])
    assert config["clusters"][0]["cluster"]["server"] == "https://203.0.113.9:6443"
    assert config["current-context"] == vps.outputs["environment"]["context"]
    assert {"kubeconfig", "ssh_key"} == vps.secret_outputs


def test_k3s_is_pinned_encrypts_secrets_and_brings_no_traefik(vps: Platform) -> None:
    config = yaml.safe_load(written("/etc/rancher/k3s/config.yaml"))
    assert config["secrets-encryption"] is True
    assert config["disable"] == ["traefik"]
    assert config["tls-san"] == ["203.0.113.9"]
    assert config["write-kubeconfig-mode"] == "0600"
    assert vps.one("Command", "k3s").inputs["create"].endswith("/usr/local/sbin/install-k3s v1.34.4+k3s1")
    assert user_data()["runcmd"][-1] == "/usr/local/sbin/install-k3s v1.34.4+k3s1"
    assert "raw.githubusercontent.com/k3s-io/k3s/$version/install.sh" in written("/usr/local/sbin/install-k3s")


def test_security_updates_come_by_themselves() -> None:
    assert 'Unattended-Upgrade "1"' in written("/etc/apt/apt.conf.d/20auto-upgrades")
    assert 'Automatic-Reboot "true"' in written("/etc/apt/apt.conf.d/52reboot")
    assert "unattended-upgrades" in user_data()["packages"]


def test_pods_cannot_read_the_user_data(vps: Platform) -> None:
    """They hold the host key, and the metadata service gives them to whoever asks."""
    unit = written("/etc/systemd/system/no-pod-metadata.service")
    assert "-i cni0 -d 169.254.169.254 -j DROP" in unit
    assert "Before=k3s.service" in unit
    commands = user_data()["runcmd"]
    assert commands.index("systemctl enable --now no-pod-metadata") < len(commands) - 1, "before k3s starts"
    assert "systemctl is-active no-pod-metadata >&2 && " in vps.one("Command", "k3s").inputs["create"]


def test_the_installer_of_k3s_is_a_script_that_a_shell_can_read() -> None:
    subprocess.run(["sh", "-n"], input=written("/usr/local/sbin/install-k3s"), text=True, check=True)
