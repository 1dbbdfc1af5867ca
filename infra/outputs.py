"""Outputs of a stack."""

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from infra import names, stack_outputs
from infra.components.data.valkey import client
from infra.components.edge.varnish import statistics
from infra.config.image import Image
from infra.config.phase_spec import Cdn, DatabaseKind, Edge
from infra.config.settings import Settings
from infra.config.types import GatewayKind, LogDestination


def recorded() -> Mapping[str, Any]:
    """Read the outputs of the stack's last update that succeeded; none before the first one.

    Raises:
        pulumi.RunError: the state cannot be read.
    """
    stack = pulumi.get_stack()
    # The file layout of Pulumi 3.60 and older has no projects, and takes the plain name alone.
    names_of_stack = (f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}", stack)
    problems = []
    for each in names_of_stack:
        try:
            return stack_outputs.read(each)
        except ValueError as error:
            problems.append(str(error))
    raise pulumi.RunError(problems[0])


def outputs(settings: Settings, image: Image, namespace: str, done: pulumi.Output[Any]) -> dict[str, Any]:
    """Addresses, log-in, commands that reach each part, and what a destroy leaves.

    Args:
        settings: the stack's.
        image: of the API.
        namespace: the stack's.
        done: known once every release is up. An output that is never known keeps the engine from recording any, so
            those of the update before stay after one that failed: its image is not that which went back by itself.
    """
    url, url_tls = settings.addresses()
    exported: dict[str, Any] = {
        "url": url,
        "login": f"register and log in at {url}; or POST to {url}/api/v1/auth/register, then to /api/v1/auth/login",
        "phase": settings.phase,
        "image": done.apply(lambda _: str(image)),
        "namespace": namespace,
        "reach": _reach(settings, namespace),
        "protected": _protected(settings, namespace),
    }
    if settings.growth:
        step = settings.growth.value
        exported["growth"] = done.apply(lambda _: step)
        if next_step := settings.growth.next_step(names.PROJECT):
            exported["next_step"] = next_step
    if url_tls:
        exported["url_tls"] = url_tls
    if settings.edge is Edge.GATEWAY:
        istio = settings.gateway_kind is GatewayKind.ISTIO
        exported["gateway_kind"] = settings.gateway_kind.value
        exported["gateway_namespace"] = namespace if istio else settings.installed_gateway.namespace
    if settings.database_kind is DatabaseKind.POSTGRESQL:
        exported["database"] = ", ".join(cluster.cluster for cluster in settings.clusters)
    return exported


def _reach(settings: Settings, namespace: str) -> dict[str, str]:
    kubectl = f"kubectl --namespace {namespace}"
    ways = dict(_reach_services(settings, kubectl))
    ways["pods"] = f"{kubectl} get pods --output wide"
    if settings.row.cache:
        ways["cache"] = f"{kubectl} exec {names.CACHE}-0 -- sh -c '{client('info')}'"
    if settings.row.broker:
        ways["broker"] = f"{kubectl} exec {names.BROKER}-0 -- sh -c '{client('info')}'"
    if settings.own_monitoring:
        ways["metrics"] = f"{kubectl} port-forward service/{names.PROMETHEUS} {names.PROMETHEUS_PORT}"
        ways["alerts"] = f"{kubectl} port-forward service/{names.ALERTMANAGER} {names.ALERTMANAGER_PORT}"
        if settings.monitoring.grafana:
            ways["dashboards"] = f"{kubectl} port-forward service/{names.GRAFANA} {names.GRAFANA_PORT}"
    if settings.logs.destination is LogDestination.OPERATOR:
        there = f"kubectl --namespace {names.logs_namespace(namespace)}"
        ways["kibana"] = f"{there} port-forward service/{names.KIBANA_SERVICE} {names.KIBANA_PORT}"
    if settings.cdn_kind is Cdn.EDGE:
        ways["edge"] = f"{kubectl} exec deployment/{names.EDGE} --container varnish -- {statistics()}"
    if settings.edge is Edge.GATEWAY:
        ways["gateway"] = f"{kubectl} get gateways,httproutes --output wide"
    return ways


def _reach_services(settings: Settings, kubectl: str) -> Iterator[tuple[str, str]]:
    for own in map(names.ServiceNames, settings.row.services):
        yield f"api{own.suffix}", f"{kubectl} port-forward service/{own.release} {names.API_PORT}"
        selector = f"app.kubernetes.io/instance={own.release}"
        yield f"logs{own.suffix}", f"{kubectl} logs --selector {selector} --container api --follow"
        if settings.database_kind is DatabaseKind.SQLITE:
            yield "database", f"{kubectl} exec deployment/{own.release} -- ls -l {names.DATA_MOUNT}"
            continue
        primary = settings.cluster_of(own.service).primary
        there = f"{kubectl} exec --stdin --tty service/{primary} --container postgres"
        yield f"database{own.suffix}", f"{there} -- psql {own.database}"


def _protected(settings: Settings, namespace: str) -> list[str]:
    """What `pulumi destroy --exclude-protected` leaves, and why a plain destroy is refused."""
    if not settings.protect_data:
        return []
    if settings.database_kind is DatabaseKind.SQLITE:
        data = [f"volume {names.DATA_CLAIM}"]
    else:
        clusters = (*settings.clusters, *settings.hibernated)
        data = [f"database cluster {generation.cluster} with its volumes" for generation in clusters]
    if settings.logs.destination is LogDestination.OPERATOR:
        data += [f"namespace {names.logs_namespace(namespace)}", f"Elasticsearch {names.LOGS} with its volumes"]
    return [f"namespace {namespace}", *data]
