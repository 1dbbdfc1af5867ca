"""The whole system on one screen: read the phase, compose the components."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

# The engine runs this folder as a program; everything in it is the package `infra`. The folder itself is on the path
# too, so `platform` in it has no `__init__.py`: as a namespace package it comes after the standard library's module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pulumi

from infra import names, outputs, stack_outputs
from infra.cluster import connect
from infra.components import network
from infra.components.base import Target
from infra.components.data.broker import Broker
from infra.components.data.cache import Cache
from infra.components.data.cache_resharding import CacheResharding, CacheSpreading
from infra.components.data.databases import database, retired_clusters
from infra.components.data.messaging import messaging
from infra.components.data.service_move import removal
from infra.components.edge.cdn import cdn
from infra.components.edge.gateway import gateway
from infra.components.edge.purge import Purge, purge_command
from infra.components.image_job import ImageJob
from infra.components.namespace import Namespace
from infra.components.observability.logs import logs
from infra.components.observability.monitoring import monitoring
from infra.components.workload.chart import ROOT, chart_values
from infra.components.workload.mesh import mesh, namespace_labels
from infra.components.workload.release import Workload
from infra.components.workload.releases import releases
from infra.components.workload.secret_reload import SecretReload
from infra.components.workload.stack_secrets import stack_secrets
from infra.config.growth import Growth
from infra.config.image import Image, choose_image
from infra.config.settings import Settings, load_settings
from infra.prerequisites.check import check_prerequisites


def _values(settings: Settings, service: str, *, image: Image, confidential: bool) -> pulumi.Input[dict[str, Any]]:
    """Return a release's values, encrypted in the state where the settings are in the stack's file."""
    values = chart_values(settings, image, service)
    return pulumi.Output.secret(values) if confidential else values


def main() -> None:
    """Register every resource of the stack."""
    config = pulumi.runtime.config
    secret = frozenset(filter(config.is_config_secret, config.CONFIG.get()))
    recorded = outputs.recorded()
    settings = load_settings(config.CONFIG.get(), secret, stack_outputs.platform_settings, recorded)
    check_prerequisites(settings)
    row = settings.row
    image = choose_image(settings.image, recorded.get("image"), ROOT)
    stack = pulumi.get_stack()
    cluster = connect(settings.context or None)
    target = Target(
        provider=cluster.provider,
        adopting=cluster.adopting,
        namespace=f"{names.PROJECT}-{stack}",
        stack=stack,
        storage_class=settings.storage_class or None,
        api_server=network.api_server(settings.network.api_server, settings.network.api_server_ports),
        dns=network.dns(settings.network.node_local_dns),
        protect=settings.protect_data,
        pull_secret=settings.images.pull_secret or None,
    )

    namespace = Namespace("namespace", target, labels=namespace_labels(settings))
    after, renewals = stack_secrets(settings, target, image=image, namespace=namespace)
    parts: list[pulumi.Resource] = [*after, *renewals]

    parts += database(settings, target, namespace, after)
    services, scraped = tuple(row.services) if row.split else (), row.monitoring is not None
    if row.cache:
        parts.append(Cache("cache", target, row=row.cache, services=services, scraped=scraped, after=after))
    if broker := settings.broker_row:
        parts.append(Broker("broker", target, row=broker, scraped=scraped, after=after))
    if row.rabbitmq:
        users, scraper = settings.releases, network.scraper(settings)
        parts += messaging(target, row=row.rabbitmq, services=users, scraper=scraper, image=image, after=after)
    parts += monitoring(settings, target, after)
    logs(settings, target, image)
    parts += gateway(settings, target, after)
    parts += mesh(settings, target, after)
    parts += cdn(settings, target, after)
    confidential = any(key.startswith(f"{names.PROJECT}:") for key in secret)
    values = partial(_values, image=image, confidential=confidential)
    served = releases(settings, target, image=image, values=values, after=parts)
    retired_clusters(settings, target, after=[*parts, *served])
    grown: list[Workload | ImageJob] = [*served]
    if settings.growth is Growth.REMOVE:
        grown += removal(settings, target, image, after=served)
    if row.cache and row.cache.servers > 1:
        shape = CacheResharding("cache-shape", target, row=row.cache, image=image, after=[*after, *served])
        CacheSpreading("cache-spread", target, row=row.cache, image=image, after=[*after, shape])
    if settings.secrets.source.external:
        SecretReload("secret-reload", target, settings=settings, image=image, after=[*after, *served])
    if command := purge_command(settings):
        Purge("purge", target, command=command, image=image, after=[*after, *served])

    done = pulumi.Output.all(*(each.ready for each in grown))
    for name, value in outputs.outputs(settings, image, target.namespace, done).items():
        pulumi.export(name, value)
    pulumi.export("cluster", cluster.uid)


main()
