"""Helm's command line for a release."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.plugins.kubernetes_provider.release.inputs import ReleaseInputs

# Switches of `helm upgrade`, by the input that turns them on.
_SWITCHES = {
    "cleanupOnFail": "--cleanup-on-fail",
    "createNamespace": "--create-namespace",
    "dependencyUpdate": "--dependency-update",
    "devel": "--devel",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "disableWebhooks": "--no-hooks",
    "renderSubchartNotes": "--render-subchart-notes",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
    "skipCrds": "--skip-crds",
    "takeOwnership": "--take-ownership",
    "verify": "--verify",
    "waitForJobs": "--wait-for-jobs",
}
_TEXTS = {
    "description": "--description",
    "keyring": "--keyring",
    "postrender": "--post-renderer",
    "version": "--version",
}
_REPOSITORY = {
    "repo": "--repo",
    "username": "--username",
    "caFile": "--ca-file",
    "certFile": "--cert-file",
    "keyFile": "--key-file",
}
# Renamed in helm 4.
_ATOMIC = {3: "--atomic", 4: "--rollback-on-failure"}
_FORCE = {3: "--force", 4: "--force-replace"}


def upgrade(wanted: ReleaseInputs, folder: Path, *, major: int) -> list[str]:
    """Give the arguments that install or upgrade a release, its values expected on standard input.

    Args:
        wanted: the release.
        folder: a private folder, for values that come as text.
        major: helm's major version.
    """
    arguments = ["upgrade", "--install", wanted.name, wanted.chart, "--namespace", wanted.namespace]
    arguments += [*values_files(wanted, folder), "--timeout", f"{wanted.timeout}s"]
    arguments += [switch for key, switch in _SWITCHES.items() if wanted.options.get(key)]
    arguments += [
        part for key, switch in _TEXTS.items() if wanted.options.get(key) for part in (switch, str(wanted.options[key]))
    ]
    arguments += repository(wanted.repository)
    if wanted.options.get("maxHistory") is not None:
        arguments += ["--history-max", str(wanted.options["maxHistory"])]
    if wanted.atomic:
        arguments.append(_ATOMIC[min(major, 4)])
    if not wanted.skip_await:
        arguments.append("--wait")
    if wanted.options.get("forceUpdate"):
        arguments.append(_FORCE[min(major, 4)])
    elif major > 3:
        # Helm 3, which the official provider is built with, overwrites a field that somebody has edited by hand.
        arguments.append("--force-conflicts")
    return arguments


def values_files(wanted: ReleaseInputs, folder: Path) -> list[str]:
    """Give the options that name the values: files of the program first, its own values over them."""
    paths = [_asset_path(asset, folder, number) for number, asset in enumerate(wanted.value_files)]
    return [part for path in (*paths, "-") for part in ("--values", path)]


def _asset_path(asset: Any, folder: Path, number: int) -> str:
    """Give the path of a Pulumi asset: a file's own, or that of a private file with the asset's text."""
    if isinstance(asset, Mapping) and asset.get("path"):
        return str(asset["path"])
    path = folder / f"values-{number}.yaml"
    path.touch(mode=0o600)
    path.write_text(str(asset.get("text", "")) if isinstance(asset, Mapping) else str(asset), encoding="utf-8")
    return str(path)


def repository(options: Mapping[str, str]) -> Iterator[str]:
    """Give the options for a chart repository; helm has no other way for its password than an argument."""
    for key, switch in _REPOSITORY.items():
        if options.get(key):
            yield from (switch, options[key])
    if options.get("password"):
        yield from ("--password", options["password"])


def template(wanted: ReleaseInputs, folder: Path, capabilities: Mapping[str, Any]) -> list[str]:
    """Give the arguments that render a release without touching the cluster.

    Args:
        wanted: the release.
        folder: a private folder.
        capabilities: `version`, the API server's; `apis`, the group versions that it serves.
    """
    arguments = ["template", wanted.name, wanted.chart, "--namespace", wanted.namespace, *values_files(wanted, folder)]
    arguments += ["--kube-version", capabilities["version"]]
    arguments += [part for api in capabilities["apis"] for part in ("--api-versions", api)]
    if wanted.options.get("version"):
        arguments += ["--version", str(wanted.options["version"])]
    return [*arguments, *repository(wanted.repository)]
