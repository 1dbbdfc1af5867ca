"""Serve a plugin over gRPC: the engine reads one line with the port, then calls until it stops the process."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc

# The engine runs as many resource operations at once as `--parallel` allows (16 or four per core by default), and
# each may wait for minutes for its rollout; checks and diffs must still get a thread.
WORKERS = 128

# Pulumi's own servers and clients take messages up to this size; a rendered CRD exceeds gRPC's default of 4 MB.
MESSAGE_LIMIT_BYTES = 400 * 1024 * 1024
MESSAGE_OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
    ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES),
)

PARENT_CHECK_SECONDS = 1.0


def serve(register: Callable[[grpc.Server], None]) -> None:
    """Serve until the process gets TERM or INT, or its parent, the engine, is gone.

    Args:
        register: adds the plugin's servicer to the server.
    """
    server = grpc.server(ThreadPoolExecutor(max_workers=WORKERS), options=MESSAGE_OPTIONS)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    wait_for_end(stopped)
    server.stop(grace=None)
    # Threads that still wait for a rollout would hold the interpreter back.
    os._exit(0)


def wait_for_end(stopped: threading.Event) -> None:
    """Return when `stopped` is set or the parent process has gone (the process has been given to another)."""
    parent = os.getppid()
    while not stopped.wait(PARENT_CHECK_SECONDS):
        if os.getppid() != parent:
            return
