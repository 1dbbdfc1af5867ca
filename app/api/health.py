"""/health: is the process alive, and can it serve?"""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from app.api.problems import problem
from app.storage.engine import Database
from app.storage.migrate import NotMigratedError, check_ready


def blueprint(database: Database) -> Blueprint:
    health = Blueprint("health", __name__, url_prefix="/health")
    has_been_ready = False

    @health.get("/live")
    def live() -> Response:
        # Asks nobody: a pod without its database is not helped by a restart.
        return jsonify(status="ok")

    @health.get("/ready")
    def ready() -> Response:
        nonlocal has_been_ready
        # Asked until it is so: a schema only grows. A database that goes away later takes every pod's fate alike: taken
        # out of the gateway, none of them could say so, nor answer what replicas and the cache know.
        if not has_been_ready:
            try:
                check_ready(database)
            except NotMigratedError as error:
                return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
            has_been_ready = True
        return jsonify(status="ok")

    return health
