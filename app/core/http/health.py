"""/health: liveness and readiness."""

from collections.abc import Callable, Collection
from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from app.core.database.engine import Database
from app.core.database.migrate import Branch, NotMigratedError, check_ready
from app.core.http.problems import problem


def blueprint(database: Database, branches: Collection[Branch], background_alive: Callable[[], bool]) -> Blueprint:
    """
    Args:
        database: is asked until it has once been ready.
        branches: of its schema, that the services of this process need.
        background_alive: says whether the threads that do jobs in this process go on; True where there are none.
    """
    health = Blueprint("health", __name__, url_prefix="/health")
    has_been_ready = False

    @health.get("/live")
    def live() -> Response:
        # Asks nobody else: a pod without its database is not helped by a restart, one whose thread has died is.
        if not background_alive():
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "A background thread has died.")
        return jsonify(status="ok")

    @health.get("/ready")
    def ready() -> Response:
        nonlocal has_been_ready
        # Asked until it is so: a schema only grows. A database that goes away later takes every pod's fate alike: taken
        # out of the gateway, none of them could say so, nor answer what replicas and the cache know.
        if not has_been_ready:
            try:
                check_ready(database, branches)
            except NotMigratedError as error:
                return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
            has_been_ready = True
        return jsonify(status="ok")

    return health
