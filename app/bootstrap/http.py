"""WSGI application: blueprints of each service, behind the request middleware."""

from collections.abc import Mapping
from functools import partial

from flask_openapi.openapi import OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from app.bootstrap.container import Container, build
from app.bootstrap.documentation import committed_document
from app.bootstrap.schema import branches
from app.bootstrap.services import ALL, FRONT_END, chosen, complete
from app.core.clock import utc_now
from app.core.database.metrics import DatabaseMetrics
from app.core.database.unit_of_work import UnitOfWork
from app.core.database_split.routes import ServiceRoutes
from app.core.http import downloads, front_end, health, idempotency, json_body, middleware, openapi, problems
from app.core.http.metrics_port import MetricsPort
from app.core.http.response_cache import ResponseCacheMiddleware
from app.core.jobs import data_export_part_routes
from app.core.jobs.queue_metrics import QueueDepth
from app.core.observability.metrics import RequestMetrics
from app.core.settings import load_settings
from app.core.sqlite_migration.forwarding import ForwardingMiddleware


def create_app(container: Container) -> OpenAPI:
    """Return the application of the container's services.

    Args:
        container: as returned by `build`.
    """
    platform, settings, database = container.platform, container.settings, container.database
    app = openapi.new_application("app")
    app.config["MAX_CONTENT_LENGTH"] = json_body.LIMIT
    middleware.register(app)
    problems.register(app)
    idempotency.register(app)
    platform.limits.register(app)
    app.before_request(json_body.require_utf8_url)
    counted = (platform.authenticator.lookups, database.replicas.reads, container.background.deliveries)
    polled = (QueueDepth(platform.storage(UnitOfWork), utc_now), DatabaseMetrics(database))
    of_services = (collector for service in container.services.values() for collector in service.collectors)
    metrics = RequestMetrics(*counted, *polled, *of_services, *platform.tokens.collectors)
    if settings.jobs == "inline":
        app.extensions["inline_jobs"] = container.inline  # started by the server after the fork
    app.extensions["telemetry"] = platform.telemetry
    app.extensions["refused_request"] = partial(middleware.note_refused, metrics)
    app.register_blueprint(health.blueprint(database, branches(container.services), lambda: container.inline.alive))
    owners: dict[str, str] = {}
    for service in container.services.values():
        part = data_export_part_routes.blueprint(service.name, container.jobs, platform.authenticator)
        for blueprint in (*service.blueprints(container.jobs), part):
            app.register_api(blueprint)
            owners[blueprint.name] = service.name
    if "auth" in container.services:
        from app.auth import routes

        app.register_blueprint(keys := routes.keys_blueprint(platform.issuer))
        owners[keys.name] = "auth"
    app.register_api(downloads.blueprint(platform.file_store, platform.signed_urls))
    whole = complete(container.services) or FRONT_END not in container.services
    app.register_blueprint(openapi.blueprint(openapi.document(app) if whole else committed_document()))
    if FRONT_END in container.services:
        app.register_blueprint(front_end.blueprint(versioned=not settings.development))
    app.wsgi_app = _layers(container, app, owners, metrics)  # type: ignore[assignment, method-assign]
    return app


def _layers(
    container: Container, app: OpenAPI, owners: Mapping[str, str], metrics: RequestMetrics
) -> middleware.Application:
    """Return the application behind its WSGI middleware.

    Args:
        owners: the service of each blueprint.
    """
    platform, settings = container.platform, container.settings
    authenticator = platform.authenticator
    wsgi: middleware.Application = app.wsgi_app
    if platform.counting:
        cached = [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint in authenticator.cached_endpoints]
        wsgi = ResponseCacheMiddleware(wsgi, cached, authenticator, platform.limits, platform.counting)
    wsgi = middleware.RequestMiddleware(wsgi, metrics)
    if platform.telemetry.traces:
        from app.core.http.tracing import TracingMiddleware

        wsgi = TracingMiddleware(wsgi, platform.telemetry.traces)
    if lock := container.database.handover_lock:
        wsgi = ForwardingMiddleware(wsgi, lambda _environ, _now: lock.address())
    elif (moved := container.database.moved_services) and complete(container.services):
        routes = ServiceRoutes(app.url_map, owners)
        wsgi = ForwardingMiddleware(wsgi, partial(routes.moved_to, moved), moved.expected)
    if settings.trusted_hops:
        # Each proxy appends to X-Forwarded-For; the other headers have a single value, which trusted proxies pass on.
        wsgi = ProxyFix(wsgi, x_for=settings.trusted_hops, x_proto=1, x_host=1)
    if settings.metrics_listen_port == settings.port:
        metrics.register(app)
    else:
        wsgi = MetricsPort(wsgi, metrics, settings.metrics_listen_port)
    return wsgi


def application(service: str = ALL) -> OpenAPI:
    """Return the application of the environment's settings; gunicorn's entry point.

    Args:
        service: a name of app.bootstrap.services.
    """
    return create_app(build(load_settings(), services=chosen(service)))
