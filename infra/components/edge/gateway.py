"""The way in from phase 2 on: a Gateway (Gateway API) that Traefik serves, with TLS, retries and load balancing.

The routes themselves are the chart's: they change with a release. What they refer to is here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from infra import names
from infra.components.base import Component, Target

GATEWAY_API: Final = "gateway.networking.k8s.io/v1"
TRAEFIK_API: Final = "traefik.io/v1alpha1"


def gateway_spec(gateway_class: str, hostname: str, ports: Mapping[str, int]) -> dict[str, Any]:
    """Two listeners, for routes of the stack's own namespace alone."""
    listeners: list[dict[str, Any]] = [
        {
            "name": name,
            "port": port,
            "protocol": name.upper(),
            "allowedRoutes": {"namespaces": {"from": "Same"}},
            **({"hostname": hostname} if hostname else {}),
        }
        for name, port in ports.items()
    ]
    listeners[1]["tls"] = {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": names.TLS_SECRET}]}
    return {"gatewayClassName": gateway_class, "listeners": listeners}


def redirect_spec(url_tls: str) -> dict[str, Any]:
    """A route that answers every plain request with the same address by TLS."""
    to = urlsplit(url_tls)
    return {
        "parentRefs": [{"name": names.GATEWAY, "sectionName": "http"}],
        "rules": [
            {
                "filters": [
                    {
                        "type": "RequestRedirect",
                        "requestRedirect": {"scheme": "https", "port": to.port or 443, "statusCode": 301},
                    }
                ]
            }
        ],
    }


class Gateway(Component):
    """The Gateway and what the chart's route refers to.

    Args:
        gateway_class: the class that Traefik serves.
        hostname: the only host that is answered for; empty for any.
        ports: of the listeners `http` and `https`. Traefik joins a listener to the entry point that listens on the same
            port in its pod, whatever port its Service shows outside.
        least_loaded: make the balancer that asks two pods at random and takes the one with fewer requests open.
        redirect_to: address by TLS that plain requests are sent on to; empty to serve them.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        gateway_class: str,
        hostname: str,
        ports: Mapping[str, int],
        least_loaded: bool,
        redirect_to: str,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        gateway = CustomResource(
            f"{name}-gateway",
            api_version=GATEWAY_API,
            kind="Gateway",
            metadata=self.metadata(names.GATEWAY, annotations={"pulumi.com/waitFor": "condition=Programmed"}),
            spec=gateway_spec(gateway_class, hostname, ports),
            opts=self.options(minutes=3),
        )
        CustomResource(
            f"{name}-retry",
            api_version=TRAEFIK_API,
            kind="Middleware",
            metadata=self.metadata(names.RETRY),
            # For a pod that is gone and still in the list, or gone in the middle of an answer. Traefik sends a request
            # again when nothing of it had been sent, whatever its method, and after a 502 (its own word for a broken
            # connection) only where the method is idempotent: a POST is never done twice (pkg/middlewares/retry).
            spec={
                "retry": {
                    # Waits grow from 0.1 to 0.2 s (pkg/middlewares/retry: they at most double over all attempts), about
                    # 0.7 s together: what a list of pods that is short of CPU needs to be brought up to date.
                    "attempts": 6,
                    "initialInterval": "100ms",
                    "status": ["502"],
                    "maxRequestBodyBytes": 64 * 1024,
                }
            },
            opts=self.options(),
        )
        if least_loaded:
            CustomResource(
                f"{name}-balancer",
                api_version=TRAEFIK_API,
                kind="TraefikService",
                metadata=self.metadata(names.BALANCER),
                spec={
                    "weighted": {
                        "services": [{"name": names.RELEASE, "port": names.API_PORT, "weight": 1, "strategy": "p2c"}]
                    }
                },
                opts=self.options(),
            )
        if redirect_to:
            CustomResource(
                f"{name}-redirect",
                api_version=GATEWAY_API,
                kind="HTTPRoute",
                metadata=self.metadata(f"{names.GATEWAY}-redirect"),
                spec=redirect_spec(redirect_to),
                opts=self.options(gateway),
            )
        self.register_outputs({"gateway": names.GATEWAY})
