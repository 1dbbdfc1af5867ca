"""The add-ons of phases, and their manifests."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from local import paths
from local.cluster import addons
from local.errors import LocalError


def test_a_phase_gets_as_many_nodes_as_its_pods_need_and_phase_3_one_to_lose() -> None:
    assert [addons.min_nodes(phase) for phase in (1, 2, 3)] == [1, 1, 3]


def test_each_stack_has_a_way_in_of_its_own() -> None:
    files = {path.name: yaml.safe_load(path.read_text())["config"] for path in paths.ROOT.glob("Pulumi.phase*.yaml")}
    gateways = [config.get("task-manager:gateway", {}) for config in files.values()]
    urls = [config.get("task-manager:url") for config in files.values()]
    ways = [(url, gateway.get("port")) for url, gateway in zip(urls, gateways, strict=True)]
    assert len(set(ways)) == len(ways)
    manifest = (paths.MANIFESTS / "gateway.yaml").read_text()
    for gateway in gateways:
        for key in ("port", "port_tls"):
            port = gateway.get(key)
            assert port is None or f"address=:{port}" in manifest


@pytest.mark.parametrize("manifest", sorted(paths.MANIFESTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_manifests_name_only_images_that_the_nodes_are_given(manifest: Path) -> None:
    known = {image.reference for addon in addons.ADDONS.values() for image in addon.images}
    text = manifest.read_text()
    named = {line.split("image:")[1].strip() for line in text.splitlines() if line.strip().startswith("image:")}
    assert named <= known
    assert all(entry["kind"] for entry in yaml.safe_load_all(re.sub(r"\$\{\w+\}", "1", text)))


def test_addons_of_a_later_phase_hold_those_of_the_earlier() -> None:
    phases = [set(addons.of_phase(phase)) for phase in (1, 2, 3, 4)]
    assert all(earlier < later for earlier, later in pairwise(phases))
    assert addons.named("gateway") == (*addons.ALWAYS, "gateway")
    with pytest.raises(LocalError, match="phase 7 is unknown"):
        addons.of_phase(7)
    with pytest.raises(LocalError, match="add-on mesh is unknown"):
        addons.named("mesh")


def test_a_bare_cluster_has_what_a_provider_brings_and_the_images_of_the_rest() -> None:
    installed, images = addons.bare(addons.of_phase(3))
    assert set(installed) == {"storage", "dns", "bucket"}
    references = {image.reference for image in images}
    left_out = [name for name in addons.of_phase(3) if name not in installed]
    assert {image.reference for name in left_out for image in addons.ADDONS[name].images} <= references
    assert {image.reference for image in addons.PLATFORM_IMAGES} <= references


def test_the_mesh_is_of_phase_4_alone() -> None:
    assert [phase for phase in (1, 2, 3, 4) if "istio" in addons.of_phase(phase)] == [4]
