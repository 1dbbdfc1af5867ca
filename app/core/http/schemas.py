"""Base classes and field types of request and response models."""

import re
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, ClassVar
from uuid import UUID

from flask import Response
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from app.core.errors import NotFoundError
from app.core.text import LINE, NFC_SHRINKS, nfc
from app.core.times import parse_rfc3339


class RequestModel(BaseModel):
    """Base of request bodies and parameters: unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    _json_schemas: ClassVar[dict[object, dict[str, Any]]] = {}

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Return the JSON schema, cached: flask-openapi asks for it at each request, a third of a list's time."""
        key = (cls, arguments, tuple(sorted(options.items())))
        if key not in cls._json_schemas:
            cls._json_schemas[key] = super().model_json_schema(*arguments, **options)
        return cls._json_schemas[key]


class ResponseModel(BaseModel):
    """Base of response bodies, built from domain objects by attribute."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    def response(self, status: int = HTTPStatus.OK) -> Response:
        """Return the model as a JSON response."""
        return Response(self.model_dump_json(), status=status, mimetype="application/json")


def parse_time(value: Any) -> Any:
    """Parse an RFC 3339 time with an offset into UTC. Raises ValueError with a message for the client."""
    return value if isinstance(value, datetime) else parse_rfc3339(value if isinstance(value, str) else "")


Time = Annotated[
    datetime,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "RFC 3339, with an offset"}),
]


@dataclass(frozen=True)
class Pattern:
    """A regular expression that a text must match whole, and the error message. The length is to be checked first:
    `Annotated[str, Field(max_length=…), Pattern(…)]`."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        whole = re.compile(self.pattern)

        def check(value: str) -> str:
            if whole.fullmatch(value) is None:
                raise ValueError(self.words)
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "pattern": f"^{self.pattern}$"}


@dataclass(frozen=True)
class MultilineText:
    """Text of any lines, in NFC, without NUL, which PostgreSQL can't store.

    Args:
        max_length: characters, once normalised.
    """

    max_length: int
    pattern: ClassVar[str] = r"[^\x00]*"
    words: ClassVar[str] = "must not contain NUL characters"

    def normalise(self, text: str) -> str:
        return nfc(text)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        whole = re.compile(self.pattern)

        def check(value: str) -> str:
            # A text too long in any normal form is rejected before the pattern runs.
            if len(value) > NFC_SHRINKS * self.max_length:
                raise PydanticKnownError("string_too_long", {"max_length": self.max_length})
            if whole.fullmatch(value) is None:
                raise ValueError(self.words)
            text = self.normalise(value)
            if len(text) > self.max_length:
                raise PydanticKnownError("string_too_long", {"max_length": self.max_length})
            return text

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "maxLength": self.max_length, "pattern": f"^{self.pattern}$"}


@dataclass(frozen=True)
class SingleLineText(MultilineText):
    """One line of text with a visible character, in NFC; surrounding space is stripped."""

    pattern: ClassVar[str] = LINE
    words: ClassVar[str] = "must be one line of text, and not blank"

    def normalise(self, text: str) -> str:
        return nfc(text).strip()


def drop_default(schema: dict[str, Any]) -> None:
    """Remove from a JSON schema a default that only means "left out"."""
    schema.pop("default", None)


def identifier(text: str, otherwise: str) -> UUID:
    """Parse the identifier in a path. Raises NotFoundError with the message `otherwise` if it is malformed."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError(otherwise) from None
