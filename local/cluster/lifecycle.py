"""Start of the cluster: from nothing, from the remains of a killed run, or from a cluster that lacks a part."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from local import paths
from local.cluster import (
    addons,
    containerd,
    control_plane,
    firewall,
    kubectl,
    network,
    node_agents,
    preflight,
    teardown,
)
from local.cluster.nodes import MOST_NODES, Node, nodes
from local.cluster.record import Record, load_record
from local.errors import LocalError
from local.host import packages, processes, settings
from local.host.files import write_private
from local.images import api_image, catalogue
from local.images.build_queue import BuildQueue
from local.images.catalogue import Image
from local.images.root_filesystems import PYTHON
from local.progress import Progress
from local.tools import build_costs, environment, wheels

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Plan:
    """What a run brings.

    Attributes:
        members: the nodes.
        first: add-ons that come before the stack.
        deferred: add-ons that come after it.
        images: that are loaded beside those of the add-ons.
        with_image: also build the application's image and load it.
    """

    members: list[Node]
    first: tuple[str, ...]
    deferred: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    with_image: bool = True


def up(
    phase: int,
    node_count: int | None,
    wanted: tuple[str, ...],
    progress: Progress,
    *,
    with_image: bool = True,
    images: tuple[Image, ...] = (),
    serve: Callable[[], None] | None = None,
) -> None:
    """Bring the cluster up with what a phase needs; what is there already is kept.

    Args:
        phase: decides how much memory has to be there.
        node_count: how many nodes; None keeps what there is, or makes as many as the phase asks CPU of.
        wanted: names of add-ons beside those that the cluster has.
        with_image: also build the application's image and load it.
        images: that are loaded beside those of the add-ons.
        serve: brings the stack up, as soon as the cluster has what it stands on; the rest comes after it.

    Raises:
        LocalError: what is missing or went wrong.
    """
    packages.extend_path()
    preflight.check_machine(phase)
    known = load_record()
    if known is None and teardown.is_anything_left():
        with progress.step("remove what an unfinished run left"):
            teardown.remove()
            teardown.forget_stacks()
    count = node_count or max(known.nodes if known else 1, addons.min_nodes(phase))
    if not 1 <= count <= MOST_NODES:
        raise LocalError(f"{count} nodes are not possible: from 1 to {MOST_NODES} are")
    if known and count < known.nodes:
        raise LocalError(f"the cluster has {known.nodes} nodes and can't lose one: `make down` first")
    chosen = tuple(dict.fromkeys([*(known.addons if known else ()), *wanted]))
    deferred = addons.deferred(phase) if serve else ()
    plan = Plan(nodes(count), tuple(name for name in chosen if name not in deferred), deferred, images, with_image)
    with_images = not PYTHON.layer.exists()
    if announced := build_costs.announcement(_tools(plan.first), _tools(deferred), with_images=with_images):
        progress.note(announced)
    with BuildQueue(progress) as queue:
        record = _converge(plan, known, queue)
        if serve:
            with progress.paused():
                serve()
        _install_deferred(plan, record, queue)


def _tools(names: tuple[str, ...]) -> list[str]:
    """Return the Go tools that the control plane and these add-ons are built from, in the order of their builds."""
    own = ["pause", "kubernetes", *([] if environment.installed_pulumi() else ["pulumi"])]
    parts = [addons.ADDONS[name] for name in names]
    return list(dict.fromkeys([*own, *(tool for part in parts for tool in part.all_tools)]))


def _queue_builds(plan: Plan, queue: BuildQueue) -> tuple[Future[Path], Future[api_image.BuiltImage] | None]:
    """Begin what has to be built; return kubectl and the application's image to come."""
    # The order in which the builds are wanted: the control plane, the add-on that pods need, pulumi, the rest.
    for tool in ("pause", "kubernetes", "coredns"):
        queue.tool(tool)
    if environment.installed_pulumi() is None:
        queue.tool("pulumi")
    if wanted := packages.missing():
        with queue.progress.step("Debian packages"):
            packages.install(wanted)
    clients = queue.submit(wheels.kubectl)
    application = queue.application() if plan.with_image else None
    for name in plan.first:
        part = addons.ADDONS[name]
        for image in part.images:
            queue.prepare(image)
        for tool in part.tools:
            queue.tool(tool)
    for image in plan.images:
        queue.prepare(image)
    for name in plan.deferred:
        for tool in addons.ADDONS[name].all_tools:
            queue.download(tool)
    return clients, application


