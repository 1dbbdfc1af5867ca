"""/health: is the process alive, and can it serve?"""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from app.api.problems import problem
from app.storage.engine import Database
from app.storage.migrate import NotMigratedError, check_ready


def blueprint(database: Database) -> Blueprint:
    health = Blueprint("health", __name__, url_prefix="/health")

    @health.get("/live")
    def live() -> Response:
        # Asks nobody: a pod without its database is not helped by a restart.
        return jsonify(status="ok")

    @health.get("/ready")
    def ready() -> Response:
        try:
            check_ready(database)
        except NotMigratedError as error:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        return jsonify(status="ok")

    return health
