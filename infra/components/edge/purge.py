"""Purge of the CDN: a Job that has it drop what a release may have changed."""

from collections.abc import Sequence

import pulumi

from infra import names
from infra.components.base import Target
from infra.components.edge.cache_rules import RULES
from infra.components.image_job import SECRETS, Command, ImageJob
from infra.components.network import Flow, Peer
from infra.config.image import Image
from infra.config.phase_spec import Cdn
from infra.config.settings import Settings


def purge_command(settings: Settings) -> Command | None:
    """Command that purges what a release may have changed: all but static files, whose names are hashed."""
    match settings.cdn_kind:
        case Cdn.EDGE:
            return Command(
                name=names.PURGE,
                words=["purge-edge", "--server", f"{names.EDGE_PODS}:{names.EDGE_PURGE_PORT}"],
                secret=None,
                egress=(Flow(Peer(names.EDGE_LABELS), (names.EDGE_PURGE_PORT,)),),
            )
        case Cdn.CLOUDFLARE:
            url = f"https://{settings.hostname}"
            return Command(
                name=names.PURGE,
                words=[
                    "purge-cloudflare",
                    *("--zone", settings.cdn.zone),
                    *("--token-file", f"{SECRETS}/{names.CDN_SECRET_KEY}"),
                    *(word for rule in RULES if rule.whole for word in ("--url", url + rule.path)),
                ],
                secret=names.CDN_SECRET,
                egress=(Flow(Peer(outside=True), (443,)),),
                optional=True,
            )
        case Cdn.NONE:
            return None


class Purge(ImageJob):
    """Runs that command after the release, so that responses of old pods during the rollout are purged too."""

    def __init__(
        self, name: str, target: Target, *, command: Command, image: Image, after: Sequence[pulumi.Resource]
    ) -> None:
        super().__init__(name, target, command=command, image=image, after=after)
        self.register_outputs({"job": command.name})
