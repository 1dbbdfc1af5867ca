"""Settings, read once from the environment (prefix APP_) and frozen."""

import os
import re
import socket
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from app.core.observability.settings import TelemetrySettings

MINIMUM_SECRET_BYTES = 32
"""256 bits: at least as long as the keys derived from it."""

MINIMUM_SECRET_SYMBOLS = 10
"""Fewer distinct characters in 32 bytes mean a typed-in placeholder, not a random key."""

REPLICA = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?", re.ASCII)

LIMIT = re.compile(r"[1-9]\d{0,8} per (second|minute|hour|day)", re.ASCII)

SENDER = re.compile(r"(?:[\w .,'-]+ <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)")

PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?", re.ASCII)

KEY_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{1,40}", re.ASCII)
"""Without braces: the keys that follow have hash tags, and the first braces of a key count."""

KEYS_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?/[\w./~-]*", re.ASCII)

COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)

SMS_URL = re.compile(r"https://[A-Za-z0-9.-]+(?::\d{1,5})?|http://(?:127\.0\.0\.1|localhost)(?::\d{1,5})?", re.ASCII)
"""Without TLS only on the loopback interface."""

SCHEMES = {
    "database_url": ("sqlite:///", "postgresql+psycopg2://"),
    "redis_url": ("redis://", "rediss://"),
    "broker_url": ("redis://", "rediss://", "amqp://", "amqps://"),
    "events_url": ("amqp://", "amqps://"),
}
"""How the URLs of servers may begin."""

METRICS_PORT = 9464
"""Default port of OpenTelemetry's Prometheus exporter; not used by Kubernetes itself."""

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

DEVELOPMENT_DIRECTORY = Path(".cache/dev")


class SettingsError(Exception):
    """A setting is missing or invalid; the message is one line that names the variable."""


