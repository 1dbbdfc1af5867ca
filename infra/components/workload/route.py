"""Values of the chart for how requests come to a service: its Service, and its route at a gateway of each kind."""

from typing import Any, Final

from infra import names
from infra.components.edge import kong
from infra.components.edge.cache_rules import RULES
from infra.config.phase_spec import Cdn, Edge
from infra.config.settings import Settings
from infra.config.types import GatewayKind, LoadBalancing
from infra.names import ServiceNames

_ISTIO: Final = {
    # A little longer than the front end waits (app/web/static/http.js), and twice as long as a statement may take.
    # Files as long as behind Traefik: 2 GiB at 150 KB a second; who stalls is cut off long before.
    "timeouts": {"request": "30s", "files": "4h"},
}


def service_values(settings: Settings, own: ServiceNames) -> dict[str, Any]:
    """Values of a service's Service."""
    if settings.edge is not Edge.GATEWAY:
        return {"type": "NodePort", "port": names.API_PORT, "nodePort": settings.node_port}
    annotated = settings.gateway_kind is GatewayKind.KONG
    return {
        "type": "ClusterIP",
        "port": names.API_PORT,
        **({"annotations": kong.service_annotations(own)} if annotated else {}),
    }


def route_values(settings: Settings, own: ServiceNames) -> dict[str, Any]:
    """Values of a service's HTTPRoute."""
    route: dict[str, Any] = {
        "enabled": True,
        "gateway": {
            "name": names.GATEWAY,
            # With the redirect, no plain request comes to a service.
            "sectionNames": ["https"] if settings.gateway.redirect_http else ["http", "https"],
        },
        "hostnames": [settings.hostname] if settings.hostname else [],
        **_of_kind(settings, own),
    }
    if settings.cdn_kind is Cdn.EDGE and own.serves_front_end:
        route["edge"] = {
            "name": names.EDGE,
            "port": names.EDGE_PORT,
            "paths": [
                {"type": "Exact", "value": rule.path}
                if rule.whole
                else {"type": "PathPrefix", "value": rule.path.rstrip("/")}
                for rule in RULES
                if own.service in (names.ALL, rule.service)
            ],
        }
    return route


def _of_kind(settings: Settings, own: ServiceNames) -> dict[str, Any]:
    match settings.gateway_kind:
        case GatewayKind.ISTIO:
            return _ISTIO
        case GatewayKind.KONG:
            return kong.route(settings, own)
        case GatewayKind.TRAEFIK:
            return _traefik(settings, own)


def _traefik(settings: Settings, own: ServiceNames) -> dict[str, Any]:
    retry = {"group": "traefik.io", "kind": "Middleware", "name": names.RETRY}
    route: dict[str, Any] = {"filters": [{"type": "ExtensionRef", "extensionRef": retry}]}
    if settings.gateway.load_balancing is LoadBalancing.LEAST_LOADED:
        # Traefik looks the name up in the route's own namespace.
        route["backend"] = {"group": "traefik.io", "kind": "TraefikService", "name": own.balancer}
    return route
