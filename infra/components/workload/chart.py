"""Values of the chart `helm/task-manager` for the release of a service: a pure function of settings and phase."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from infra import names
from infra.components import network
from infra.components.data import service_move
from infra.components.network import EVERY_ADDRESS, Flow, Peer, host_blocks
from infra.components.workload import messages, route
from infra.components.workload.flows import callers
from infra.config.growth import Growth
from infra.config.image import Image
from infra.config.phase_spec import Api, Cdn, DatabaseKind, Edge, Jobs
from infra.config.settings import Settings
from infra.config.types import port_of
from infra.names import ServiceNames

ROOT: Final = Path(__file__).resolve().parents[3]
CHART: Final = "helm/task-manager"

_CERTIFICATE_AUTHORITY: Final = {
    "secret": names.RABBITMQ_CERTIFICATE,
    "key": names.RABBITMQ_CA,
    "mountPath": "/run/rabbitmq",
}


def digest() -> str:
    """A short name for the chart's files as they are: any change of any of them changes it."""
    chart = ROOT / CHART
    total = hashlib.sha256()
    for path in sorted(path for path in chart.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(chart)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:12]


def chart_values(settings: Settings, image: Image, service: str = names.ALL) -> dict[str, Any]:
    """Values for the release of a service. Secrets appear as names and keys only."""
    row, own = settings.row.services[service], names.ServiceNames(service)
    gateway = settings.edge is Edge.GATEWAY
    return {
        "apiService": service,
        "image": {
            "repository": image.repository,
            "tag": image.tag,
            "digest": image.digest,
            **({"pullSecrets": [settings.images.pull_secret]} if settings.images.pull_secret else {}),
        },
        "autoscaling": _autoscaling(row.api),
        "resources": row.api.compute.resources(),
        "env": _env(settings, own),
        "envFromSecrets": _env_from_secrets(settings, own),
        **({"certificateAuthority": _CERTIFICATE_AUTHORITY} if settings.events_by_rabbitmq else {}),
        "persistence": {"enabled": True, "claimName": names.DATA_CLAIM, "mountPath": names.DATA_MOUNT}
        if settings.database_kind is DatabaseKind.SQLITE
        else {"enabled": False},
        "carry": _carry(settings),
        **_move(settings, own),
        "service": route.service_values(settings, own),
        "route": route.route_values(settings, own) if gateway and _routed(settings) else {"enabled": False},
        "networkPolicy": _network_policy(settings, own),
        **_mesh(settings),
        "jobs": _jobs(row.jobs, settings, own),
    }


def _routed(settings: Settings) -> bool:
    """Whether requests come to the release by the gateway: to the former one until all services have moved."""
    return not settings.former_release or (settings.growth is Growth.MOVE) is not settings.row.split


def _move(settings: Settings, own: ServiceNames) -> dict[str, Any]:
    """The database of all services, out of which the service's tables move.

    As long as the former release is there: it forwards requests to the Service that comes with this. So the second
    update changes routes alone, and no pod.
    """
    if not settings.former_release or not settings.row.split:
        return {}
    variable, secret, key = service_move.FORMER_PASSWORD
    return {
        "move": {
            "enabled": True,
            "switch": settings.growth is Growth.MOVE,
            "env": service_move.former_database(settings, own),
            "envFromSecrets": [{"name": variable, "secret": secret, "key": key}],
            # From the commit on there is no way back: a third of the time is left for the pods to be found ready.
            "activeDeadlineSeconds": settings.rollout_timeout * 2 // 3,
        }
    }


def _mesh(settings: Settings) -> dict[str, Any]:
    row = settings.row.mesh
    return {"mesh": {"enabled": True, "resources": row.sidecar.resources()}} if row and settings.meshed else {}


