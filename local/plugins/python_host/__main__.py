"""Serve the language host. The engine passes options and, last, its own address."""

import sys

from pulumi.runtime.proto import language_pb2_grpc

from local.plugins.plugin_kit.serving import serve
from local.plugins.python_host.host import PythonHost


def engine_address(arguments: list[str]) -> str:
    """The engine's address: the last argument that is no option; empty when there is none."""
    plain = [argument for argument in arguments if not argument.startswith("-")]
    return plain[-1] if plain else ""


if __name__ == "__main__":
    host = PythonHost(engine_address(sys.argv[1:]))
    serve(lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server))
