"""Packages of the charts, at the versions of infra/platform, and the index of their repository."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from infra.platform.addons.versions import CHARTS, Chart
from local.cluster import addons, backups
from local.host.commands import run
from local.images import catalogue
from local.tools import go_tools, wheels

OURS = Path(__file__).parent
CERT_MANAGER = ("github.com/cert-manager/cert-manager", f"v{catalogue.CERT_MANAGER_VERSION}")
METRICS_SERVER = ("sigs.k8s.io/metrics-server", f"v{catalogue.METRICS_SERVER_VERSION}")
KEEP = {"helm.sh/resource-policy": "keep"}

# Text of a manifest that becomes a template's.
_RESOURCES, _KEEP = "<resources>", "<keep>"
_TEMPLATES = {
    json.dumps(_RESOURCES): "{{ toJson .Values.resources }}",
    _KEEP: '{{ .Values.global.resourcePolicy.keep | ternary "keep" "" }}',
}

Object = dict[str, Any]


def documents(text: str) -> list[Object]:
    """Read the objects of a manifest."""
    return [found for found in yaml.safe_load_all(text) if found]


def write(folder: Path, objects: Iterable[Object], values: Object) -> None:
    """Write objects as templates of a chart, with the chart's own values."""
    templates = folder / "templates"
    templates.mkdir(parents=True, exist_ok=True)
    text = "\n---\n".join(json.dumps(each) for each in objects).replace("{{", '{{ "{{" }}')
    for marker, template in _TEMPLATES.items():
        text = text.replace(marker, template)
    (templates / "objects.yaml").write_text(text)
    (folder / "values.yaml").write_text(yaml.safe_dump(values))


def _gateway_api(folder: Path) -> None:
    definitions, _ = addons.gateway_definitions()
    objects = [each for file in sorted(definitions.glob("*.yaml")) for each in documents(file.read_text())]
    crds = [each for each in objects if each["kind"] == "CustomResourceDefinition"]
    for each in crds:
        each["metadata"].setdefault("annotations", {})["helm.sh/resource-policy"] = _KEEP
    values = {
        "standard": {"enabled": True},
        "experimental": {"enabled": False},
        "global": {"resourcePolicy": {"keep": False}},
    }
    write(folder, crds, values)


def _with_resources(objects: list[Object]) -> list[Object]:
    """Leave the namespace to the program, keep definitions, and take resources from the values."""
    for each in objects:
        if each["kind"] == "CustomResourceDefinition":
            each["metadata"].setdefault("annotations", {}).update(KEEP)
        if each["kind"] == "Deployment":
            [container] = each["spec"]["template"]["spec"]["containers"]
            container |= {"resources": _RESOURCES, "imagePullPolicy": "IfNotPresent"}
    return [each for each in objects if each["kind"] != "Namespace"]


def _cloudnative_pg(folder: Path) -> None:
    values = {"crds": {"create": True}, "monitoring": {"podMonitorEnabled": False}, "resources": {}}
    write(folder, _with_resources(documents(addons.operator_manifest())), values)


def _barman_cloud(folder: Path) -> None:
    objects = list(backups.plugin_objects(backups.plugin_manifest(), with_certificates=True))
    write(folder, _with_resources(objects), {"crds": {"create": True}, "resources": {}})


def _traefik(folder: Path) -> None:
    shutil.copytree(OURS / "traefik", folder, dirs_exist_ok=True)
    _, definitions = addons.gateway_definitions()
    (folder / "crds").mkdir()
    shutil.copy(definitions, folder / "crds" / "traefik.yaml")


def _cert_manager(folder: Path) -> None:
    crds = (go_tools.module_source(*CERT_MANAGER) / "deploy" / "crds").glob("*.yaml")
    objects = [each for file in sorted(crds) for each in documents(file.read_text())]
    for each in objects:
        each["metadata"].setdefault("annotations", {}).update(KEEP)
    write(folder, objects, {})
    shutil.copytree(OURS / "cert-manager", folder, dirs_exist_ok=True)


def _metrics_server(folder: Path) -> None:
    # The upstream chart itself.
    shutil.copytree(go_tools.module_source(*METRICS_SERVER) / "charts" / "metrics-server", folder, dirs_exist_ok=True)


def _prometheus_adapter(folder: Path) -> None:
    shutil.copytree(OURS / "prometheus-adapter", folder, dirs_exist_ok=True)


BUILDERS: dict[str, Callable[[Path], None]] = {
    "gateway_api": _gateway_api,
    "traefik": _traefik,
    "cert_manager": _cert_manager,
    "cloudnative_pg": _cloudnative_pg,
    "barman_cloud": _barman_cloud,
    "metrics_server": _metrics_server,
    "prometheus_adapter": _prometheus_adapter,
}


def build(key: str, target: Path) -> Path:
    """Write an add-on's chart into a folder of its name; return it."""
    chart: Chart = CHARTS[key]
    folder = target / chart.name
    folder.mkdir(parents=True)
    BUILDERS[key](folder)
    described = {"apiVersion": "v2", "name": chart.name, "version": chart.version, "appVersion": chart.app_version}
    (folder / "Chart.yaml").unlink(missing_ok=True)
    (folder / "Chart.yaml").write_text(yaml.safe_dump(described))
    return folder


def make_repository(directory: Path) -> None:
    """Package every chart into a directory, and write its index."""
    sources, packages = directory / "sources", directory / "repository"
    for key in BUILDERS:
        run(wheels.helm(), "package", build(key, sources), "--destination", packages)
    run(wheels.helm(), "repo", "index", packages)