def _converge(plan: Plan, known: Record | None, queue: BuildQueue) -> Record:
    """Bring what the stack stands on; return the record of it."""
    progress, members = queue.progress, plan.members
    clients, application = _queue_builds(plan, queue)
    queue.tool("kubernetes").result()
    clients.result()
    _start_nodes(members, queue.archive(catalogue.PAUSE), known, progress)
    present = known.addons if known else ()
    boot = BOOT_ID.read_text().strip()
    Record(len(members), present, boot).save()
    # The image goes to the nodes while add-ons become ready.
    loaded = queue.submit(lambda: load_application(application.result(), members)) if application else None
    for name in plan.first:
        _install(addons.ADDONS[name], members, queue)
    present = tuple(dict.fromkeys([*present, *plan.first]))
    record = Record(len(members), present, boot, tuple(name for name in plan.deferred if name not in present))
    record.save()
    _load(plan.images, members, queue)
    if loaded is not None:
        loaded.result()
    if environment.installed_pulumi() is None:
        queue.tool("pulumi").result()
    environment.link_programs()
    return record


def _install_deferred(plan: Plan, record: Record, queue: BuildQueue) -> None:
    """Bring what the stack answers without, and record that the cluster is whole."""
    left = ", ".join(record.deferred)
    if left:
        queue.progress.note(f"what is left: {left} (Ctrl-C leaves it for the next `make up`)")
        replace(record, deferred_since=time.time()).save()
    parts = [addons.ADDONS[name] for name in plan.deferred]
    for part in parts:
        for tool in part.all_tools:
            queue.tool(tool)
    try:
        for part in parts:
            _install(part, plan.members, queue)
    except (KeyboardInterrupt, LocalError):
        queue.progress.note(f"the stack is up; `make up` brings what is left: {left}")
        raise
    present = tuple(dict.fromkeys([*record.addons, *plan.deferred]))
    Record(record.nodes, present, record.boot).save()


def _start_nodes(members: list[Node], pause: Path, known: Record | None, progress: Progress) -> None:
    """Start the control plane and the nodes and return when all are ready."""
    if known and known.boot != BOOT_ID.read_text().strip():
        for member in members:  # the machine was started anew: what these describe has ended
            shutil.rmtree(member.directory / "containerd-state", ignore_errors=True)
    with progress.step("control plane"):
        settings.record_original()
        settings.apply()
        network.bridge()
        firewall.masquerade()
        control_plane.make_certificates()
        for member in members:
            network.attach(member)
            node_agents.prepare(member)
            processes.start(node_agents.containerd(member))
        control_plane.start()
        kubectl.apply(kubectl.render("access"))
    with progress.step("node ready" if len(members) == 1 else f"{len(members)} nodes ready"):
        for member in members:
            containerd.wait_until_ready(member)
            containerd.load_image(member, catalogue.PAUSE.reference, pause)
            for spec in (node_agents.kubelet(member), node_agents.kube_proxy(member)):
                processes.start(spec)
        for member in members:
            kubectl.wait_ready(member.name)
            kubectl.report_disk(member.name, shutil.disk_usage(paths.STATE).free)


def _install(part: addons.Addon, members: list[Node], queue: BuildQueue) -> None:
    archives = {image.reference: queue.archive(image) for image in part.images}
    for tool in part.tools:
        queue.tool(tool).result()
    with queue.progress.step(part.title):
        for member in members:
            for reference, archive in archives.items():
                containerd.load_image(member, reference, archive)
        part.install(members)


def _load(images: tuple[Image, ...], members: list[Node], queue: BuildQueue) -> None:
    for image in images:
        archive = queue.archive(image)
        with queue.progress.step(image.short_name):
            for member in members:
                containerd.load_image(member, image.reference, archive)


def load_image(built: api_image.BuiltImage, members: list[Node]) -> None:
    """Load an image into every node's containerd."""
    for member in members:
        containerd.load_image(member, built.reference, built.archive)


def load_application(built: api_image.BuiltImage, members: list[Node]) -> None:
    """Load the application's image, and record it as the one to run."""
    load_image(built, members)
    write_private(paths.API_IMAGE, built.reference + "\n")
