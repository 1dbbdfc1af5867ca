"""Packet filter rules: masquerading of pods, and removal of the rules of kube-proxy, kubelet and CNI plugins."""

from __future__ import annotations

import re
import shutil

from local.cluster.nodes import POD_RANGE
from local.host.commands import run, succeeds

OURS = re.compile(r"^(KUBE-|CNI-)")
OWN_RULE = ("POSTROUTING", "-s", POD_RANGE, "!", "-d", POD_RANGE, "-m", "addrtype", "!", "--dst-type", "LOCAL")
COMMENT = "primetrade"


def masquerade() -> None:
    """Give what pods send out of the cluster this machine's address."""
    rule = (*OWN_RULE, "-m", "comment", "--comment", COMMENT, "-j", "MASQUERADE")
    if not succeeds("iptables", "-w", "-t", "nat", "-C", *rule):
        run("iptables", "-w", "-t", "nat", "-A", *rule)


def removal_script(saved: str) -> str:
    """Return the `iptables-restore` input that removes the cluster's part of what `iptables-save` printed."""
    script: list[str] = []
    table: list[str] = []
    chains: list[str] = []
    for line in saved.splitlines():
        words = line.split()
        if line.startswith("*"):
            table, chains = [line], []
        elif line.startswith(":") and OURS.match(words[0][1:]):
            chains.append(words[0][1:])
        elif line.startswith("-A") and not OURS.match(words[1]):
            jumps = "-j" in words and OURS.match(words[words.index("-j") + 1])
            if jumps or re.search(rf"--comment \"?{COMMENT}\"?( |$)", line):
                table.append("-D" + line[2:])
        elif line == "COMMIT" and (chains or len(table) > 1):
            script += table
            script += [f"-F {chain}" for chain in chains]
            script += [f"-X {chain}" for chain in chains]
            script.append("COMMIT")
    return "\n".join(script) + "\n" if script else ""


def clean() -> None:
    """Remove every rule, chain and set of the cluster from this machine's own network namespace."""
    for family in ("iptables", "ip6tables"):
        if shutil.which(f"{family}-save") is None:
            continue
        script = removal_script(run(f"{family}-save"))
        if script:
            run(f"{family}-restore", "--noflush", "-w", stdin=script)
    if shutil.which("ipset"):
        for name in run("ipset", "list", "-n").split():
            if OURS.match(name):
                run("ipset", "destroy", name)
