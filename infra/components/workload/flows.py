"""Who calls a service of the API: what its NetworkPolicy and its AuthorizationPolicy are both made of."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra import names
from infra.components import network
from infra.components.network import Peer
from infra.config.phase_spec import Cdn
from infra.config.settings import Settings
from infra.config.types import GatewayKind


@dataclass(frozen=True)
class Caller:
    """Callers of a service's API.

    Args:
        peer: their pods, as a NetworkPolicy knows them; None for those that the chart's own policy lets in.
        accounts: their ServiceAccounts, by which a mesh knows them; none for pods without a sidecar.
        paths: what they may ask for; all, if empty.
    """

    peer: Peer | None
    accounts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def callers(settings: Settings, own: names.ServiceNames) -> Iterator[Caller]:
    """Yield the callers of a service, where requests come through a gateway."""
    row = settings.row
    istio = settings.gateway_kind is GatewayKind.ISTIO
    yield Caller(network.gateway(settings), (names.ISTIO_GATEWAY,) if istio else ())
    services = [names.ServiceNames(each) for each in row.services]
    if row.split and own.service == names.SESSIONS:
        others = tuple(each.account for each in services if each != own)
        yield Caller(Peer(names.API_LABELS), others, (names.KEYS_PATH,))
        # Tests of the other releases, which log in here; their pods have the label of all releases.
        yield Caller(None, tuple(each.smoke_account for each in services if each != own))
    if settings.former_release:
        # It has the keys of tokens until auth has moved, and forwards requests of services that have moved.
        yield Caller(Peer(names.API_LABELS))
    if settings.cdn_kind is Cdn.EDGE and own.serves_front_end:
        yield Caller(Peer(names.EDGE_LABELS))
    yield Caller(None, (own.smoke_account,))
