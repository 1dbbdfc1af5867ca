"""An isolated machine: namespaces with their own network, mounts and /run, for a cluster of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.system import ROOT

LOCAL = (str(ROOT / ".venv/infra/bin/python"), "-m", "local")
# Copies of the mounts of another cluster and of builds would keep them busy. What is written to /var is forgotten.
SETUP = """
set -e
sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* \\([^ ]*\\) .*/\\1/' /proc/self/mountinfo | grep /primetrade/ | tac |
  while read -r point; do umount -l "$point"; done
mount -t tmpfs none /run
mkdir -p /run/lock "$1"
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay none -o "lowerdir=/var,upperdir=$1/upper,workdir=$1/work" /var
rm -rf /var/lib/kubelet /var/lib/cni /var/log/pods /var/log/containers
ip link set lo up
ip link add outside type bridge
ip link set outside up
ip address add 192.0.2.77/24 dev outside
ip route add default dev outside
echo ready
exec sleep infinity
"""
SNAPSHOT = """
for family in iptables ip6tables; do $family-save | grep -E '^(-A|:(KUBE|CNI))' || true; done
ipset list -n
ip -brief link; ip route; ls /run/netns 2>/dev/null || true
sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* \\([^ ]*\\) .*/\\1/' /proc/self/mountinfo | sort
find /run /var/lib/cni /var/lib/kubelet /var/lib/containerd /var/log/pods /var/log/containers 2>/dev/null | sort
find /sys/fs/cgroup -maxdepth 2 -name "$(basename "$CGROUP")" | sort
sysctl net.ipv4.ip_forward net.ipv4.conf.all.route_localnet vm.overcommit_memory kernel.panic kernel.panic_on_oops \
  fs.inotify.max_user_instances
find "$XDG_STATE_HOME" | sort
"""


@dataclass(frozen=True)
class Machine:
    """A machine that is up; `state` is where its cluster is kept."""

    holder: int
    state: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
        return {**kept, "XDG_STATE_HOME": str(self.state)}

    def start(self, *command: str, **more: str) -> subprocess.Popen[str]:
        """Start a command in the machine, with further environment variables."""
        inside = ("nsenter", f"--target={self.holder}", "--net", "--mount", f"--wd={ROOT}", "--", *command)
        environment = {**self.environment, **more}
        return subprocess.Popen(
            inside, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        )

    def run(self, *command: str, **more: str) -> tuple[int, str]:
        """Run a command in the machine; return its status and what it said."""
        process = self.start(*command, **more)
        said, _ = process.communicate(timeout=400)
        return process.returncode, said

    def local(self, *arguments: str) -> str:
        """Run `python -m local` and return what it said; it has to end well."""
        status, said = self.run(*LOCAL, *arguments)
        assert status == 0, said
        return said

    def kubectl(self, *arguments: str) -> str:
        said = self.local("bin", "kubectl").strip()
        status, answer = self.run(said, f"--kubeconfig={self.state / 'primetrade/cluster/kubeconfig'}", *arguments)
        assert status == 0, answer
        return answer

    def status(self) -> dict[str, Any]:
        _, said = self.run(*LOCAL, "status", "--json")
        found: dict[str, Any] = json.loads(said)
        return found

    def processes(self) -> list[int]:
        """Return the ids of all processes that were started for this machine's cluster, containers' shims included."""
        mark = f"PRIMETRADE_PROCESS={self.state}/primetrade/cluster|".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def kill_everything(self) -> None:
        """End the cluster's processes as a power cut would."""
        while pids := self.processes():
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def snapshot(self) -> list[str]:
        """Return all that a cluster might leave behind, a line each."""
        code = "from local.paths import CLUSTER_NAME; print(CLUSTER_NAME)"
        _, name = self.run(str(ROOT / ".venv/infra/bin/python"), "-c", code)
        status, said = self.run("sh", "-ec", SNAPSHOT, CGROUP=name.strip())
        assert status == 0, said
        return [*said.splitlines(), *(f"process {pid}" for pid in self.processes())]


@contextmanager
def machine() -> Iterator[Machine]:
    """Run a machine; its cluster is taken down with it."""
    with tempfile.TemporaryDirectory(prefix="machine-") as directory:
        state = Path(directory) / "state"
        state.mkdir()
        command = ["unshare", "--net", "--mount", "--propagation=private", "sh", "-c", SETUP, "sh", f"{directory}/var"]
        holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert holder.stdout is not None
            first = holder.stdout.readline().strip()
            assert first == "ready", first + holder.stdout.read()
            inside = Machine(holder.pid, state)
            try:
                yield inside
            finally:
                inside.run(*LOCAL, "down")
        finally:
            holder.kill()
            holder.wait()