def _carry(settings: Settings) -> dict[str, Any]:
    """Phase 1's file, which the chart looks for: the program cannot know whether it is there."""
    if settings.database_kind is DatabaseKind.SQLITE or settings.row.split:
        return {"claimName": ""}
    return {
        "claimName": names.DATA_CLAIM,
        "file": names.DATA_FILE,
        # From the commit on there is no way back: a third of the time is left for the pods to be found ready.
        "activeDeadlineSeconds": settings.rollout_timeout * 2 // 3,
        # Where the stack had a gateway in phase 1 too, no client has ever come by the node port.
        "nodePort": settings.node_port if settings.edge is Edge.GATEWAY and not settings.gateway.enabled else 0,
    }


def _autoscaling(api: Api) -> dict[str, int]:
    bounds = {"minReplicas": api.min_replicas, "maxReplicas": api.max_replicas}
    if api.min_replicas == api.max_replicas:
        return bounds
    requests = {} if api.requests_per_second is None else {"targetRequestsPerSecond": api.requests_per_second}
    return {
        **bounds,
        **requests,
        # Seven tenths of what a pod may use, which Kubernetes counts in percent of the request.
        "targetCPUUtilizationPercentage": 70 * api.compute.cpu_limit // api.compute.cpu_request,
    }


def _env(settings: Settings, own: ServiceNames) -> dict[str, str]:
    row, api, cluster = settings.row, settings.row.services[own.service].api, settings.cluster_of(own.service)
    env = {
        "APP_ENVIRONMENT": "production",
        "APP_LOG_FORMAT": "json",
        "APP_LOG_LEVEL": settings.log_level_of(own.service).value,
        "APP_THREADS": str(api.threads),
        "APP_POOL_SIZE": str(api.threads),
        "APP_MAX_OVERFLOW": str(api.connections - api.threads),
        "APP_TRUSTED_HOPS": str(_trusted_hops(settings)),
    }
    if settings.database_kind is DatabaseKind.SQLITE:
        env["APP_DATABASE_URL"] = f"sqlite:///{names.DATA_MOUNT}/{names.DATA_FILE}"
    else:
        postgresql = row.postgresql_of(own.service)
        env |= {
            "APP_DATABASE_HOST": cluster.pooler if postgresql.poolers else cluster.primary,
            "APP_DATABASE_PORT": str(names.DATABASE_PORT),
            "APP_DATABASE_NAME": own.database,
            **({"APP_DATABASE_REPLICA_HOST": cluster.replica_pooler} if postgresql.replica_poolers else {}),
            # libpq's own variable. The operator's servers and poolers all have certificates: never fall back to plain.
            "PGSSLMODE": "require",
        }
    if row.cache:
        env |= {
            # A cluster's client may begin with any of its servers, and learns of the others there.
            "APP_REDIS_HOST": names.CACHE_PODS if row.cache.shards > 1 else names.CACHE,
            "APP_REDIS_PORT": str(names.VALKEY_PORT),
            "APP_REDIS_USER": own.cache_user,
            "APP_REDIS_CLUSTER": str(row.cache.shards > 1).lower(),
            **({"APP_REDIS_PREFIX": f"{own.service}:"} if row.split else {}),
        }
    if row.broker:
        env |= {
            "APP_BROKER_HOST": names.BROKER,
            "APP_BROKER_PORT": str(names.VALKEY_PORT),
            "APP_BROKER_USER": names.VALKEY_USER,
        }
    if settings.events_by_rabbitmq:
        env |= {
            "APP_EVENTS_HOST": names.RABBITMQ,
            "APP_EVENTS_PORT": str(names.RABBITMQ_PORT),
            "APP_EVENTS_USER": own.service,
            "APP_EVENTS_CA_FILE": "{mountPath}/{key}".format_map(_CERTIFICATE_AUTHORITY),
            **({"APP_BROKER_VIRTUAL_HOST": own.service} if row.split else {}),
        }
    if row.split and own.service != names.SESSIONS:
        # The former release answers for auth until that has moved, and then forwards the request to it.
        issuer = names.ServiceNames(names.ALL if settings.former_release else names.SESSIONS)
        env["APP_JWKS_URL"] = f"http://{issuer.release}:{names.API_PORT}{names.KEYS_PATH}"
    if settings.mail.host:
        env |= {
            "APP_SMTP_HOST": settings.mail.host,
            "APP_SMTP_PORT": str(settings.mail.port),
            "APP_SMTP_TLS": settings.mail.tls.value,
            "APP_MAIL_FROM": settings.mail.sender,
            "APP_PUBLIC_URL": settings.public_url,
        }
        if settings.mail.user:
            env["APP_SMTP_USER"] = settings.mail.user
    env |= messages.env(settings, own)
    if settings.tracing.endpoint:
        share = settings.tracing.percent / 100
        env |= {"APP_TRACES_ENDPOINT": settings.tracing.endpoint, "APP_TRACES_SHARE": str(share)}
    return env