class Settings(TelemetrySettings):
    """Configuration of a process. Durations are in seconds, sizes in the unit of the name."""

    model_config = SettingsConfigDict(
        env_prefix="APP_", env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    environment: Literal["development", "production"] = "production"
    host: str = Field(default="", description="Address to listen on; empty: see listen_address")
    port: int = Field(default=8000, ge=1, le=65535)
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port of /metrics; empty: 9464, or in development APP_PORT",
    )
    threads: int = Field(default=8, ge=1, le=256)
    connections: int = Field(
        default=1000, ge=100, le=100_000, description="Maximum open connections; beyond it an idle one is closed"
    )
    header_timeout: float = Field(
        default=10, ge=0.1, le=600, description="Seconds for a request's header, from its first byte"
    )
    client_stall_timeout: float = Field(
        default=30,
        ge=0.1,
        le=600,
        description="Budget of seconds that the server waits for a client, to send a body or to read a response, beyond"
        " what the minimum rate allows",
    )
    client_minimum_rate: int = Field(
        default=1024, ge=1, description="Bytes a second at which a slow client is never cut off"
    )
    client_threads: int = Field(
        default=32, ge=1, le=1024, description="Threads that may be blocked on slow clients, beside `threads`"
    )
    graceful_timeout: int = Field(default=20, ge=1, le=600, description="Seconds for requests to finish after SIGTERM")
    trusted_hops: int = Field(default=0, ge=0, le=10, description="Number of trusted proxies that set X-Forwarded-*")
    drain_file: Path = Field(
        default=Path("/tmp/draining"),  # noqa: S108 the only writable path of the container, and holds no secrets
        description="While this file exists, every response closes its connection",
    )

    database_url: SecretStr | None = None
    database_host: str | None = None
    database_port: int = Field(default=5432, ge=1, le=65535)
    database_name: str = "tasks"
    database_user: str = "tasks"
    database_password: SecretStr | None = None
    pool_size: int = Field(default=8, ge=1, le=200)
    max_overflow: int = Field(default=2, ge=0, le=200)
    statement_timeout: float = Field(default=15, ge=0.01, le=3600, description="Time-out of one SQL statement")
    database_replica_host: str | None = Field(
        default=None,
        description="Read replicas, or a service in front of them, as host or host:port, separated by spaces",
    )
    database_replica_lag: float = Field(
        # Users read their own writes whatever this is; only others may see older data. During a failover a replica's
        # lag grows with each second, and reads should not stop before a new primary is promoted.
        default=30,
        ge=0.1,
        le=3600,
        description="Maximum replication lag of a replica that is read",
    )

    database_inherits: bool = Field(
        default=False,
        description="Whether to wait until `carry` or `split-database` has brought all data here",
    )

    redis_url: SecretStr | None = None
    redis_host: str | None = None
    redis_port: int = Field(default=6379, ge=1, le=65535)
    redis_user: str | None = None
    redis_password: SecretStr | None = None
    redis_cluster: bool = Field(default=False, description="Whether Redis is a Redis Cluster")
    redis_prefix: str = Field(
        default="", description="Prefix of every key in Redis, such as `tasks:`, where services share a server"
    )

    jobs: Literal["inline", "celery"] = Field(
        default="inline", description="Where jobs run: in threads of the server, or in Celery workers"
    )
    broker_url: SecretStr | None = Field(
        default=None, description="Celery broker, Redis or RabbitMQ; by default database 1 of the settings' Redis"
    )
    broker_host: str | None = Field(
        default=None, description="Host of the broker, if not given as URL: a Redis, not a Redis Cluster"
    )
    broker_port: int = Field(default=6379, ge=1, le=65535)
    broker_user: str | None = None
    broker_password: SecretStr | None = None
    broker_virtual_host: str | None = Field(
        default=None, description="Virtual host for jobs in the RabbitMQ of events, which is the broker then"
    )
    events_url: SecretStr | None = Field(
        default=None, description="RabbitMQ for events; by default they are delivered within the process"
    )
    events_host: str | None = Field(default=None, description="Host of that RabbitMQ, if not given as URL")
    events_port: int = Field(default=5672, ge=1, le=65535)
    events_user: str | None = None
    events_password: SecretStr | None = None
    events_ca_file: Path | None = Field(
        default=None, description="Certificates that RabbitMQ's is verified by; with a host it means TLS"
    )
    events_poll: float = Field(
        # Part of the second within which an ended session is refused everywhere. At 0.1 an idle `beat` took 2.5 % of a
        # core, at 1.0 it took 0.75 % (PostgreSQL, 2026-11-30).
        default=0.2,
        ge=0.01,
        le=60,
        description="Seconds between polls for events to publish to that RabbitMQ",
    )
    visibility_timeout: int = Field(
        default=60, ge=1, le=3600, description="Seconds after which the job of a crashed worker is redelivered"
    )
    worker_concurrency: int = Field(default=4, ge=1, le=64, description="Concurrent jobs of a worker")
    job_attempts: int = Field(default=5, ge=1, le=100, description="Attempts of a job before it fails")
    job_backoff: float = Field(
        default=2.0, ge=0.01, le=600, description="Seconds before the first retry; doubles with each"
    )
    job_poll: float = Field(default=1.0, ge=0.01, le=60, description="Seconds between polls for due jobs")
    import_bytes: int = Field(default=2 << 30, ge=1, description="Maximum size of an imported file, bytes")
    import_jobs: int = Field(default=5, ge=1, le=1000, description="Maximum queued and running imports of a user")
    import_quota: int = Field(
        default=4 << 30, ge=1, description="Maximum total size of a user's files to import, bytes"
    )

    objects: Literal["database", "directory", "s3"] = Field(
        default="database", description="File store of uploads; a directory has to be shared by all pods"
    )
    objects_directory: Path | None = None
    attachment_quota: int = Field(
        default=100 << 20, ge=1, description="Maximum total size of a user's attachments, bytes"
    )
    s3_endpoint: str | None = Field(default=None, description="Host and port of the S3 endpoint")
    s3_bucket: str = "task-manager"
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None
    s3_tls: bool = True

    smtp_host: str | None = Field(default=None, description="SMTP server; empty: no mails are sent")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["starttls", "implicit", "none"] = "starttls"
    mail_from: str | None = Field(default=None, description="Sender, as `noreply@example.org` or `Name <address>`")
    public_url: str | None = Field(default=None, description="Base URL of the front end, for links in mails")
    daily_mails: int = Field(
        default=50, ge=1, le=10_000, description="Maximum notifications by e-mail to a user within 24 hours"
    )

    ses_topic: str | None = Field(
        default=None,
        pattern=r"^arn:aws(-[a-z-]+)?:sns:[a-z0-9-]{1,40}:\d{12}:[A-Za-z0-9_-]{1,256}$",
        description="ARN of the SNS topic of Amazon SES's bounces and complaints",
    )
    bounce_password: SecretStr | None = Field(
        default=None, min_length=16, description="Password of Postmark's notices of bounces and complaints"
    )

    sms: Literal["none", "twilio", "sns"] = Field(default="none", description="SMS provider: Twilio or Amazon SNS")
    sms_account: str | None = Field(default=None, description="Twilio's account SID, or the AWS access key id")
    sms_secret: SecretStr | None = Field(default=None, description="Twilio's auth token, or the AWS secret key")
    sms_sender: str = Field(
        default="",
        max_length=40,
        description="Twilio: a number in E.164, or the SID of a messaging service; SNS: the sender id, or none",
    )
    sms_region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]{1,40}$", description="AWS region of SNS")
    sms_url: str | None = Field(default=None, description="Base URL of the provider's API, if not its public one")
    sms_countries: str = Field(
        default="", description="Countries whose numbers are accepted, as `DE AT CH`; empty: all of them"
    )
    daily_sms: int = Field(default=10, ge=1, le=1000, description="Maximum notifications by SMS to a user in 24 hours")

    secret_key: SecretStr | None = None
    secret_keys_accepted: SecretStr | None = Field(
        default=None,
        description="Further keys, separated by spaces, whose signatures are accepted, for rotation: the next key"
        " before it becomes the secret key, the former one while its tokens are valid",
    )
    jwks_url: str | None = Field(
        default=None,
        description="URL of the public keys (JWKS) by which a process without the auth service verifies access tokens",
    )
    access_token_lifetime: int = Field(default=15 * 60, ge=1, le=24 * 3600)
    refresh_token_lifetime: int = Field(default=30 * 24 * 3600, ge=60, le=365 * 24 * 3600)
    refresh_overlap: int = Field(
        default=10,
        ge=0,
        le=300,
        description="Seconds for which a used refresh token is accepted again, in case its response was lost; 0: never",
    )

    password_memory_kib: int = Field(default=47104, ge=8, le=1 << 21, description="argon2id memory of one hash, KiB")
    password_iterations: int = Field(default=1, ge=1, le=20)
    password_concurrency: int = Field(default=2, ge=1, le=64, description="Concurrent password hashes")

    rate_limit: str = Field(
        default="12000 per minute", description="Requests of one user, or of one address without log-in"
    )
    rate_limit_login: str = Field(default="10 per minute", description="Failed log-ins to one account from one address")
    rate_limit_login_account: str = Field(
        # More than the limit of one address allows, so that no single attacker can lock out a new device of the user.
        default="1000 per hour",
        description="Failed log-ins to one account from all addresses, except devices that have logged in to it",
    )
    rate_limit_login_address: str = Field(
        default="600 per minute",
        description="Password attempts from one address: log-ins, registrations, changes and resets together",
    )
    rate_limit_register: str = Field(
        default="10 per minute", description="Registrations of one e-mail address from one address"
    )

    rate_limit_reset: str = Field(default="5 per hour", description="Mails of one kind to one e-mail address")
    rate_limit_reset_address: str = Field(
        default="60 per hour", description="Mails of one kind requested from one client address"
    )

    rate_limit_sms_codes: str = Field(
        default="5 per hour", description="Codes by SMS that a user asks for, and those to one number"
    )

    @field_validator(
        "rate_limit",
        "rate_limit_login",
        "rate_limit_login_account",
        "rate_limit_login_address",
        "rate_limit_register",
        "rate_limit_reset",
        "rate_limit_reset_address",
        "rate_limit_sms_codes",
    )
    @classmethod
    def _readable_limit(cls, value: str) -> str:
        if not LIMIT.fullmatch(value):
            raise ValueError("must be like `100 per minute` (second, minute, hour or day)")
        return value

    @field_validator(*SCHEMES)
    @classmethod
    def _known_scheme(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        *others, last = schemes = SCHEMES[str(info.field_name)]
        if value and not value.get_secret_value().startswith(schemes):
            raise ValueError(f"must start with {', '.join(others)} or {last}")
        return value

    @field_validator("redis_prefix")
    @classmethod
    def _plain_prefix(cls, value: str) -> str:
        if value and not KEY_PREFIX.fullmatch(value):
            raise ValueError("must be like `tasks:`: at most 40 letters, digits and `_.:-`")
        return value

    @field_validator("database_replica_host")
    @classmethod
    def _readable_hosts(cls, value: str | None) -> str | None:
        if value and not all(REPLICA.fullmatch(host) for host in value.split()):
            raise ValueError("must be host or host:port, more of them separated by spaces")
        return value

    @field_validator("secret_key", "secret_keys_accepted")
    @classmethod
    def _strong(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return value
        text = value.get_secret_value()
        for key in [text] if info.field_name == "secret_key" else text.split():
            if len(key.encode()) < MINIMUM_SECRET_BYTES:
                raise ValueError(f"must have at least {MINIMUM_SECRET_BYTES} bytes")
            if len(set(key)) < MINIMUM_SECRET_SYMBOLS:
                raise ValueError("is not random: make one with `openssl rand -base64 48`")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.environment == "production":
            if self.secret_key is None:
                raise ValueError("APP_SECRET_KEY: missing (required in production)")
            if self.database_url is None and self.database_host is None:
                raise ValueError("APP_DATABASE_URL: missing (or give APP_DATABASE_HOST and its companions)")
        if self.database_replica_host is not None:
            if self.redis_url is None and self.redis_host is None:
                raise ValueError("APP_DATABASE_REPLICA_HOST: needs a Redis, where it is kept who has written what")
            if self.database_url and self.database_url.get_secret_value().startswith("sqlite"):
                raise ValueError("APP_DATABASE_REPLICA_HOST: SQLite has no replicas")
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.metrics_port == self.port:
            raise ValueError("APP_METRICS_PORT: must differ from APP_PORT, which anybody may reach")
        return self

    @model_validator(mode="after")
    def _complete_events(self) -> Self:
        if (self.events_user is None) != (self.events_password is None):
            raise ValueError("APP_EVENTS_PASSWORD: needs APP_EVENTS_USER, and the other way round")
        if self.events_ca_file is not None and not self.events_ca_file.is_file():
            raise ValueError("APP_EVENTS_CA_FILE: no such file")
        if self.broker_virtual_host is not None:
            if not self.events_by_broker:
                raise ValueError("APP_BROKER_VIRTUAL_HOST: needs APP_EVENTS_HOST or APP_EVENTS_URL")
            if self.broker_url is not None or self.broker_host is not None:
                raise ValueError("APP_BROKER_VIRTUAL_HOST: excludes APP_BROKER_URL and APP_BROKER_HOST")
        return self

    @model_validator(mode="after")
    def _complete_objects(self) -> Self:
        if self.objects == "directory" and self.objects_directory is None:
            raise ValueError("APP_OBJECTS_DIRECTORY: missing")
        if self.objects == "s3":
            for name in ("s3_endpoint", "s3_access_key", "s3_secret_key"):
                if getattr(self, name) is None:
                    raise ValueError(f"APP_{name.upper()}: missing")
        return self

    @field_validator("mail_from")
    @classmethod
    def _readable_sender(cls, value: str | None) -> str | None:
        if value and not SENDER.fullmatch(value):
            raise ValueError("must be like noreply@example.org or Name <noreply@example.org>")
        return value

    @field_validator("jwks_url")
    @classmethod
    def _readable_keys_url(cls, value: str | None) -> str | None:
        if value and not KEYS_URL.fullmatch(value):
            raise ValueError("must be like http://auth:8000/.well-known/jwks.json")
        return value

    @field_validator("public_url")
    @classmethod
    def _readable_address(cls, value: str | None) -> str | None:
        if value and not PUBLIC_URL.fullmatch(value):
            raise ValueError("must be like https://tasks.example.org, without a path")
        return value

    @model_validator(mode="after")
    def _complete_mail(self) -> Self:
        if self.smtp_host is None:
            return self
        for name in ("mail_from", "public_url"):
            if getattr(self, name) is None:
                raise ValueError(f"APP_{name.upper()}: missing (required to send mail)")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("APP_SMTP_PASSWORD: needs APP_SMTP_USER, and the other way round")
        if self.smtp_tls == "none" and not self.development and self.smtp_host not in LOOPBACK:
            raise ValueError("APP_SMTP_TLS: none is for development, or for a server on the loopback interface")
        return self

    @field_validator("sms_countries")
    @classmethod
    def _readable_countries(cls, value: str) -> str:
        if not all(COUNTRY.fullmatch(country) for country in value.split()):
            raise ValueError("must be like `DE AT CH`")
        return value

    @model_validator(mode="after")
    def _complete_sms(self) -> Self:
        if self.sms == "none":
            return self
        for name in ("sms_account", "sms_secret", *(["sms_sender"] if self.sms == "twilio" else [])):
            if not getattr(self, name):
                raise ValueError(f"APP_{name.upper()}: missing (required by APP_SMS)")
        if self.sms_url and not SMS_URL.fullmatch(self.sms_url):
            raise ValueError("APP_SMS_URL: must be like https://api.example.org, without a path")
        return self

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The secret key, then the further accepted keys."""
        accepted = self.secret_keys_accepted.get_secret_value().split() if self.secret_keys_accepted else []
        return (self.secret_key.get_secret_value() if self.secret_key else "", *accepted)

    @property
    def events_by_broker(self) -> bool:
        return self.events_url is not None or self.events_host is not None

    @property
    def has_broker(self) -> bool:
        """Whether there is a broker that Celery can use."""
        given = (self.broker_virtual_host, self.broker_url, self.broker_host, self.redis_url, self.redis_host)
        return any(each is not None for each in given)

    @property
    def mail_enabled(self) -> bool:
        return self.smtp_host is not None

    @property
    def development(self) -> bool:
        return self.environment == "development"

    @property
    def listen_address(self) -> str:
        """The address to bind: loopback in development, else all addresses of both families."""
        if self.host or self.development:
            return self.host or "127.0.0.1"
        # A pod is reached by its IP. Without IPv6 in the kernel `::` can't be bound.
        return "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104

    @property
    def metrics_listen_port(self) -> int:
        """The port of /metrics; in development it may be APP_PORT."""
        return self.metrics_port or (self.port if self.development else METRICS_PORT)

    @property
    def logs_as(self) -> Literal["json", "console"]:
        return self.log_format or ("console" if self.development else "json")


def load_settings() -> Settings:
    """Read the settings from the environment.

    Development needs none: a missing secret key and database are created under `.cache/dev`.

    Raises:
        SettingsError: one line that names each wrong variable, without its value.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(item["loc"], item["msg"]) for item in error.errors())) from None
    return _with_development_defaults(settings) if settings.development else settings


