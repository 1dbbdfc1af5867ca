"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from infra.policy.resource import Resource


@dataclass(frozen=True)
class Context:
    """What a rule knows of the stack beside its resources.

    Attributes:
        production: whether the stack says that it is one of production.
        budget: US dollars a month; 0 for none.
    """

    production: bool = False
    budget: int = 0


@dataclass(frozen=True)
class Violation:
    """A resource that a rule stops.

    Attributes:
        rule: its name.
        resource: name of the resource.
        message: what is wrong, and what to do.
        urn: Pulumi's name of the resource; empty for the stack itself.
    """

    rule: str
    resource: str
    message: str
    urn: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.resource}: {self.message}"


Finding = tuple[Resource | None, str]
"""A resource, or None for the stack itself, and what is wrong with it."""

Check = Callable[[Sequence[Resource], Context], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """A rule on all resources of a stack.

    Attributes:
        name: by which exceptions name it.
        description: what has to hold, in one sentence.
        check: gives what is wrong.
        production: whether it is for stacks of production alone.
    """

    name: str
    description: str
    check: Check
    production: bool = False

    def violations(self, resources: Sequence[Resource], context: Context) -> Iterator[Violation]:
        """Give the resources that it stops."""
        if self.production and not context.production:
            return
        for resource, message in self.check(resources, context):
            name, urn = (resource.name, resource.urn) if resource else ("stack", "")
            yield Violation(self.name, name, message, urn)
