"""The WSGI application: blueprints of each service, behind the request middleware."""

from collections.abc import Callable
from functools import partial

from flask_openapi.blueprint import APIBlueprint
from flask_openapi.openapi import OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from app.analytics import report_routes, statistics_routes
from app.auth import account_routes, admin_routes, avatar_routes, password_reset_routes, verification_routes
from app.auth import routes as auth_routes
from app.bootstrap.container import Container, build
from app.core.clock import utc_now
from app.core.database.metrics import DatabaseMetrics
from app.core.http import downloads, front_end, health, idempotency, json_body, middleware, openapi, problems
from app.core.http.metrics_port import MetricsPort
from app.core.http.response_cache import ResponseCacheMiddleware
from app.core.jobs import data_export_routes
from app.core.jobs import routes as jobs_routes
from app.core.jobs.queue_metrics import QueueDepth
from app.core.observability.metrics import RequestMetrics
from app.core.settings import load_settings
from app.core.sqlite_migration.forwarding import ForwardingMiddleware
from app.notifications import routes as notification_routes
from app.tasks import attachment_routes, bulk_routes, import_export_routes
from app.tasks import routes as task_routes

SERVICES: dict[str, Callable[[Container], list[APIBlueprint]]] = {
    "auth": lambda parts: [
        auth_routes.public_blueprint(parts.auth, parts.registration, parts.limits, parts.devices),
        password_reset_routes.blueprint(parts.resets, parts.limits),
        auth_routes.session_blueprint(parts.auth, parts.sessions, parts.authenticator),
        verification_routes.request_blueprint(parts.verification, parts.authenticator, parts.limits),
        verification_routes.confirm_blueprint(parts.verification),
        account_routes.blueprint(
            parts.auth,
            parts.deletion,
            parts.authenticator,
            parts.limits,
            parts.addresses,
            parts.settings.mail_enabled,
        ),
        data_export_routes.blueprint(parts.jobs, parts.authenticator),
        avatar_routes.blueprint(
            parts.avatars, parts.auth, parts.authenticator, parts.addresses, parts.settings.mail_enabled
        ),
        admin_routes.blueprint(parts.admin, parts.deletion, parts.authenticator, parts.addresses),
    ],
    "tasks": lambda parts: [
        task_routes.blueprint(parts.tasks, parts.authenticator, parts.cursors),
        bulk_routes.blueprint(parts.tasks, parts.authenticator),
        attachment_routes.blueprint(parts.attachments, parts.authenticator, parts.addresses),
        import_export_routes.blueprint(parts.jobs, parts.authenticator, parts.settings.import_bytes),
        jobs_routes.blueprint(parts.jobs, parts.authenticator),
    ],
    "notifications": lambda parts: [notification_routes.blueprint(parts.notifications, parts.authenticator)],
    "analytics": lambda parts: [
        statistics_routes.blueprint(parts.statistics, parts.authenticator),
        report_routes.blueprint(parts.reports, parts.authenticator),
    ],
}
"""The services by name, as app.bootstrap.services lists them, and the blueprints of each."""


def create_app(container: Container, service: str = "all") -> OpenAPI:
    """Return the application: the whole of it, or one service.

    Args:
        container: what `build` returned.
        service: a name of app.bootstrap.services.
    """
    app = openapi.new_application("app")
    app.config["MAX_CONTENT_LENGTH"] = json_body.LIMIT
    middleware.register(app)
    problems.register(app)
    idempotency.register(app)
    container.limits.register(app)
    app.before_request(json_body.require_utf8_url)
    counted = (container.authenticator.lookups, container.database.replicas.reads, container.dispatcher.outcomes)
    asked = (QueueDepth(container.storage, utc_now), DatabaseMetrics(container.database))
    metrics = RequestMetrics(*counted, *asked)
    if container.settings.jobs == "inline" and service in ("all", "tasks"):
        app.extensions["inline_jobs"] = container.inline  # begun by the server, once it has forked
    app.extensions["telemetry"] = container.telemetry
    app.extensions["refused_request"] = partial(middleware.note_refused, metrics)
    app.register_blueprint(health.blueprint(container.database, lambda: container.inline.alive))
    for name, blueprints in SERVICES.items():
        if service in ("all", name):
            for blueprint in blueprints(container):
                app.register_api(blueprint)
    if service in ("all", "auth"):
        app.register_blueprint(auth_routes.keys_blueprint(container.tokens))
    app.register_api(downloads.blueprint(container.file_store, container.addresses))
    app.register_blueprint(openapi.blueprint(openapi.document(app)))
    if service == "all":
        app.register_blueprint(front_end.blueprint(versioned=not container.settings.development))
    app.wsgi_app = _layers(container, app, metrics)  # type: ignore[assignment, method-assign]
    return app


def _layers(container: Container, app: OpenAPI, metrics: RequestMetrics) -> middleware.Application:
    """Return the application behind what requests pass before Flask."""
    wsgi: middleware.Application = app.wsgi_app
    if container.counting:
        kept = [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint in container.authenticator.kept]
        wsgi = ResponseCacheMiddleware(wsgi, kept, container.authenticator, container.limits, container.counting)
    wsgi = middleware.RequestMiddleware(wsgi, metrics)
    if container.telemetry.traces:
        from app.core.http.tracing import TracingMiddleware

        wsgi = TracingMiddleware(wsgi, container.telemetry.traces)
    if container.database.seal:
        wsgi = ForwardingMiddleware(wsgi, container.database.seal)
    hops = container.settings.trusted_hops
    if hops:
        # Each proxy adds an address to X-Forwarded-For; of the others there is one value, which a trusted proxy hands
        # on.
        wsgi = ProxyFix(wsgi, x_for=hops, x_proto=1, x_host=1)
    if container.settings.metrics_listen_port == container.settings.port:
        metrics.register(app)
    else:
        wsgi = MetricsPort(wsgi, metrics, container.settings.metrics_listen_port)
    return wsgi


def application(service: str = "all") -> OpenAPI:
    """Return the application of the environment's settings: what gunicorn loads."""
    return create_app(build(load_settings()), service)
