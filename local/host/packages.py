"""Debian packages: missing ones are installed, without starting their services."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from local.errors import LocalError
from local.host.commands import run, succeeds

# Program → the package that brings it.
PROGRAMS = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "iptables": "iptables",
    "ipset": "ipset",
    "conntrack": "conntrack",
    "socat": "socat",
    "prometheus": "prometheus",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "sysctl": "procps",
    "mount": "mount",
}
# What the tests run: the browser, what drops root for servers that refuse it, a registry for the pipeline, the edge
# and its exporter, what takes backups, what people read logs with, and what brings servers of another release.
TEST_PROGRAMS = {
    "chromium": "chromium",
    "setpriv": "util-linux",
    "docker-registry": "docker-registry",
    "varnishd": "varnish",
    "prometheus-varnish-exporter": "prometheus-varnish-exporter",
    "barman-cloud-backup": "barman-cli-cloud",
    "jq": "jq",
    "mmdebstrap": "mmdebstrap",
    "unshare": "util-linux",
}
# What the bench runs: the load, and what drops root for a PostgreSQL that refuses it.
BENCH_PROGRAMS = {"wrk": "wrk", "setpriv": "util-linux", "varnishd": "varnish"}
# What brings and builds the parts of servers in Java.
JAVA_PROGRAMS = {"mvn": "maven", "javac": "default-jdk-headless"}
# What the simulated cluster runs beside what is built here.
SCALE_PROGRAMS = {"etcd": "etcd-server"}
SERVICES = {
    "etcd-server": "etcd",
    "containerd": "containerd",
    "prometheus": "prometheus",
    "docker-registry": "docker-registry",
    "varnish": "varnish",
    "prometheus-varnish-exporter": "prometheus-varnish-exporter",
}
CNI_DIRECTORIES = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
POLICY = Path("/usr/sbin/policy-rc.d")
SYSTEM_DIRECTORIES = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")
LOCK = ("-o", "DPkg::Lock::Timeout=300")


def extend_path() -> None:
    """Put the system's directories on PATH: some log-ins leave out those in which iptables and others are."""
    known = os.environ.get("PATH", "").split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join([*known, *(entry for entry in SYSTEM_DIRECTORIES if entry not in known)])


def missing() -> list[str]:
    """Return the packages whose programs are not there."""
    wanted = {package: None for program, package in PROGRAMS.items() if shutil.which(program) is None}
    if not any((directory / "bridge").exists() for directory in CNI_DIRECTORIES):
        wanted["containernetworking-plugins"] = None
    return list(wanted)


def missing_for_tests() -> list[str]:
    """Return the packages that the tests need and that are not there."""
    return [package for program, package in TEST_PROGRAMS.items() if shutil.which(program) is None]


def missing_for_bench() -> list[str]:
    """Return the packages that the bench needs and that are not there."""
    return [package for program, package in BENCH_PROGRAMS.items() if shutil.which(program) is None]


def missing_for_scale() -> list[str]:
    """Return the packages that the simulated cluster needs and that are not there."""
    return [package for program, package in SCALE_PROGRAMS.items() if shutil.which(program) is None]


def missing_for_java() -> list[str]:
    """Return the packages that servers in Java are built with and that are not there."""
    return [package for program, package in JAVA_PROGRAMS.items() if shutil.which(program) is None]


@contextlib.contextmanager
def services_held() -> Iterator[None]:
    """Keep package scripts from starting services while the block runs; a policy that is there is left alone."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def install(wanted: list[str]) -> None:
    """Install these packages.

    Raises:
        LocalError: apt's message; or what to install, where there is no apt or no right to use it.
    """
    if os.geteuid() != 0:
        raise LocalError(f"programs are missing: `sudo apt-get install {' '.join(wanted)}` brings them")
    if shutil.which("apt-get") is None:
        raise LocalError(f"programs are missing and there is no apt-get: install what Debian calls {' '.join(wanted)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", *LOCK, "update", "-qq", env=quiet)
    with services_held():
        run("apt-get", *LOCK, "install", "-qq", "--yes", "--no-install-recommends", *wanted, env=quiet)
    if Path("/run/systemd/system").is_dir():
        # Installed just now, by us: they are not to start with the machine either.
        for package in wanted:
            if package in SERVICES:
                succeeds("systemctl", "disable", SERVICES[package])
