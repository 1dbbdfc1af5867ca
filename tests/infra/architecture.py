"""Flows between the parts of each phase, drawn from its network policies as docs/architecture.md."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from infra.policy.resource import Resource, of_kubernetes, pods, selects
from tests.infra import engine
from tests.infra.registered import resources_of
from tests.infra.variants import VARIANTS

PAGE: Final = engine.ROOT / "docs" / "architecture.md"

INTRODUCTION: Final = """\
# Architecture

Written by `make architecture` from the network policies of each phase, those of the chart among them: an arrow is a
flow that the caller's policy lets out. Left out: name resolution, the API server, Jobs that end, and what goes to
addresses outside (mail, the bucket, receivers of alerts). A stack's namespace denies all else.
"""

TITLES: Final = {
    1: "one instance, SQLite",
    2: "three instances, PostgreSQL, a cache and a broker",
    3: "autoscaled, replicas, a Redis Cluster, a CDN",
    4: "services, events over RabbitMQ, a mesh",
}
_JOBS: Final = ("migrations", "secrets", "purge", "certificate", "configuration", "shape", "spread", "move")
_NAMESPACE: Final = "kubernetes.io/metadata.name"
_GATEWAYS: Final = ("traefik", "kong")
_OPERATED: Final = ("task-manager/part", "gateway.networking.k8s.io/gateway-name", "app")
"""Labels of pods that an operator makes."""
_POLICIES: Final = {"task-manager-database": "PostgreSQL", "task-manager-istio": "gateway"}
"""Who is meant by a policy whose selector says so by a label of an operator."""


def page() -> str:
    """Return the text of docs/architecture.md."""
    drawn = (f"## Phase {phase}: {title}\n\n```mermaid\n{diagram(phase)}```\n" for phase, title in TITLES.items())
    return "\n".join([INTRODUCTION, *drawn])


def diagram(phase: int) -> str:
    """Return a phase's flows in Mermaid's language."""
    found = sorted({edge for edge in edges(phase) if edge[0] != edge[1]})
    lines = [f"    {_id(source)}[{source}] --> {_id(target)}[{target}]" for source, target in found]
    return "flowchart LR\n    people([people]) --> gateway[gateway]\n".replace(
        "gateway[gateway]", "gateway[gateway]" if phase > 1 else "API[API]"
    ) + "".join(f"{line}\n" for line in lines)


def edges(phase: int) -> Iterator[tuple[str, str]]:
    """Give who calls whom; whoever is not there in the phase is called by nobody."""
    stack = engine.run(VARIANTS[f"phase{phase}"].config, f"phase{phase}")
    found = list(resources_of(stack))
    labels = [pod.labels for pod in pods(found)]
    for policy in of_kubernetes(found, "NetworkPolicy"):
        chosen = policy.spec.get("podSelector") or {}
        source = _POLICIES.get(policy.name) or _part(chosen.get("matchLabels") or {})
        if not source or any(word in source for word in _JOBS):
            continue
        for target in _peers(policy, "egress", "to"):
            for name in _called(target.get("podSelector") or {}, labels):
                yield source, name
        for caller in _peers(policy, "ingress", "from"):
            namespace = ((caller.get("namespaceSelector") or {}).get("matchLabels") or {}).get(_NAMESPACE)
            if namespace in _GATEWAYS:
                yield "gateway", source


def _peers(policy: Resource, direction: str, end: str) -> Iterator[Mapping[str, Any]]:
    for rule in policy.spec.get(direction) or ():
        yield from rule.get(end) or ()


def _called(selector: Mapping[str, Any], labels: Sequence[Mapping[str, str]]) -> set[str]:
    """The parts that a selector chooses: of the program's pods, or of an operator's."""
    wanted = selector.get("matchLabels") or {}
    if not wanted:
        return set()
    if any(label in wanted for label in _OPERATED):
        return {_part(wanted)}
    return {_part(each) for each in labels if selects(selector, each)} - set(_JOBS)


def _part(labels: Mapping[str, str]) -> str:
    """Return the name of the part that labels choose; empty where it is none of the stack."""
    if instance := labels.get("app.kubernetes.io/instance"):
        jobs = labels.get("app.kubernetes.io/component")
        return jobs if jobs in _JOBS else instance.removeprefix("task-manager").strip("-") or "API"
    if component := labels.get("app.kubernetes.io/component"):
        return component
    if labels.get("task-manager/part") == "database":
        return "PostgreSQL"
    return "gateway" if "gateway.networking.k8s.io/gateway-name" in labels else labels.get("app", "")


def _id(name: str) -> str:
    return name.replace("-", "_").replace(" ", "_")


def main(page_file: Path = PAGE) -> None:
    """Write the page."""
    page_file.write_text(page())
    sys.stdout.write(f"{page_file.relative_to(engine.ROOT)}\n")


if __name__ == "__main__":
    main()
