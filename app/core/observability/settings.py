"""Settings of logs, traces and error reports."""

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

COLLECTOR = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._/-]*)?", re.ASCII)

HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+=[\x21-\x2b\x2d-\x7e][\x20-\x2b\x2d-\x7e]*", re.ASCII)
"""A header name (RFC 9110) and a value of visible characters, without commas, which separate headers."""

DSN = re.compile(r"https?://[A-Za-z0-9]+(?::[A-Za-z0-9]+)?@[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[\w.-]+)*/\d+", re.ASCII)


class TelemetrySettings(BaseSettings):
    """Logs go to stderr; traces and error reports are off until an endpoint is set."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] | None = None

    deployment: str = Field(
        default="", description="Name of the deployment in traces and error reports, such as `prod`"
    )
    traces_endpoint: str | None = Field(
        default=None, description="OTLP/HTTP endpoint for traces, such as http://collector:4318; empty: none are sent"
    )
    traces_headers: SecretStr | None = Field(
        default=None, description="Headers of the OTLP requests, such as an API key: `name=value`, separated by commas"
    )
    traces_share: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Sampling ratio of root traces; a trace begun by the caller keeps the caller's decision",
    )
    sentry_dsn: SecretStr | None = Field(default=None, description="DSN of the Sentry project for error reports")

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("traces_endpoint")
    @classmethod
    def _readable_collector(cls, value: str | None) -> str | None:
        if value and not COLLECTOR.fullmatch(value):
            raise ValueError("must be like http://collector:4318, without a user or a query")
        return value

    @field_validator("traces_headers")
    @classmethod
    def _readable_headers(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not all(HEADER.fullmatch(header.strip()) for header in value.get_secret_value().split(",")):
            raise ValueError("must be like api-key=0123, more of them separated by commas")
        return value

    @field_validator("sentry_dsn")
    @classmethod
    def _readable_dsn(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not DSN.fullmatch(value.get_secret_value()):
            raise ValueError("must be like https://key@host/1, as Sentry shows it")
        return value

    @property
    def sent_headers(self) -> dict[str, str]:
        """Headers of OTLP requests, by name."""
        given = self.traces_headers.get_secret_value().split(",") if self.traces_headers else []
        return dict(header.strip().split("=", 1) for header in given)
