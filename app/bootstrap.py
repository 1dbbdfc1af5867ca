"""The composition root: the one place that knows which parts stand behind which protocol."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from flask_openapi.blueprint import APIBlueprint
from flask_openapi.openapi import OpenAPI
from pydantic import SecretStr
from werkzeug.middleware.proxy_fix import ProxyFix

from app.api import (
    account,
    admin,
    attachments,
    auth,
    avatar,
    body,
    data_export,
    door,
    files,
    health,
    idempotency,
    jobs,
    notifications,
    openapi,
    password_reset,
    problems,
    reports,
    statistics,
    task_bulk,
    tasks,
    transfers,
    verification,
    web,
)
from app.api.addresses import Addresses
from app.api.cursor import Cursors
from app.api.devices import Devices
from app.api.guard import Guard
from app.api.kept import KeptAnswers
from app.api.limits import Limits
from app.api.metrics_port import MetricsPort
from app.api.moved import Moved
from app.jobs import assembly
from app.jobs.background import Inline
from app.jobs.deliveries import Deliveries
from app.jobs.depth import QueueDepth
from app.jobs.loop import Loop
from app.jobs.runner import Runner
from app.jobs.service import ImportQuota, JobService
from app.platform import redis
from app.platform.clock import new_id, utc_now
from app.platform.keys import derive, signature_key
from app.platform.metrics import RequestMetrics
from app.platform.objects.model import ObjectStore
from app.platform.objects.shelf import Shelf
from app.platform.passwords import Passwords
from app.platform.pictures import AvatarMaker
from app.platform.settings import Settings, load_settings
from app.platform.signed_ids import SignedIds
from app.platform.signer import Signer
from app.platform.telemetry import Telemetry
from app.platform.tokens import LEEWAY, AccessTokens
from app.platform.user_cache import CountingCache, UserCache
from app.services.analytics.report import ReportService
from app.services.analytics.statistics import StatisticsService
from app.services.auth.admin import AdminService
from app.services.auth.avatars import AvatarService
from app.services.auth.deletion import AccountDeletionService
from app.services.auth.registration import RegistrationService
from app.services.auth.resets import PasswordResetService
from app.services.auth.service import AuthService, Lifetimes
from app.services.auth.sessions import SessionService
from app.services.auth.verification import EmailVerificationService
from app.services.notifications.service import NotificationService
from app.services.tasks.attachments import AttachmentService
from app.services.tasks.service import TaskService
from app.storage.cache.process import ProcessUserCache
from app.storage.cache.redis import RedisUserCache
from app.storage.cache.sessions import EndedSessions
from app.storage.engine import Database, connect
from app.storage.gauges import DatabaseGauges
from app.storage.object_store import DatabaseObjects
from app.storage.work import SqlStorage

if TYPE_CHECKING:
    from redis import Redis


@dataclass(frozen=True)
class Container:
    """Everything that lives as long as the process. Nothing in it has opened a connection yet."""

    settings: Settings
    telemetry: Telemetry
    database: Database
    storage: SqlStorage
    tokens: AccessTokens
    auth: AuthService
    registration: RegistrationService
    verification: EmailVerificationService
    avatars: AvatarService
    sessions: SessionService
    resets: PasswordResetService
    admin: AdminService
    deletion: AccountDeletionService
    tasks: TaskService
    shelf: Shelf
    attachments: AttachmentService
    notifications: NotificationService
    statistics: StatisticsService
    reports: ReportService
    runner: Runner
    deliveries: Deliveries
    clockwork: tuple[Loop, ...]
    """What goes on by itself, beside requests and jobs: where no worker does the jobs, in the server."""
    inline: Inline
    jobs: JobService
    guard: Guard
    counting: CountingCache | None
    limits: Limits
    devices: Devices
    cursors: Cursors
    addresses: Addresses


SERVICES: dict[str, Callable[[Container], list[APIBlueprint]]] = {
    "auth": lambda parts: [
        auth.public_blueprint(parts.auth, parts.registration, parts.limits, parts.devices),
        password_reset.blueprint(parts.resets, parts.limits),
        auth.session_blueprint(parts.auth, parts.sessions, parts.guard),
        verification.request_blueprint(parts.verification, parts.guard, parts.limits),
        verification.confirm_blueprint(parts.verification),
        account.blueprint(
            parts.auth,
            parts.deletion,
            parts.guard,
            parts.limits,
            parts.addresses,
            parts.settings.mail_enabled,
        ),
        data_export.blueprint(parts.jobs, parts.guard),
        avatar.blueprint(parts.avatars, parts.auth, parts.guard, parts.addresses, parts.settings.mail_enabled),
        admin.blueprint(parts.admin, parts.deletion, parts.guard, parts.addresses),
    ],
    "tasks": lambda parts: [
        tasks.blueprint(parts.tasks, parts.guard, parts.cursors),
        task_bulk.blueprint(parts.tasks, parts.guard),
        attachments.blueprint(parts.attachments, parts.guard, parts.addresses),
        transfers.blueprint(parts.jobs, parts.guard, parts.settings.import_bytes),
        jobs.blueprint(parts.jobs, parts.guard),
    ],
    "notifications": lambda parts: [notifications.blueprint(parts.notifications, parts.guard)],
    "analytics": lambda parts: [
        statistics.blueprint(parts.statistics, parts.guard),
        reports.blueprint(parts.reports, parts.guard),
    ],
}
"""The services by name, as app.registry lists them, and the blueprints of each."""


def build(settings: Settings, role: str = "api") -> Container:
    """Put the parts together.

    Args:
        settings: complete settings, with a secret key.
        role: of the process, as traces and errors say it: api, worker or beat.
    """
    lifetimes = Lifetimes(
        access=timedelta(seconds=settings.access_token_lifetime),
        refresh=timedelta(seconds=settings.refresh_token_lifetime),
        overlap=timedelta(seconds=settings.refresh_overlap),
    )
    signing, *accepted = (signature_key(secret) for secret in settings.secret_keys)
    tokens = AccessTokens(signing, lifetimes.access, tuple(accepted))
    database = connect(settings, serves=role == "api")
    telemetry = Telemetry(settings, role)
    if telemetry.traces:
        from app.storage.traced import trace

        trace(database, telemetry.traces.tracer)
    client = redis.connect(settings, telemetry.traces)
    storage, cache, counting = _storage(settings, database, client)
    passwords = Passwords(
        settings.password_memory_kib, settings.password_iterations, settings.password_concurrency, settings.threads
    )
    sessions = SessionService(storage, cache, utc_now)
    password_resets = PasswordResetService(
        storage,
        passwords,
        sessions,
        SignedIds(*(derive(secret, "password-reset") for secret in settings.secret_keys)),
        settings.public_url or "",
        utc_now,
        new_id,
    )
    devices = Devices(new_id, *(derive(secret, "device") for secret in settings.secret_keys))
    verification_service = EmailVerificationService(
        storage,
        Signer(*(derive(secret, "email-verification") for secret in settings.secret_keys)),
        settings.public_url or "",
        utc_now,
        new_id,
    )
    registration_service = RegistrationService(
        storage, passwords, settings.public_url or "", settings.mail_enabled, utc_now, new_id
    )
    letters = assembly.AccountLetters(password_resets, verification_service, registration_service)
    shelf = Shelf(storage, _objects(settings, storage), utc_now, new_id)
    runner = assembly.runner(settings, storage, shelf, letters, telemetry.spans)
    deliveries = assembly.deliveries(settings, storage, telemetry.spans)
    clockwork = assembly.clockwork(settings, storage, deliveries)
    inline = Inline(storage, runner, utc_now, settings.job_poll, shelf.sweep, clockwork)
    return Container(
        settings=settings,
        telemetry=telemetry,
        database=database,
        storage=storage,
        tokens=tokens,
        auth=AuthService(storage, passwords, tokens, sessions, lifetimes, utc_now, new_id),
        registration=registration_service,
        verification=verification_service,
        avatars=AvatarService(storage, shelf, AvatarMaker(), utc_now),
        sessions=sessions,
        resets=password_resets,
        admin=AdminService(storage, sessions, utc_now, new_id),
        deletion=AccountDeletionService(storage, passwords, sessions, utc_now, new_id),
        tasks=TaskService(storage, utc_now, new_id),
        shelf=shelf,
        attachments=AttachmentService(storage, shelf, utc_now, settings.attachment_quota),
        notifications=NotificationService(storage, utc_now),
        statistics=StatisticsService(storage, utc_now),
        reports=ReportService(storage, utc_now),
        runner=runner,
        deliveries=deliveries,
        clockwork=clockwork,
        inline=inline,
        jobs=JobService(
            storage, utc_now, new_id, inline.wake, ImportQuota(settings.import_jobs, settings.import_quota)
        ),
        guard=Guard(tokens, cache),
        counting=counting,
        limits=Limits(settings, tokens, client, devices),
        devices=devices,
        cursors=Cursors(*(derive(secret, "cursor") for secret in settings.secret_keys)),
        addresses=Addresses(utc_now, *(derive(secret, "file-address") for secret in settings.secret_keys)),
    )


def _storage(
    settings: Settings, database: Database, client: "Redis | None"
) -> tuple[SqlStorage, UserCache, CountingCache | None]:
    """Return the storage, and the cache that it tells of changes: in the process, or in Redis, where it counts too."""
    storage = SqlStorage(database)
    if client is None:
        return storage, ProcessUserCache(storage), None
    # A denied session is remembered beyond the life of its tokens, for servers whose clocks are behind.
    cache = RedisUserCache(client, settings.access_token_lifetime + LEEWAY, EndedSessions(storage), database.position)
    return SqlStorage(database, cache.changed), cache, cache


def _objects(settings: Settings, storage: SqlStorage) -> ObjectStore:
    """Return the store of uploaded files that the settings name."""
    if settings.objects == "s3":
        from app.platform.objects.s3 import S3Objects

        return S3Objects(settings)
    if settings.objects_directory is not None and settings.objects == "directory":
        from app.platform.objects.directory import DirectoryObjects

        return DirectoryObjects(settings.objects_directory)
    return DatabaseObjects(storage)


def create_app(container: Container, service: str = "all") -> OpenAPI:
    """Return the application: the whole of it, or one service.

    Args:
        container: what `build` returned.
        service: a name of app.registry.
    """
    app = openapi.new_application("app")
    app.config["MAX_CONTENT_LENGTH"] = body.LIMIT
    door.register(app)
    problems.register(app)
    idempotency.register(app)
    container.limits.register(app)
    app.before_request(body.require_utf8_url)
    counted = (container.guard.lookups, container.database.replicas.reads, container.deliveries.outcomes)
    asked = (QueueDepth(container.storage, utc_now), DatabaseGauges(container.database))
    metrics = RequestMetrics(*counted, *asked)
    if container.settings.jobs == "inline" and service in ("all", "tasks"):
        app.extensions["inline_jobs"] = container.inline  # begun by the server, once it has forked
    app.extensions["telemetry"] = container.telemetry
    app.extensions["refused_request"] = partial(door.note_refused, metrics)
    app.register_blueprint(health.blueprint(container.database, lambda: container.inline.alive))
    for name, blueprints in SERVICES.items():
        if service in ("all", name):
            for blueprint in blueprints(container):
                app.register_api(blueprint)
    if service in ("all", "auth"):
        app.register_blueprint(auth.keys_blueprint(container.tokens))
    app.register_api(files.blueprint(container.shelf, container.addresses))
    app.register_blueprint(openapi.blueprint(openapi.document(app)))
    if service == "all":
        app.register_blueprint(web.blueprint(versioned=not container.settings.development))
    app.wsgi_app = _layers(container, app, metrics)  # type: ignore[assignment, method-assign]
    return app


def _layers(container: Container, app: OpenAPI, metrics: RequestMetrics) -> door.Application:
    """Return the application behind what requests pass before Flask."""
    wsgi: door.Application = app.wsgi_app
    if container.counting:
        kept = [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint in container.guard.kept]
        wsgi = KeptAnswers(wsgi, kept, container.guard, container.limits, container.counting)
    wsgi = door.Door(wsgi, metrics)
    if container.telemetry.traces:
        from app.api.traced import Traced

        wsgi = Traced(wsgi, container.telemetry.traces)
    if container.database.seal:
        wsgi = Moved(wsgi, container.database.seal)
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


def sample_settings() -> Settings:
    """Return settings that open nothing, to describe the application rather than run it."""
    return Settings(
        environment="development",
        database_url=SecretStr("sqlite:///:memory:"),
        secret_key=SecretStr("only-to-describe-the-application-never-to-sign"),
        password_memory_kib=8,
    )
