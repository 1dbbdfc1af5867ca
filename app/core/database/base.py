"""Declarative base of the core's tables, and the metadata of every service's own."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


def new_metadata() -> MetaData:
    """Return metadata without tables, with the names of constraints that migrations give them."""
    return MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


class Base(DeclarativeBase):
    """Base of the tables that every database has, whichever services use it."""

    metadata = new_metadata()
