"""Configuration files of kind, as far as they matter before a cluster is made from one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from local import paths
from local.errors import LocalError

DEFAULT = paths.ROOT / "local" / "kind" / "cluster.yaml"


@dataclass(frozen=True)
class KindConfig:
    """A configuration file, the ports of this machine that it maps, and whether it leaves the pod network out."""

    file: Path
    ports: tuple[int, ...]
    has_no_network: bool


def load(file: Path) -> KindConfig:
    """Read a configuration file.

    Raises:
        LocalError: it is missing, or no configuration of kind.
    """
    try:
        content = yaml.safe_load(file.read_text())
        _ = content["kind"], content["apiVersion"]
        nodes = content.get("nodes", [])
        ports = [mapping["hostPort"] for node in nodes for mapping in node.get("extraPortMappings", [])]
        return KindConfig(file.resolve(), tuple(ports), content.get("networking", {}).get("disableDefaultCNI", False))
    except OSError as error:
        raise LocalError(f"KIND_CONFIG={file} can't be read: {error.strerror}") from error
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise LocalError(f"KIND_CONFIG={file} is no configuration of kind: see {DEFAULT}") from error
