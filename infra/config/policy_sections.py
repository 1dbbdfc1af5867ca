"""Sections of a stack's settings on its policies."""

from datetime import date

from pydantic import Field

from infra.config.sections import Section


class PolicyException(Section):
    """A rule that a resource need not keep for a while."""

    rule: str = Field(min_length=1, description="Name of the rule, as in docs/policies.md.")
    resource: str = Field(min_length=1, description="Name of the resource; `stack` for the stack itself.")
    reason: str = Field(min_length=10, description="Why, in a sentence.")
    until: date = Field(description="Last day on which it holds, such as 2027-03-31.")


class Policies(Section):
    """Rules that `make preview` and `make deploy` hold the stack to."""

    production: bool = Field(
        default=False,
        description="Whether rules for production hold too: digests, backups, protection of data, a budget.",
    )
    exceptions: tuple[PolicyException, ...] = Field(
        default=(),
        description="Rules that a resource need not keep for a while: a list of objects of rule, resource, reason and"
        " until (a date).",
    )
