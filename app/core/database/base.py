"""Declarative base of the core's tables, and metadata for those of each service."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


def new_metadata() -> MetaData:
    """Return empty metadata with the naming convention for constraints that the migrations follow."""
    return MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


class Base(DeclarativeBase):
    """Declarative base of the tables that every database has, whichever services use it."""

    metadata = new_metadata()
