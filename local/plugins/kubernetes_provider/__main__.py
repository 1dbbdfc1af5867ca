"""Serve the provider. The engine passes its own address."""

import sys

from pulumi.runtime.proto import provider_pb2_grpc

from local.plugins.kubernetes_provider.server import KubernetesProvider
from local.plugins.plugin_kit.engine import Engine
from local.plugins.plugin_kit.serving import serve

if __name__ == "__main__":
    engine = Engine(sys.argv[1] if len(sys.argv) > 1 else "")
    serve(lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(KubernetesProvider(engine), server))