def required_jwks_url(settings: Settings) -> str:
    """Return the URL of the issuer's keys, for a process without the auth service.

    Raises:
        SettingsError: it is missing.
    """
    if settings.jwks_url is None:
        raise SettingsError(
            "APP_JWKS_URL: missing (without the auth service, access tokens are verified by its public keys:"
            " http://HOST:PORT/.well-known/jwks.json)"
        )
    return settings.jwks_url


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"APP_{str(location[0]).upper()}: {message}" if location else message


def _with_development_defaults(settings: Settings) -> Settings:
    values: dict[str, object] = {}
    if settings.secret_key is None:
        values["secret_key"] = SecretStr(_development_secret())
    if settings.database_url is None and settings.database_host is None:
        DEVELOPMENT_DIRECTORY.mkdir(parents=True, exist_ok=True)
        values["database_url"] = SecretStr(f"sqlite:///{DEVELOPMENT_DIRECTORY / 'tasks.sqlite'}")
    return settings.model_copy(update=values)


def _development_secret() -> str:
    """Return the checkout's secret key, created once: sessions survive restarts, and no key is in the source."""
    path = DEVELOPMENT_DIRECTORY / "secret-key"
    if not path.exists():
        import secrets

        DEVELOPMENT_DIRECTORY.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text()
