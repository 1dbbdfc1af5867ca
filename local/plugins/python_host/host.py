"""The LanguageRuntime service: starts one process a run, so that no state is left between preview and update."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from local.plugins.plugin_kit.engine import Engine
from local.plugins.python_host import dependencies, exit_codes
from local.plugins.python_host.interpreter import InterpreterError, interpreter

RUNNER = Path(__file__).with_name("program.py")


class PythonHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs programs for one engine."""

    def __init__(self, engine_address: str) -> None:
        """Args: engine_address: where the program reports its messages, `host:port`."""
        self._engine_address = engine_address
        self._child: subprocess.Popen[bytes] | None = None

    def Handshake(  # noqa: N802 the service's name
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Take the engine's address, where it comes this way."""
        del context
        self._engine_address = request.engine_address or self._engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:  # noqa: N802
        """Give the version of the SDK that runs programs."""
        del request, context
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def GetRequiredPlugins(  # noqa: N802
        self, request: language_pb2.GetRequiredPluginsRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPluginsResponse:
        """Name none: the engine loads a provider when the first resource asks for it."""
        del request, context
        return language_pb2.GetRequiredPluginsResponse()

    def GetRequiredPackages(  # noqa: N802
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """Name none, for the same reason."""
        del request, context
        return language_pb2.GetRequiredPackagesResponse()

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:  # noqa: N802
        """Run the program to its end, in a process of its own."""
        del context
        options = json_format.MessageToDict(request.info.options)
        root = request.info.root_directory
        try:
            if dependencies.is_missing(options, root):
                for line in dependencies.install(options, root, request.info.program_directory):
                    sys.stderr.buffer.write(line)
            python = interpreter(options, root)
        except InterpreterError as error:
            return self._failed(str(error))
        command = [str(python), "-u", "-P", str(RUNNER), self._engine_address]
        # -P keeps this package's files off the program's path.
        # stdout and stderr are the host's own: the engine shows what the program prints.
        with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
            self._child = child
            child.communicate(request.SerializeToString())
        failure = exit_codes.failure_message(child.returncode)
        if failure:
            return self._failed(failure)
        return language_pb2.RunResponse(bail=child.returncode == exit_codes.ERROR_SHOWN)

    def _failed(self, message: str) -> language_pb2.RunResponse:
        """Show an error and end the run; an error in the response itself would be called unhandled."""
        Engine(self._engine_address).error("", message)
        return language_pb2.RunResponse(bail=True)

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """Stop the program that runs."""
        del request, context
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
        return empty_pb2.Empty()

    def About(self, request: language_pb2.AboutRequest, context: grpc.ServicerContext) -> language_pb2.AboutResponse:  # noqa: N802
        """Say which Python runs the program, for `pulumi about`."""
        try:
            python = interpreter(json_format.MessageToDict(request.info.options), request.info.root_directory)
            answer = subprocess.run([str(python), "-V"], check=True, capture_output=True, text=True)
        except (InterpreterError, subprocess.SubprocessError, OSError) as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        return language_pb2.AboutResponse(executable=str(python), version=answer.stdout.split()[-1])

    def GetProgramDependencies(  # noqa: N802
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """List the packages of the program's environment, for `pulumi about`."""
        try:
            python = interpreter(json_format.MessageToDict(request.info.options), request.info.root_directory)
        except InterpreterError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        folders = [str(folder) for folder in python.parent.parent.glob("lib/python3*/site-packages")]
        found = {item.metadata["Name"]: item.version for item in metadata.distributions(path=folders or sys.path)}
        dependencies = [language_pb2.DependencyInfo(name=name, version=found[name]) for name in sorted(found)]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    def InstallDependencies(  # noqa: N802
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Make the program's environment, and install its requirements.txt there (`pulumi install`)."""
        options = json_format.MessageToDict(request.info.options)
        try:
            for line in dependencies.install(options, request.info.root_directory, request.info.program_directory):
                yield language_pb2.InstallDependenciesResponse(stdout=line)
        except InterpreterError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))

    def RuntimeOptionsPrompts(  # noqa: N802
        self, request: language_pb2.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        """Ask nothing at `pulumi new`."""
        del request, context
        return language_pb2.RuntimeOptionsResponse()
