"""Messages from a plugin to the engine, which shows them beside the resource they belong to."""

import contextlib
import threading

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from local.plugins.plugin_kit.serving import MESSAGE_OPTIONS

INFO = engine_pb2.INFO
WARNING = engine_pb2.WARNING
ERROR = engine_pb2.ERROR


class Engine:
    """A client of the engine. Every method may be called from any thread."""

    def __init__(self, address: str) -> None:
        """Args: address: `host:port`, as the engine passes it on the command line; empty means there is none."""
        self._stub: engine_pb2_grpc.EngineStub | None = None
        if address:
            self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address, options=MESSAGE_OPTIONS))
        self._lock = threading.Lock()
        self._last_status: dict[str, str] = {}

    def status(self, urn: str, message: str) -> None:
        """Show what is being waited for in the resource's own line; repeated only when it changes."""
        with self._lock:
            if self._last_status.get(urn) == message:
                return
            self._last_status[urn] = message
        self._log(INFO, urn, message, ephemeral=True)

    def info(self, urn: str, message: str) -> None:
        """Leave a line in the update's record."""
        self._log(INFO, urn, message, ephemeral=False)

    def warning(self, urn: str, message: str) -> None:
        """Leave a warning in the update's record."""
        self._log(WARNING, urn, message, ephemeral=False)

    def error(self, urn: str, message: str) -> None:
        """Leave an error in the update's record."""
        self._log(ERROR, urn, message, ephemeral=False)

    def _log(self, severity: "engine_pb2.LogSeverity.ValueType", urn: str, message: str, *, ephemeral: bool) -> None:
        if self._stub is None:
            return
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)
        # An engine that is on its way out no longer listens; a lost progress line must not fail the operation.
        with contextlib.suppress(grpc.RpcError):
            self._stub.Log(request)
