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
from infra.components.certificate_renewal import CertificateRenewal
from infra.components.data.broker import Broker
from infra.components.data.cache import Cache
from infra.components.data.cache_resharding import CacheResharding, CacheSpreading
from infra.components.data.databases import database, retired_clusters
from infra.components.edge.cdn import cdn
from infra.components.edge.gateway import Acme, Gateway
from infra.components.edge.purge import Purge, purge_command
from infra.components.namespace import Namespace
from infra.components.observability.logs import logs
from infra.components.observability.monitoring import monitoring
from infra.components.secrets import GeneratedSecret, Secrets, certificate, random_keys
from infra.components.workload.chart import ROOT, chart_values
from infra.components.workload.release import Workload
from infra.config.image import choose_image
from infra.config.phase_spec import Cdn, Edge
from infra.config.settings import Settings, load_settings
from infra.config.types import LoadBalancing, SecretSource, Tls
from infra.prerequisites.check import check_prerequisites


def _generated_secrets(settings: Settings) -> list[GeneratedSecret]:
    """Return the Secrets that the cluster generates."""
    row = settings.row
    generated = []
    if settings.secrets.source is SecretSource.GENERATE:
        generated.append(random_keys(names.KEYS_SECRET, names.KEYS_SECRET_KEY))
        for there, secret in ((row.cache, names.CACHE), (row.jobs, names.BROKER)):
            if there:
                generated.append(random_keys(secret, names.VALKEY_PASSWORD, names.VALKEY_OPERATOR_PASSWORD))
        if settings.own_monitoring and settings.monitoring.grafana:
            generated.append(random_keys(names.GRAFANA, names.GRAFANA_PASSWORD, names.GRAFANA_KEY))
    return generated


def _self_signed(settings: Settings) -> list[GeneratedSecret]:
    """Return the self-signed certificate that the cluster generates, if there is one."""
    if settings.edge is Edge.GATEWAY and settings.gateway.certificate is Tls.SELF_SIGNED:
        return [certificate(names.TLS_SECRET, settings.certificate_hosts())]
    return []


def main() -> None:
    """Register every resource of the stack."""
    config = pulumi.runtime.config
    secret = frozenset(filter(config.is_config_secret, config.CONFIG.get()))
    settings = load_settings(config.CONFIG.get(), secret, stack_outputs.platform_settings)
    check_prerequisites(settings)
    row = settings.row
    image = choose_image(settings.image, partial(outputs.recorded, "image"), ROOT)
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

    namespace = Namespace("namespace", target)
    parts: list[pulumi.Resource] = [namespace]

    self_signed = _self_signed(settings)
    generated = [*_generated_secrets(settings), *self_signed]
    if generated:
        parts.append(Secrets("secrets", target, image=image, generated=generated, after=[namespace]))
    after = tuple(parts)
    parts += [
        CertificateRenewal("certificate-renewal", target, image=image, generated=each, after=after)
        for each in self_signed
    ]

    parts += database(settings, target, namespace)
    if row.cache:
        parts.append(Cache("cache", target, row=row.cache, scraped=row.monitoring is not None, after=after))
    if row.jobs:
        scraped = row.monitoring is not None
        parts.append(Broker("broker", target, row=row.jobs.broker, scraped=scraped, after=after))
    parts += monitoring(settings, target, after)
    logs(settings, target, image)
    if settings.edge is Edge.GATEWAY:
        gateway = Gateway(
            "gateway",
            target,
            gateway_class=settings.gateway.class_name,
            hostname=settings.hostname,
            ports={"http": settings.gateway.port, "https": settings.gateway.port_tls},
            least_loaded=settings.gateway.load_balancing is LoadBalancing.LEAST_LOADED,
            redirect_to=settings.addresses()[1] if settings.gateway.redirect_http else "",
            acme=Acme(settings.gateway.issuer, settings.gateway.namespace)
            if settings.gateway.certificate is Tls.ACME
            else None,
            after=after,
        )
        parts.append(gateway)
        if settings.hostname and settings.cdn_kind is not Cdn.CLOUDFLARE:
            pulumi.export("dns", gateway.dns_record(settings.hostname))
    parts += cdn(settings, target, after)
    values: pulumi.Input[dict[str, Any]] = chart_values(settings, image)
    if any(key.startswith(f"{names.PROJECT}:") for key in secret):
        values = pulumi.Output.secret(values)  # encrypted in the state, as the settings are in the stack's file
    release = Workload("api", target, values=values, timeout=settings.rollout_timeout, after=parts)
    retired_clusters(settings, target, after=[*parts, release])
    if row.cache and row.cache.servers > 1:
        shape = CacheResharding("cache-shape", target, row=row.cache, image=image, after=[*after, release])
        CacheSpreading("cache-spread", target, row=row.cache, image=image, after=[*after, shape])
    if command := purge_command(settings):
        Purge("purge", target, command=command, image=image, after=[*after, release])

    for name, value in outputs.outputs(settings, image, target.namespace).items():
        pulumi.export(name, value)
    pulumi.export("cluster", cluster.uid)


main()
