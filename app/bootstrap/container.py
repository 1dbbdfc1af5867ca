"""Dependency container of a process."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import SecretStr

from app.analytics.report import ReportService
from app.analytics.statistics import StatisticsService
from app.auth.account_deletion import AccountDeletionService
from app.auth.admin import AdminService
from app.auth.avatars import AvatarService
from app.auth.email_verification import EmailVerificationService
from app.auth.password_resets import PasswordResetService
from app.auth.registration import RegistrationService
from app.auth.service import AuthService, Lifetimes
from app.auth.session_states import SessionStates
from app.auth.sessions import SessionService
from app.bootstrap import jobs as wiring
from app.bootstrap.retention import RULES
from app.bootstrap.unit_of_work import SystemStorage, SystemUnitOfWork
from app.core.cache.client import connect as connect_redis
from app.core.cache.interface import CountingCache, UserCache
from app.core.cache.process import ProcessUserCache
from app.core.cache.redis import RedisUserCache
from app.core.clock import new_id, utc_now
from app.core.database.engine import Database, connect
from app.core.events.dispatcher import Dispatcher
from app.core.http.authentication import Authenticator
from app.core.http.devices import Devices
from app.core.http.rate_limits import Limits
from app.core.http.signed_urls import SignedUrls
from app.core.images import AvatarMaker
from app.core.jobs.background import Inline
from app.core.jobs.polling_loop import PollingLoop
from app.core.jobs.runner import Runner
from app.core.jobs.service import ImportQuota, JobService
from app.core.objects.database import DatabaseObjects
from app.core.objects.file_service import FileStore
from app.core.objects.model import ObjectStore
from app.core.observability.telemetry import Telemetry
from app.core.security.keys import derive, signature_key
from app.core.security.passwords import Passwords
from app.core.security.signed_ids import SignedIds
from app.core.security.signing import Signer
from app.core.security.tokens import LEEWAY, AccessTokens
from app.core.settings import Settings
from app.notifications.service import NotificationService
from app.tasks.attachments import AttachmentService
from app.tasks.cursors import Cursors
from app.tasks.service import TaskService

if TYPE_CHECKING:
    from redis import Redis


@dataclass(frozen=True)
class Container:
    """Everything that lives as long as the process. Nothing in it has opened a connection yet."""

    settings: Settings
    telemetry: Telemetry
    database: Database
    storage: SystemStorage
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
    file_store: FileStore
    attachments: AttachmentService
    notifications: NotificationService
    statistics: StatisticsService
    reports: ReportService
    runner: Runner[SystemUnitOfWork]
    dispatcher: Dispatcher[SystemUnitOfWork]
    polling_loops: tuple[PollingLoop, ...]
    """What goes on by itself, beside requests and jobs: where no worker does the jobs, in the server."""
    inline: Inline
    jobs: JobService
    authenticator: Authenticator
    counting: CountingCache | None
    limits: Limits
    devices: Devices
    cursors: Cursors
    addresses: SignedUrls


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
        from app.core.database.tracing import trace

        trace(database, telemetry.traces.tracer)
    redis = connect_redis(settings, telemetry.traces)
    storage, cache, counting = _storage(settings, database, redis)
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
    letters = wiring.AccountEmailTemplates(password_resets, verification_service, registration_service)
    file_store = FileStore(storage, _objects(settings, storage), utc_now, new_id)
    runner = wiring.runner(settings, storage, file_store, letters, telemetry.spans)
    dispatcher = wiring.dispatcher(settings, storage, telemetry.spans)
    polling_loops = wiring.polling_loops(settings, storage, dispatcher)
    inline = Inline(storage, runner, utc_now, settings.job_poll, file_store.sweep, RULES, polling_loops)
    return Container(
        settings=settings,
        telemetry=telemetry,
        database=database,
        storage=storage,
        tokens=tokens,
        auth=AuthService(storage, passwords, tokens, sessions, lifetimes, utc_now, new_id),
        registration=registration_service,
        verification=verification_service,
        avatars=AvatarService(storage, file_store, AvatarMaker(), utc_now),
        sessions=sessions,
        resets=password_resets,
        admin=AdminService(storage, sessions, utc_now, new_id),
        deletion=AccountDeletionService(storage, passwords, sessions, utc_now, new_id),
        tasks=TaskService(storage, utc_now, new_id),
        file_store=file_store,
        attachments=AttachmentService(storage, file_store, utc_now, settings.attachment_quota),
        notifications=NotificationService(storage, utc_now),
        statistics=StatisticsService(storage, utc_now),
        reports=ReportService(storage, utc_now),
        runner=runner,
        dispatcher=dispatcher,
        polling_loops=polling_loops,
        inline=inline,
        jobs=JobService(
            storage,
            utc_now,
            new_id,
            inline.wake,
            ImportQuota(settings.import_jobs, settings.import_quota),
            wiring.KINDS,
        ),
        authenticator=Authenticator(tokens, cache),
        counting=counting,
        limits=Limits(settings, tokens, redis, devices),
        devices=devices,
        cursors=Cursors(*(derive(secret, "cursor") for secret in settings.secret_keys)),
        addresses=SignedUrls(utc_now, *(derive(secret, "file-address") for secret in settings.secret_keys)),
    )


def _storage(
    settings: Settings, database: Database, client: "Redis | None"
) -> tuple[SystemStorage, UserCache, CountingCache | None]:
    """Return the storage, and the cache that it tells of changes: in the process, or in Redis, where it counts too."""
    storage = SystemStorage(database)
    if client is None:
        return storage, ProcessUserCache(SessionStates(storage)), None
    # A denied session is remembered beyond the life of its tokens, for servers whose clocks are behind.
    cache = RedisUserCache(client, settings.access_token_lifetime + LEEWAY, SessionStates(storage), database.position)
    return SystemStorage(database, cache.changed), cache, cache


def _objects(settings: Settings, storage: SystemStorage) -> ObjectStore:
    """Return the store of uploaded files that the settings name."""
    if settings.objects == "s3":
        from app.core.objects.s3 import S3Objects

        return S3Objects(settings)
    if settings.objects_directory is not None and settings.objects == "directory":
        from app.core.objects.directory import DirectoryObjects

        return DirectoryObjects(settings.objects_directory)
    return DatabaseObjects(storage)


def sample_settings() -> Settings:
    """Return settings that open nothing, to describe the application rather than run it."""
    return Settings(
        environment="development",
        database_url=SecretStr("sqlite:///:memory:"),
        secret_key=SecretStr("only-to-describe-the-application-never-to-sign"),
        password_memory_kib=8,
    )
