"""cloud-init of the server that k3s runs on."""

from typing import Any, Final

import yaml

INSTALL: Final = "/usr/local/sbin/install-k3s"
METADATA: Final = "no-pod-metadata"
"""Unit that keeps pods from the metadata service."""

# The installer of the release that is installed, which checks the program's digest itself. Also how k3s is upgraded.
_INSTALL_K3S: Final = """\
#!/bin/sh
set -eu
version=$1
if [ "$(k3s --version 2>/dev/null | awk 'NR == 1 { print $3 }')" != "$version" ]; then
    curl --fail --silent --show-error --location --retry 5 --output /tmp/install.sh \\
        "https://raw.githubusercontent.com/k3s-io/k3s/$version/install.sh"
    INSTALL_K3S_VERSION=$version sh /tmp/install.sh server
    rm /tmp/install.sh
fi
for attempt in $(seq 60); do
    if k3s kubectl wait --for=condition=Ready node --all --timeout=10s >&2; then exit 0; fi
    sleep 5
done
exit 1
"""

# The metadata service gives the user data, and with them the host key, to whoever asks: pods may not.
_METADATA_UNIT: Final = """\
[Unit]
Description=Keep pods from the metadata service
Before=k3s.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/iptables -t raw -I PREROUTING -i cni0 -d 169.254.169.254 -j DROP

[Install]
WantedBy=multi-user.target
"""


def k3s_config(address: str) -> dict[str, Any]:
    """Configuration of k3s.

    Args:
        address: at which administrators reach the server.
    """
    return {
        "secrets-encryption": True,
        "disable": ["traefik"],  # the platform brings its own
        "tls-san": [address],
        "node-external-ip": address,
        "write-kubeconfig-mode": "0600",
        "protect-kernel-defaults": True,
    }


def cloud_init(address: str, version: str, host_key: str, host_key_public: str) -> str:
    """Write the user data of the server.

    Args:
        address: at which administrators reach it.
        version: release of k3s.
        host_key, host_key_public: its SSH host key, so that whoever connects knows that it is this server.
    """
    files = [
        ("/etc/rancher/k3s/config.yaml", yaml.safe_dump(k3s_config(address), sort_keys=False), "0600"),
        (INSTALL, _INSTALL_K3S, "0755"),
        (f"/etc/systemd/system/{METADATA}.service", _METADATA_UNIT, "0644"),
        (
            "/etc/sysctl.d/90-kubelet.conf",
            "vm.panic_on_oom=0\nvm.overcommit_memory=1\nkernel.panic=10\nkernel.panic_on_oops=1\n",
            "0644",
        ),
        (
            "/etc/apt/apt.conf.d/20auto-upgrades",
            'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n',
            "0644",
        ),
        (
            "/etc/apt/apt.conf.d/52reboot",
            'Unattended-Upgrade::Automatic-Reboot "true";\nUnattended-Upgrade::Automatic-Reboot-Time "03:30";\n',
            "0644",
        ),
    ]
    content = {
        "ssh_pwauth": False,
        "ssh_keys": {"ed25519_private": host_key, "ed25519_public": host_key_public},
        "package_update": True,
        "package_upgrade": True,
        "packages": ["iptables", "unattended-upgrades"],
        "write_files": [
            {"path": path, "content": text, "permissions": mode, "owner": "root:root"} for path, text, mode in files
        ],
        "runcmd": ["sysctl --system", f"systemctl enable --now {METADATA}", f"{INSTALL} {version}"],
    }
    return "#cloud-config\n" + str(yaml.safe_dump(content, sort_keys=False))
