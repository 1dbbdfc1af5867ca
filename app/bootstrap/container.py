"""Dependency container of a process: the platform, some services, and their background work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, cast

from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from app.bootstrap.background import Background, background
from app.bootstrap.platform import Platform, build_platform
from app.bootstrap.services import SERVICES
from app.bootstrap.wiring import Service
from app.core.cache.interface import SessionStates
from app.core.clock import new_id, utc_now
from app.core.database.engine import Database
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.jobs import data_export_job, data_export_parts
from app.core.jobs.background import Inline
from app.core.jobs.service import ImportQuota, JobService
from app.core.security.tokens import AccessTokens, TokenVerifier
from app.core.settings import Settings, required_jwks_url

if TYPE_CHECKING:
    from app.bootstrap.analytics import Analytics
    from app.bootstrap.auth import Auth
    from app.bootstrap.notifications import Notifications
    from app.bootstrap.tasks import Tasks


@dataclass(frozen=True)
class Container:
    """Everything that lives as long as the process. Building it opens no connection.

    Args:
        services: services of this process, by name.
        inline: runs jobs in this process.
        jobs: service of the users' jobs.
    """

    platform: Platform
    services: Mapping[str, Service]
    background: Background
    inline: Inline
    jobs: JobService

    @property
    def settings(self) -> Settings:
        return self.platform.settings

    @property
    def database(self) -> Database:
        return self.platform.database

    @property
    def auth(self) -> "Auth":
        return cast("Auth", self.services["auth"])

    @property
    def tasks(self) -> "Tasks":
        return cast("Tasks", self.services["tasks"])

    @property
    def notifications(self) -> "Notifications":
        return cast("Notifications", self.services["notifications"])

    @property
    def analytics(self) -> "Analytics":
        return cast("Analytics", self.services["analytics"])


def build(settings: Settings, role: str = "api", services: Sequence[str] = SERVICES) -> Container:
    """Build the container; modules of services not named are not imported.

    Args:
        settings: complete settings, with a secret key.
        role: role of the process in traces and error reports: api, worker or beat.
        services: names of app.bootstrap.services.

    Raises:
        SettingsError: a server of these services needs a further setting.
    """
    alone = None if len(services) > 1 else services[0]
    if "auth" in services:
        platform = build_platform(settings, role, _issuer(settings), _local_sessions, alone)
    else:
        # Workers and beat get no tokens.
        verifier = _remote_verifier(settings) if role == "api" else TokenVerifier({})
        platform = build_platform(settings, role, verifier, _remote_sessions, alone)
    return assemble(platform, services)


def assemble(platform: Platform, services: Sequence[str] = SERVICES) -> Container:
    """Wire services on a platform. Arguments are those of `build`."""
    settings = platform.settings
    wired: dict[str, Service] = {
        name: getattr(import_module(f"app.bootstrap.{name}"), name.title())(platform) for name in services
    }
    work = background(platform, tuple(wired.values()))
    core = platform.storage(UnitOfWork)
    inline = Inline(core, work.runner, utc_now, settings.job_poll, platform.file_store.sweep, work.rules, work.loops)
    kinds = {kind: each for service in wired.values() for kind, each in service.kinds.items()}
    kinds[data_export_job.KIND] = data_export_job.ARCHIVE
    kinds |= {data_export_parts.kind_of(name): data_export_parts.archive_of(name) for name in wired}
    quota = ImportQuota(settings.import_jobs, settings.import_quota)
    jobs = JobService(core, utc_now, new_id, inline.wake, quota, kinds)
    return Container(platform, wired, work, inline, jobs)


def _issuer(settings: Settings) -> AccessTokens:
    from app.core.security.keys import signature_key

    signing, *accepted = (signature_key(secret) for secret in settings.secret_keys)
    return AccessTokens(signing, timedelta(seconds=settings.access_token_lifetime), tuple(accepted))


def _remote_verifier(settings: Settings) -> TokenVerifier:
    """Return the verifier of a process without the auth service: it has no key that could sign."""
    from app.core.security.remote_keys import RemoteKeys

    keys = RemoteKeys(required_jwks_url(settings))
    return TokenVerifier(keys, (keys.fetches,))


def _local_sessions(database: Database) -> SessionStates:
    from app.auth.session_states import SessionStates as AuthSessionStates
    from app.auth.unit_of_work import AuthUnitOfWork

    return AuthSessionStates(Storage(database, AuthUnitOfWork))


def _remote_sessions(database: Database) -> SessionStates:
    from app.core.sessions.remote_states import RemoteSessionStates

    return RemoteSessionStates(Storage(database, UnitOfWork))


class _SampleSettings(Settings):
    """Settings that no variable of the environment goes into: a command of a release has those of its servers."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def sample_settings() -> Settings:
    """Return settings that suffice to build the application for what it says of itself, whatever the environment."""
    return _SampleSettings(
        environment="development",
        database_url=SecretStr("sqlite:///:memory:"),
        secret_key=SecretStr("only-to-describe-the-application-never-to-sign"),
        jwks_url="http://127.0.0.1/only-to-describe-the-application",
        password_memory_kib=8,
    )
