"""/health: liveness and readiness."""

from collections.abc import Callable, Collection
from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from app.core.database.engine import Database
from app.core.database.migrate import Branch, NotMigratedError, check_ready
from app.core.http.problems import problem


def blueprint(database: Database, branches: Collection[Branch], background_alive: Callable[[], bool]) -> Blueprint:
    """Liveness and readiness probes.

    Args:
        database: checked until it has been ready once.
        branches: of its schema, which the services of this process need.
        background_alive: whether this process's job threads are alive; True where there are none.
    """
    health = Blueprint("health", __name__, url_prefix="/health")
    has_been_ready = False

    @health.get("/live")
    def live() -> Response:
        # Checks no dependency: a restart does not help a pod without its database, but one whose thread has died.
        if not background_alive():
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "A background thread has died.")
        return jsonify(status="ok")

    @health.get("/ready")
    def ready() -> Response:
        nonlocal has_been_ready
        # Checked until it has succeeded once: a schema only grows. A database outage later hits every pod alike: if all
        # were taken out of the gateway, none could answer 503, nor serve reads from replicas and the cache.
        if not has_been_ready:
            try:
                check_ready(database, branches)
            except NotMigratedError as error:
                return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
            has_been_ready = True
        return jsonify(status="ok")

    return health
