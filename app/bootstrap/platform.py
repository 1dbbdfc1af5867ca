"""Resources that the services of a process share: settings, database, cache, keys, files, limits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from app.core.cache.client import connect as connect_redis
from app.core.cache.interface import CountingCache, SessionStates, UserCache
from app.core.cache.process import ProcessUserCache
from app.core.cache.redis import RedisUserCache
from app.core.clock import new_id, utc_now
from app.core.database.engine import Database, connect
from app.core.database.unit_of_work import Storage, UnitOfWork, W
from app.core.http.authentication import Authenticator
from app.core.http.devices import Devices
from app.core.http.rate_limits import Limits
from app.core.http.signed_urls import SignedUrls
from app.core.objects.database import DatabaseObjects
from app.core.objects.file_service import FileStore
from app.core.objects.model import ObjectStore
from app.core.observability.telemetry import Telemetry
from app.core.security.keys import derive
from app.core.security.tokens import LEEWAY, AccessTokens, TokenVerifier
from app.core.settings import Settings

Changed = Callable[[set[UUID], int | None], None]


@dataclass(frozen=True)
class Platform:
    """Shared resources.

    Args:
        changed: invalidates cached responses of users after a commit; None for a cache that asks the database.
        service: the only service of the process; None where it has all of them.
        counting: the Redis cache, which counts a request and looks up its response in one command; None without Redis.
    """

    settings: Settings
    telemetry: Telemetry
    database: Database
    changed: Changed | None
    cache: UserCache
    counting: CountingCache | None
    tokens: TokenVerifier
    authenticator: Authenticator
    limits: Limits
    devices: Devices
    file_store: FileStore
    signed_urls: SignedUrls
    service: str | None = None

    @property
    def issuer(self) -> AccessTokens:
        """The issuer of access tokens, in a process with the auth service."""
        if not isinstance(self.tokens, AccessTokens):
            raise TypeError("only a process with the auth service issues tokens")
        return self.tokens

    def storage(self, unit_of_work: type[W]) -> Storage[W]:
        """Return the storage of a service for its unit of work."""
        return Storage(self.database, unit_of_work, self.changed)

    def keys(self, purpose: str) -> Iterator[bytes]:
        """Return the keys derived for a purpose: the first one signs, all verify."""
        return (derive(secret, purpose) for secret in self.settings.secret_keys)


def build_platform(
    settings: Settings,
    role: str,
    tokens: TokenVerifier,
    session_states: Callable[[Database], SessionStates],
    service: str | None = None,
) -> Platform:
    """Build the shared resources; opens no connection.

    Args:
        settings: complete settings, with a secret key.
        role: role of the process in traces and error reports: api, worker or beat.
        tokens: verifies access tokens.
        session_states: returns the source of session states, given the database.
        service: the only service of the process; None where it has all of them.
    """
    database = connect(settings, serves=role == "api")
    telemetry = Telemetry(settings, f"{service}-{role}" if service else role)
    if telemetry.traces:
        from app.core.database.tracing import trace

        trace(database, telemetry.traces.tracer)
    redis = connect_redis(settings, telemetry.traces)
    states = session_states(database)
    cache: ProcessUserCache | RedisUserCache
    if redis is None:
        cache, counting, changed = ProcessUserCache(states), None, None
    else:
        # Denylist entries outlive the tokens by LEEWAY, for servers whose clocks are behind.
        lifetime = settings.access_token_lifetime + LEEWAY
        cache = RedisUserCache(redis, lifetime, states, database.position, settings.redis_prefix)
        counting, changed = cache, cache.changed
    devices = Devices(new_id, *(derive(secret, "device") for secret in settings.secret_keys))
    file_storage = Storage(database, UnitOfWork, changed)
    return Platform(
        settings=settings,
        telemetry=telemetry,
        database=database,
        changed=changed,
        cache=cache,
        counting=counting,
        tokens=tokens,
        authenticator=Authenticator(tokens, cache),
        limits=Limits(settings, tokens, redis, devices),
        devices=devices,
        file_store=FileStore(file_storage, _objects(settings, file_storage), utc_now, new_id),
        signed_urls=SignedUrls(utc_now, service, *(derive(secret, "file-address") for secret in settings.secret_keys)),
        service=service,
    )


def _objects(settings: Settings, storage: Storage[UnitOfWork]) -> ObjectStore:
    """Return the configured object store."""
    if settings.objects == "s3":
        from app.core.objects.s3 import S3Objects

        return S3Objects(settings)
    if settings.objects_directory is not None and settings.objects == "directory":
        from app.core.objects.directory import DirectoryObjects

        return DirectoryObjects(settings.objects_directory)
    return DatabaseObjects(storage)
