"""Roles of accounts, as access tokens carry them."""

from enum import StrEnum

ONLY_ADMINISTRATORS = "Only administrators may do this."


class Role(StrEnum):
    USER = "user"
    ADMIN = "admin"
