"""Section of one service, in a phase in which each has a release of its own."""

from pydantic import Field

from infra.config.database_sections import DatabaseSizes
from infra.config.sections import Section
from infra.config.size_sections import Api, Workers
from infra.config.types import LogLevel


class ServiceSettings(Section):
    """Settings of one service, which go before those of the same path that are all services'."""

    api: Api = Field(default_factory=Api)
    workers: Workers = Field(default_factory=Workers)
    database: DatabaseSizes = Field(default_factory=DatabaseSizes)
    log_level: LogLevel | None = None
