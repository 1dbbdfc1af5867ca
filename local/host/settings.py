"""Kernel settings and fixed directories that the cluster changes; recorded before, and restored by `down`."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from local import paths
from local.host import mounts
from local.host.files import write_private

# Settings of ours, needed for pods to reach anything at all.
REQUIRED_SETTINGS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/route_localnet": "1",  # node ports on 127.0.0.1
    "net/bridge/bridge-nf-call-iptables": "1",  # services between pods of one bridge
    "net/bridge/bridge-nf-call-ip6tables": "1",
}
# Raised when lower: each kubelet and containerd takes several.
MINIMUM_SETTINGS = {"fs/inotify/max_user_instances": 1024}
# Settings that the kubelet and kube-proxy change by themselves.
CHANGED_BY_OTHERS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
    "net/netfilter/nf_conntrack_tcp_be_liberal",
)
# Directories that containerd, its network library, the kubelet, buildah and iptables make at fixed places.
FIXED_PLACES = (
    "/run/containerd",
    "/run/netns",
    "/run/xtables.lock",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
    "/opt/containerd",
    "/opt/cni",
    "/etc/cni",
    "/usr/libexec/kubernetes",
)
# The files that they leave there, beside those that are ours by their content.
LEFTOVER_FILES = {"cni.lock", "kubelet.sock", "kubelet_internal_checkpoint", "DEPRECATION", "xtables.lock"}
SYSCTL = Path("/proc/sys")


def _read(setting: str) -> str | None:
    try:
        return (SYSCTL / setting).read_text().strip()
    except OSError:
        return None


def _write(setting: str, value: str) -> None:
    if _read(setting) not in (None, value):
        (SYSCTL / setting).write_text(value)


def record_original() -> None:
    """Record the original settings, unless that has been done: after a killed run the first record is true."""
    if paths.ORIGINAL_SETTINGS.exists():
        return
    settings = (*REQUIRED_SETTINGS, *MINIMUM_SETTINGS, *CHANGED_BY_OTHERS)
    before = {
        "settings": {setting: value for setting in settings if (value := _read(setting)) is not None},
        "missing": [place for place in FIXED_PLACES if not Path(place).exists()],
    }
    write_private(paths.ORIGINAL_SETTINGS, json.dumps(before, indent=1))


def apply() -> None:
    """Apply the kernel settings that pods need."""
    for setting, value in REQUIRED_SETTINGS.items():
        _write(setting, value)
    for setting, least in MINIMUM_SETTINGS.items():
        if int(_read(setting) or least) < least:
            _write(setting, str(least))


def restore() -> None:
    """Put settings back and remove what was made at fixed places, as far as it was not there before."""
    if not paths.ORIGINAL_SETTINGS.exists():
        return
    before = json.loads(paths.ORIGINAL_SETTINGS.read_text())
    for setting, value in before["settings"].items():
        _write(setting, value)
    for place in before["missing"]:
        prune(Path(place))


def prune(place: Path) -> None:
    """Remove a file or directory that was not there before, as far as nothing but known leftovers is in it."""
    if place.is_dir() and not any(place.iterdir()):
        mounts.unmount(place)  # /run/netns is a mount of its own, made by `ip netns`
    for directory, _, files in os.walk(place, topdown=False):
        for name in LEFTOVER_FILES.intersection(files):
            (Path(directory) / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # in use by somebody else: theirs
            Path(directory).rmdir()
    if place.name in LEFTOVER_FILES:
        place.unlink(missing_ok=True)