def _trusted_hops(settings: Settings) -> int:
    """Number of proxies whose X-Forwarded-… headers are trusted. Varnish, behind the gateway, adds nothing to them."""
    if settings.gateway.trusted_hops is not None:
        return settings.gateway.trusted_hops
    if settings.edge is Edge.NODE_PORT:
        return 0
    return 2 if settings.cdn_kind is Cdn.CLOUDFLARE else 1


def secrets_of(settings: Settings, service: str) -> list[str]:
    """Return the names of the Secrets that the pods of a release have variables from."""
    return sorted({variable["secret"] for variable in _env_from_secrets(settings, ServiceNames(service))})


def _env_from_secrets(settings: Settings, own: ServiceNames) -> list[dict[str, Any]]:
    row, secret = settings.row, own.keys_secret
    wanted = [("APP_SECRET_KEY", secret, names.KEYS_SECRET_KEY)]
    if settings.database_kind is DatabaseKind.POSTGRESQL:
        database = own.database_secret if row.split else settings.generation.secret
        wanted += [("APP_DATABASE_USER", database, "username"), ("APP_DATABASE_PASSWORD", database, "password")]
    if row.cache:
        wanted.append(("APP_REDIS_PASSWORD", own.cache_secret, names.VALKEY_PASSWORD))
    if row.broker:
        wanted.append(("APP_BROKER_PASSWORD", names.BROKER, names.VALKEY_PASSWORD))
    if settings.events_by_rabbitmq:
        wanted.append(("APP_EVENTS_PASSWORD", own.rabbitmq_secret, names.RABBITMQ_PASSWORD))
    if settings.mail.host and settings.mail.user:
        wanted.append(("APP_SMTP_PASSWORD", names.MAIL_SECRET, names.MAIL_SECRET_KEY))
    of_messages, may_be_there = messages.secrets(settings, own)
    wanted += of_messages
    may_be_there.append(("APP_SECRET_KEYS_ACCEPTED", secret, names.KEYS_ACCEPTED_KEY))
    if settings.tracing.endpoint:
        may_be_there.append(("APP_TRACES_HEADERS", names.TRACES_SECRET, names.TRACES_SECRET_KEY))
    if settings.errors.enabled:
        may_be_there.append(("APP_SENTRY_DSN", names.SENTRY_SECRET, names.SENTRY_SECRET_KEY))
    return [
        *({"name": variable, "secret": secret, "key": key} for variable, secret, key in wanted),
        *({"name": variable, "secret": secret, "key": key, "optional": True} for variable, secret, key in may_be_there),
    ]


def _jobs(row: Jobs | None, settings: Settings, own: ServiceNames) -> dict[str, Any]:
    if row is None:
        return {"enabled": False}
    worker: dict[str, Any] = {
        "autoscaling": {
            "minReplicas": row.min_workers,
            "maxReplicas": row.max_workers,
            **({} if row.waiting is None else {"targetJobsWaiting": row.waiting}),
        },
        "resources": row.worker.resources(),
    }
    if ports := messages.ports_of_jobs(settings, own):
        worker["egressTo"] = [_outside(port) for port in ports]
    return {"enabled": True, "worker": worker, "beat": {"resources": row.beat.resources()}}


