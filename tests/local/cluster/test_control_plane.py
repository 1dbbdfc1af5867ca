"""The ports of control planes."""

from __future__ import annotations

import re

import pytest

from local.cluster import control_plane


@pytest.mark.usefixtures("cluster")
def test_a_control_plane_with_ports_of_its_own_takes_none_of_the_local_clusters() -> None:
    parts = (control_plane.etcd, control_plane.api_server, control_plane.controller_manager, control_plane.scheduler)
    other = control_plane.ControlPlane(api=61001, etcd=61002, peers=61003, controllers=61004, scheduler=61005)

    def ports(plane: control_plane.ControlPlane) -> set[int]:
        words = " ".join(word for part in parts for word in part(plane).command)
        return {int(found) for found in re.findall(r"(?:127\.0\.0\.1:|--secure-port=)(\d+)", words)}

    assert ports(other) == {61001, 61002, 61003, 61004, 61005}
    assert ports(control_plane.LOCAL) == {6443, 2379, 2380, 10257, 10259}
