"""`serve`: run the server, a single process with threads."""

import errno
import socket
import sys

from app.bootstrap.services import chosen
from app.cli import fail
from app.core.settings import SettingsError, load_settings, required_jwks_url


def serve(service: str) -> int:
    """Validate settings and ports, then run gunicorn."""
    try:
        settings = load_settings()
        if "auth" not in chosen(service):
            required_jwks_url(settings)
    except SettingsError as error:
        return fail(str(error), 2)
    for port, variable in {settings.port: "APP_PORT", settings.metrics_listen_port: "APP_METRICS_PORT"}.items():
        if reason := cannot_listen(settings.listen_address, port, variable):
            return fail(reason)
    # A restarted container finds the drain file of its predecessor.
    settings.drain_file.unlink(missing_ok=True)
    if settings.development:
        from app.cli.migrate import run

        if status := run(settings, chosen(service)):
            return status
        sys.stderr.write(f"Task Manager: http://{settings.listen_address}:{settings.port}  (API: /api/v1/docs)\n")

    from gunicorn.app.wsgiapp import WSGIApplication  # type: ignore[import-untyped]

    application = f"app.bootstrap.http:application({service!r})"
    sys.argv = ["gunicorn", "--config", "python:app.server.gunicorn_config", application]
    WSGIApplication().run()
    return 0


def cannot_listen(address: str, port: int, variable: str) -> str | None:
    """Return the reason why an address and port can't be bound; None if they can.

    Args:
        variable: environment variable of the port, for the message.
    """
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"port {port} of {address} is in use: stop what listens there, or set {variable}"
            return f"can't listen on {address}:{port}: {error.strerror or error}; see APP_HOST and {variable}"
    return None
