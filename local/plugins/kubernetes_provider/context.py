"""The configured provider: API server, discovery, settings and engine."""

from dataclasses import dataclass

from local.plugins.kubernetes_provider.client import Client
from local.plugins.kubernetes_provider.discovery import ApiResource, Discovery
from local.plugins.kubernetes_provider.objects import Object, dig, name_of, namespace_of
from local.plugins.kubernetes_provider.settings import Settings
from local.plugins.plugin_kit.engine import Engine


@dataclass(frozen=True)
class Cluster:
    """One configured provider."""

    client: Client
    discovery: Discovery
    settings: Settings
    engine: Engine

    @property
    def default_namespace(self) -> str:
        """Where objects go that name no namespace."""
        return self.settings.namespace or self.client.connection.namespace

    def resource(self, obj: Object) -> ApiResource:
        """Find the API of an object's kind."""
        return self.discovery.find(str(obj["apiVersion"]), str(obj["kind"]))

    def path(self, obj: Object) -> str:
        """Give the API path of an object."""
        return self.resource(obj).path(namespace_of(obj), name_of(obj))

    def read(self, obj: Object) -> Object:
        """Read the object as it is now.

        Raises:
            ApiError: code 404 when it is not there.
        """
        return self.client.get(self.path(obj))


def uid_of(obj: Object) -> str:
    """Give the object's uid, which a new object of the same name does not share."""
    return str(dig(obj, "metadata", "uid", default=""))
