"""Stand-in for the providers of clouds: answers the real engine over gRPC as `answers.py` says.

`python -m tests.platform.stand_in NAME VERSION`. It makes nothing: a resource is its inputs, and what a provider adds.
"""

import sys
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from local.plugins.kubernetes_provider.values import decode, encode
from local.plugins.plugin_kit.serving import serve
from tests.platform.answers import ask, created

Context = grpc.ServicerContext
# ruff: noqa: N802 - the names are the service's


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """A provider that makes nothing."""

    def __init__(self, name: str, version: str) -> None:
        self._name, self._version = name, version

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: Context
    ) -> provider_pb2.ProviderHandshakeResponse:
        del request, context
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Context) -> plugin_pb2.PluginInfo:
        del request, context
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, request: provider_pb2.GetSchemaRequest, context: Context) -> provider_pb2.GetSchemaResponse:
        del request, context
        return provider_pb2.GetSchemaResponse(schema=f'{{"name":"{self._name}","version":"{self._version}"}}')

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        del context
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        return self.Diff(request, context)

    def Configure(self, request: provider_pb2.ConfigureRequest, context: Context) -> provider_pb2.ConfigureResponse:
        del request, context
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        del context
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        del context
        same = decode(request.old_inputs) == decode(request.news)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_NONE if same else provider_pb2.DiffResponse.DIFF_SOME
        )

    def Create(self, request: provider_pb2.CreateRequest, context: Context) -> provider_pb2.CreateResponse:
        del context
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        _, _, kind, name = request.urn.split("::", 3)
        inputs = decode(request.properties)
        identity, outputs = created(kind.rpartition("$")[2], name, inputs)
        return provider_pb2.CreateResponse(id=identity, properties=encode({**outputs, **inputs}))

    def Update(self, request: provider_pb2.UpdateRequest, context: Context) -> provider_pb2.UpdateResponse:
        del context
        return provider_pb2.UpdateResponse(properties=encode({**decode(request.olds), **decode(request.news)}))

    def Read(self, request: provider_pb2.ReadRequest, context: Context) -> provider_pb2.ReadResponse:
        del context
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: provider_pb2.DeleteRequest, context: Context) -> empty_pb2.Empty:
        del request, context
        return empty_pb2.Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: Context) -> provider_pb2.InvokeResponse:
        del context
        answer: Any = {"return": encode(ask(request.tok, decode(request.args)))}  # a keyword of Python
        return provider_pb2.InvokeResponse(**answer)

    def Cancel(self, request: empty_pb2.Empty, context: Context) -> empty_pb2.Empty:
        del request, context
        return empty_pb2.Empty()


if __name__ == "__main__":
    provider = StandIn(sys.argv[1], sys.argv[2])
    serve(lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server))
