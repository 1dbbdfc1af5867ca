"""The ResourceProvider service: gRPC calls of the engine as operations on resources."""

from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from local.plugins.kubernetes_provider import VERSION, configuration, responses
from local.plugins.kubernetes_provider.create import InitFailedError
from local.plugins.kubernetes_provider.lifecycle import Lifecycle, ResourceRef
from local.plugins.kubernetes_provider.naming import Autonaming
from local.plugins.kubernetes_provider.values import decode, encode
from local.plugins.plugin_kit.engine import Engine

_Response = TypeVar("_Response")
Context = grpc.ServicerContext


class KubernetesProvider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider of one update. The engine calls it from many threads at once."""

    def __init__(self, engine: Engine) -> None:
        """Args: engine: where progress and warnings go."""
        self._engine = engine
        self._configuration = configuration.Configuration(engine)

    # The names are the service's.
    # ruff: noqa: N802

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: Context
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Agree on how values travel."""
        del request, context
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Context) -> plugin_pb2.PluginInfo:
        """Give the version that this stand-in follows."""
        del request, context
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: provider_pb2.GetSchemaRequest, context: Context) -> provider_pb2.GetSchemaResponse:
        """Give an empty schema: the SDK comes with its own."""
        del request, context
        return provider_pb2.GetSchemaResponse(schema=f'{{"name":"kubernetes","version":"{VERSION}"}}')

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        """Take the provider's inputs as they are; `Configure` reads them."""
        del context
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        """Replace what the provider has made when it points to another cluster."""
        return self._respond(
            context, lambda: responses.diff(configuration.compare(decode(request.old_inputs), decode(request.news)))
        )

    def Configure(self, request: provider_pb2.ConfigureRequest, context: Context) -> provider_pb2.ConfigureResponse:
        """Find the cluster and see that it answers."""
        self._respond(context, lambda: self._configuration.configure(decode(request.args)))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def Check(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        """Complete a resource's inputs."""

        def work() -> provider_pb2.CheckResponse:
            resource = _resource_of(request)
            if self._configuration.is_skipped(resource.urn):
                return provider_pb2.CheckResponse(inputs=request.olds)
            lifecycle = self._configuration.lifecycle(resource.token)
            naming = _autonaming(request)
            checked = lifecycle.check(resource, decode(request.news), decode(request.olds), request.randomSeed, naming)
            return provider_pb2.CheckResponse(inputs=encode(checked))

        return self._respond(context, work)

    def Diff(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        """Compare a resource with its last update."""

        def work(lifecycle: Lifecycle, resource: ResourceRef) -> provider_pb2.DiffResponse:
            if self._configuration.is_skipped(resource.urn):
                return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
            found = lifecycle.diff(resource, decode(request.old_inputs), decode(request.olds), decode(request.news))
            return responses.diff(found.without(request.ignoreChanges))

        return self._on(context, request, work)

    def Create(self, request: provider_pb2.CreateRequest, context: Context) -> provider_pb2.CreateResponse:
        """Make a resource, or preview that."""

        def work(lifecycle: Lifecycle, resource: ResourceRef) -> provider_pb2.CreateResponse:
            identity, state = lifecycle.create(resource, decode(request.properties), preview=request.preview)
            return provider_pb2.CreateResponse(id=identity, properties=encode(state))

        return self._on(context, request, work)

    def Read(self, request: provider_pb2.ReadRequest, context: Context) -> provider_pb2.ReadResponse:
        """Look at a resource as it is now."""

        def work(lifecycle: Lifecycle, resource: ResourceRef) -> provider_pb2.ReadResponse:
            if self._configuration.is_skipped(resource.urn):
                return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
            found = lifecycle.read(resource, decode(request.inputs), decode(request.properties))
            if found is None:
                return provider_pb2.ReadResponse()
            if found.problems:
                raise InitFailedError(found.identity, found.state, found.inputs, list(found.problems))
            return provider_pb2.ReadResponse(
                id=found.identity, properties=encode(found.state), inputs=encode(found.inputs)
            )

        return self._on(context, request, work)

    def Update(self, request: provider_pb2.UpdateRequest, context: Context) -> provider_pb2.UpdateResponse:
        """Change a resource, or preview that."""

        def work(lifecycle: Lifecycle, resource: ResourceRef) -> provider_pb2.UpdateResponse:
            old_inputs, state = decode(request.old_inputs), decode(request.olds)
            made = lifecycle.update(resource, decode(request.news), old_inputs, state, preview=request.preview)
            return provider_pb2.UpdateResponse(properties=encode(made))

        return self._on(context, request, work)

    def Delete(self, request: provider_pb2.DeleteRequest, context: Context) -> empty_pb2.Empty:
        """Delete a resource."""

        def work(lifecycle: Lifecycle, resource: ResourceRef) -> empty_pb2.Empty:
            lifecycle.delete(resource, decode(request.properties))
            return empty_pb2.Empty()

        if self._configuration.is_dropped(request.urn):
            return empty_pb2.Empty()
        return self._on(context, request, work)

    def Invoke(self, request: provider_pb2.InvokeRequest, context: Context) -> provider_pb2.InvokeResponse:
        """Refuse: the functions render YAML, charts and kustomizations, which the official provider does."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED, f"{request.tok} needs the official Kubernetes provider: {_WHAT_IT_DOES}"
        )

    def Construct(self, request: provider_pb2.ConstructRequest, context: Context) -> provider_pb2.ConstructResponse:
        """Refuse: the components are the official provider's."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED, f"{request.type} needs the official Kubernetes provider: {_WHAT_IT_DOES}"
        )

    def Cancel(self, request: empty_pb2.Empty, context: Context) -> empty_pb2.Empty:
        """End whatever waits; what has been made is kept in the state."""
        del request, context
        self._configuration.cancel()
        return empty_pb2.Empty()

    def _on(self, context: Context, request: Any, work: Callable[[Lifecycle, ResourceRef], _Response]) -> _Response:
        resource = _resource_of(request)
        return self._respond(context, lambda: work(self._configuration.lifecycle(resource.token), resource))

    def _respond(self, context: Context, work: Callable[[], _Response]) -> _Response:
        return responses.or_abort(context, work)


_WHAT_IT_DOES = "this stand-in makes single objects and helm.sh/v3 releases"


def _resource_of(request: Any) -> ResourceRef:
    return ResourceRef(
        urn=request.urn,
        token=request.type or _type_of(request.urn),
        name=request.name or _name_of(request.urn),
        identity=getattr(request, "id", ""),
        timeout=getattr(request, "timeout", 0.0),
    )


def _type_of(urn: str) -> str:
    """Give the type in a URN: the last of the types between its second and third pair of colons."""
    return urn.split("::")[2].split("$")[-1]


def _name_of(urn: str) -> str:
    return urn.split("::", 3)[3]


def _autonaming(request: provider_pb2.CheckRequest) -> Autonaming:
    if not request.HasField("autonaming"):
        return Autonaming()
    options = request.autonaming
    return Autonaming(
        proposed=options.proposed_name,
        enforced=options.mode == provider_pb2.CheckRequest.AutonamingOptions.ENFORCE,
        disabled=options.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE,
    )
