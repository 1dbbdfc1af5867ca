"""The gateway: CRDs of the Gateway API, Traefik, and the load balancer before it."""

from typing import Final

from infra.platform.addons.definition import Addon, ClusterObject, Values, crd, requests
from infra.platform.addons.settings import AddonSettings
from infra.platform.addons.versions import CHARTS
from infra.platform.clusters.base import ConnectedCluster

GATEWAY_CLASS: Final = "traefik"
NAMESPACE: Final = "traefik"

# The load balancer of each cloud hands the client's address on: without that all users would share one rate limit.
# digitalocean: a network load balancer passes connections through (digitalocean-cloud-controller-manager,
# docs/controllers/services/annotations.md, 2026-08-19). aws: targets are pods, for which it is off by default
# (docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html, 2026-11-30).
LOAD_BALANCER: Final = {
    "digitalocean": {"service.beta.kubernetes.io/do-loadbalancer-type": "REGIONAL_NETWORK"},
    "aws": {
        "service.beta.kubernetes.io/aws-load-balancer-type": "external",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
        "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
        "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes": "preserve_client_ip.enabled=true",
    },
}


def _crds(_: AddonSettings, __: ConnectedCluster) -> Values:
    return {
        "standard": {"enabled": True},
        "experimental": {"enabled": False},
        "global": {"resourcePolicy": {"keep": True}},
    }


def _traefik(_: AddonSettings, cluster: ConnectedCluster) -> Values:
    one_server = cluster.cloud == "vps"
    transport = {
        # For a whole request, body included: 60 s by default, in which few could upload 2 GiB. Who stalls is ended by
        # the API.
        "respondingTimeouts": {"readTimeout": "4h"},
        "lifeCycle": {"requestAcceptGraceTimeout": "5s"},
    }
    return {
        "image": {"tag": CHARTS["traefik"].app_version},
        "deployment": {"replicas": 1 if one_server else 2},
        "podDisruptionBudget": {"enabled": not one_server, "maxUnavailable": 1},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "traefik"}},
            }
        ],
        "providers": {
            "kubernetesGateway": {"enabled": True},
            "kubernetesIngress": {"enabled": False},
            # A route may name a service of traefik.io (least-loaded balancing) in place of a plain one. While no pod is
            # ready the answer is 503; without empty services the route is gone, and it is 404.
            "kubernetesCRD": {"enabled": True, "allowCrossNamespace": False, "allowEmptyServices": True},
        },
        "ingressClass": {"enabled": False},
        "gatewayClass": {"enabled": True, "name": GATEWAY_CLASS},
        # Each environment has a Gateway of its own.
        "gateway": {"enabled": False},
        "api": {"dashboard": False},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "ports": {
            "web": {"port": 8000, "transport": transport},
            "websecure": {"port": 8443, "transport": transport},
            "metrics": {"port": 9100},
        },
        "service": {
            "annotations": LOAD_BALANCER.get(cluster.cloud, {}),
            # Connections stay on the node that they reach, and keep the client's address.
            "spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"},
        },
        "resources": requests(100, 64, 512),
    }


def _aws_load_balancer(_: AddonSettings, cluster: ConnectedCluster) -> Values:
    return {
        "clusterName": cluster.identity["cluster_name"],
        "vpcId": cluster.identity["vpc_id"],
        "region": cluster.region,
        "serviceAccount": {
            "annotations": {"eks.amazonaws.com/role-arn": cluster.identity["load_balancer_controller_role"]}
        },
        "createIngressClassResource": False,
        "ingressClassParams": {"create": False},
        "resources": requests(50, 128, 256),
    }


ADDONS: Final = (
    Addon("gateway_api", "kube-system", _crds, crd("gateways.gateway.networking.k8s.io")),
    Addon(
        "aws_load_balancer",
        "kube-system",
        _aws_load_balancer,
        crd("targetgroupbindings.elbv2.k8s.aws"),
        after=("cert_manager",),
    ),
    Addon(
        "traefik",
        NAMESPACE,
        _traefik,
        ClusterObject("gateway.networking.k8s.io", "v1", "gatewayclasses", GATEWAY_CLASS),
        after=("gateway_api", "aws_load_balancer"),
        minutes=10,  # a load balancer of a cloud takes minutes
    ),
)
