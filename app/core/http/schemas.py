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
    """A body or a set of parameters: what it does not name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    _json_schemas: ClassVar[dict[object, dict[str, Any]]] = {}

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Made once: flask-openapi asks for it at each request, which took a third of a list's time."""
        key = (cls, arguments, tuple(sorted(options.items())))
        if key not in cls._json_schemas:
            cls._json_schemas[key] = super().model_json_schema(*arguments, **options)
        return cls._json_schemas[key]


class ResponseModel(BaseModel):
    """A body of ours, built from an object of the rules."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    def response(self, status: int = HTTPStatus.OK) -> Response:
        """Return the body as an answer."""
        return Response(self.model_dump_json(), status=status, mimetype="application/json")


def parse_time(value: Any) -> Any:
    """Parse an RFC 3339 time with an offset into UTC. Raises ValueError with words for the client."""
    return value if isinstance(value, datetime) else parse_rfc3339(value if isinstance(value, str) else "")


Time = Annotated[
    datetime,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "RFC 3339, with an offset"}),
]


@dataclass(frozen=True)
class Pattern:
    """A pattern that a text must match whole, and what to tell a person when it does not. The length comes first:
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
    """Text of any shape, in NFC. PostgreSQL can't keep a NUL.

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
            # Nothing is looked for in a text that is too long in any form.
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
    """One line of text in which something can be seen, in NFC; space around it is dropped."""

    pattern: ClassVar[str] = LINE
    words: ClassVar[str] = "must be one line of text, and not blank"

    def normalise(self, text: str) -> str:
        return nfc(text).strip()


def drop_default(schema: dict[str, Any]) -> None:
    """Take a default that only means "left out" off a JSON schema."""
    schema.pop("default", None)


def identifier(text: str, otherwise: str) -> UUID:
    """Parse the identifier in a path. A malformed one is as unknown as any other: NotFoundError, in these words."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError(otherwise) from None