def _network_policy(settings: Settings, own: ServiceNames) -> dict[str, Any]:
    row, egress = settings.row, []
    if settings.database_kind is DatabaseKind.POSTGRESQL:
        egress.append(_egress(settings.cluster_of(own.service).labels, names.DATABASE_PORT))
    if row.cache:
        egress.append(_egress(names.CACHE_LABELS, names.VALKEY_PORT))
    if row.broker:
        egress.append(_egress(names.BROKER_LABELS, names.VALKEY_PORT))
    if settings.events_by_rabbitmq:
        egress.append(_egress(names.RABBITMQ_LABELS, names.RABBITMQ_PORT))
    if settings.former_release:
        egress.append(_egress(names.API_LABELS, names.API_PORT))
    elif row.split and own.service != names.SESSIONS:
        egress.append(_egress(names.ServiceNames(names.SESSIONS).labels, names.API_PORT))
    if settings.meshed:
        egress.append(_flow(network.istiod(settings)))
    outside = messages.ports_of_servers(settings, own)
    if not row.has_workers:
        outside = messages.ports_of_jobs(settings, own) + outside
    egress += [_outside(port) for port in dict.fromkeys(outside)]
    egress += [_anywhere(port) for port in _telemetry_ports(settings)]
    common = {"dnsTo": _dns(settings.network.node_local_dns), "egressTo": egress}
    if settings.edge is Edge.NODE_PORT:
        return {"ingressFromAnywhere": True, **common}
    ingress = [_peer(caller.peer) for caller in callers(settings, own) if caller.peer]
    return {"ingressFrom": ingress, "metricsFrom": _scrapers(settings), **common}


def _dns(node_local: Sequence[str]) -> list[dict[str, Any]]:
    return [_namespace("kube-system"), *({"ipBlock": {"cidr": block}} for block in host_blocks(node_local))]


def _scrapers(settings: Settings) -> list[dict[str, Any]]:
    if settings.own_monitoring:
        return [{"podSelector": {"matchLabels": names.PROMETHEUS_LABELS}}]
    return [_namespace(settings.monitoring.namespace)] if settings.row.monitoring else []


def _telemetry_ports(settings: Settings) -> list[int]:
    """Ports of the OTLP collector and of Sentry."""
    traces = [port_of(settings.tracing.endpoint)] if settings.tracing.endpoint else []
    return traces + ([settings.errors.port] if settings.errors.enabled else [])


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _peer(peer: Peer) -> dict[str, Any]:
    return {
        **(_namespace(peer.namespace) if peer.namespace else {}),
        **({"podSelector": {"matchLabels": dict(peer.pods)}} if peer.pods else {}),
    }


def _flow(flow: Flow) -> dict[str, Any]:
    return {"to": [_peer(flow.peer)], "ports": [{"port": port, "protocol": "TCP"} for port in flow.ports]}


def _egress(pods: dict[str, str], port: int) -> dict[str, Any]:
    return {"to": [{"podSelector": {"matchLabels": pods}}], "ports": [{"port": port, "protocol": "TCP"}]}


def _outside(port: int) -> dict[str, Any]:
    """A rule for a server that may be anywhere: a NetworkPolicy knows no host names."""
    blocks = [{"ipBlock": {"cidr": block, "except": list(left_out)}} for block, left_out in EVERY_ADDRESS.items()]
    return {"to": blocks, "ports": [{"port": port, "protocol": "TCP"}]}


def _anywhere(port: int) -> dict[str, Any]:
    """The same for one that may be in the cluster too: of some networks' address blocks pods are no part."""
    rule = _outside(port)
    return {**rule, "to": [*rule["to"], {"namespaceSelector": {}}]}
