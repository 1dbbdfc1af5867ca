"""Wiring of the auth service."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from app.auth import email_verification, password_resets, registration
from app.auth.account_deletion import AccountDeletionService
from app.auth.admin import AdminService
from app.auth.avatars import AvatarService
from app.auth.consumers import ENDED_SESSIONS, RECENT_DELETIONS, EndsRequestedConsumer
from app.auth.deletion_job import RepeatDeletions
from app.auth.email_verification import EmailVerificationService
from app.auth.ended_sessions_job import RepeatEndedSessions
from app.auth.events import EVENTS, export_requested
from app.auth.password_resets import PasswordResetService
from app.auth.personal_data import AccountData, AuditData
from app.auth.registration import RegistrationService
from app.auth.retention import RULES
from app.auth.service import AuthService, Lifetimes
from app.auth.sessions import SessionService
from app.auth.unit_of_work import AuthUnitOfWork
from app.bootstrap.platform import Platform
from app.bootstrap.services import SERVICES
from app.bootstrap.wiring import Service
from app.core.clock import new_id, utc_now
from app.core.images import AvatarMaker
from app.core.jobs.mail_jobs import SendMail
from app.core.jobs.scheduler import Entry
from app.core.mail import mailer
from app.core.security.passwords import Passwords
from app.core.security.signed_ids import SignedIds
from app.core.security.signing import Signer
from app.core.security.tokens import LEEWAY

if TYPE_CHECKING:
    from flask_openapi.blueprint import APIBlueprint

    from app.core.jobs.service import JobService


class Auth(Service):
    name = "auth"
    rules = RULES
    events = EVENTS
    schedule = (Entry("deletions", hour=3),)
    consumers = (EndsRequestedConsumer(utc_now, new_id),)

    def __init__(self, platform: Platform) -> None:
        settings = platform.settings
        storage = platform.storage(AuthUnitOfWork)
        passwords = Passwords(
            settings.password_memory_kib, settings.password_iterations, settings.password_concurrency, settings.threads
        )
        lifetimes = Lifetimes(
            access=timedelta(seconds=settings.access_token_lifetime),
            refresh=timedelta(seconds=settings.refresh_token_lifetime),
            overlap=timedelta(seconds=settings.refresh_overlap),
        )
        url = settings.public_url or ""
        self._platform = platform
        self.storage = storage
        validity = lifetimes.access + timedelta(seconds=LEEWAY)
        self.sessions = SessionService(storage, platform.cache, validity, utc_now, new_id)
        self.service = AuthService(storage, passwords, platform.issuer, self.sessions, lifetimes, utc_now, new_id)
        self.registration = RegistrationService(storage, passwords, url, settings.mail_enabled, utc_now, new_id)
        self.verification = EmailVerificationService(
            storage, Signer(*platform.keys("email-verification")), url, utc_now, new_id
        )
        self.resets = PasswordResetService(
            storage, passwords, self.sessions, SignedIds(*platform.keys("password-reset")), url, utc_now, new_id
        )
        self.avatars = AvatarService(storage, platform.file_store, AvatarMaker(), utc_now)
        self.admin = AdminService(storage, self.sessions, utc_now, new_id)
        self.deletion = AccountDeletionService(storage, passwords, self.sessions, utc_now, new_id)
        sender = mailer(settings)
        self.handlers = {
            "deletions": RepeatDeletions(utc_now, new_id),
            RECENT_DELETIONS: RepeatDeletions(utc_now, new_id, validity),
            ENDED_SESSIONS: RepeatEndedSessions(validity, utc_now, new_id),
        }
        self.side_effects = {
            password_resets.MAIL: SendMail(sender, self.resets),
            email_verification.MAIL: SendMail(sender, self.verification),
            registration.MAIL: SendMail(sender, self.registration),
        }
        self.data = (AccountData(platform.file_store), AuditData())

    def blueprints(self, jobs: "JobService") -> "list[APIBlueprint]":
        from app.auth import (
            account_routes,
            admin_routes,
            avatar_routes,
            password_reset_routes,
            routes,
            verification_routes,
        )
        from app.core.jobs import data_export_routes
        from app.core.jobs.data_export_service import DataExportService

        shared = self._platform
        authenticator, limits, urls = shared.authenticator, shared.limits, shared.signed_urls
        mail = shared.settings.mail_enabled
        apart = shared.service is not None
        ask_others = partial(export_requested, new_id=new_id)
        whole = shared.database.shared_by_all
        exports = DataExportService(jobs, self.name, ask_others, apart=apart, whole=whole)
        return [
            routes.public_blueprint(self.service, self.registration, limits, shared.devices),
            password_reset_routes.blueprint(self.resets, limits),
            routes.session_blueprint(self.service, self.sessions, authenticator),
            verification_routes.request_blueprint(self.verification, authenticator, limits),
            verification_routes.confirm_blueprint(self.verification),
            account_routes.blueprint(self.service, self.deletion, authenticator, limits, urls, mail),
            data_export_routes.blueprint(exports, authenticator, SERVICES),
            avatar_routes.blueprint(self.avatars, self.service, authenticator, urls, mail),
            admin_routes.blueprint(self.admin, self.deletion, authenticator, urls),
        ]
