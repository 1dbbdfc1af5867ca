"""All rules on the resources of a stack, and the exceptions that its file names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from infra.config.policy_sections import PolicyException
from infra.policy import availability_rules, data_rules, pod_rules
from infra.policy.resource import Resource
from infra.policy.rule import Context, Rule, Violation

RULES: Final[tuple[Rule, ...]] = (*pod_rules.RULES, *availability_rules.RULES, *data_rules.RULES)


@dataclass(frozen=True)
class Result:
    """What the rules say of a stack.

    Attributes:
        violations: what has to be mended before it is deployed.
        excepted: what an exception lets pass, each with it.
        problems: exceptions that are themselves wrong: of no rule, ended, or of nothing that is stopped.
    """

    violations: tuple[Violation, ...]
    excepted: tuple[tuple[Violation, PolicyException], ...]
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the stack may be deployed."""
        return not self.violations and not self.problems


def check(
    resources: Sequence[Resource], context: Context, exceptions: Sequence[PolicyException], today: date
) -> Result:
    """Hold resources against every rule.

    Args:
        resources: all of the stack, with those of its charts.
        context: what else the rules know of the stack.
        exceptions: of its file.
        today: an exception holds until its last day.
    """
    valid = {(each.rule, each.resource): each for each in exceptions if each.until >= today}
    violations, excepted = list[Violation](), list[tuple[Violation, PolicyException]]()
    for rule in RULES:
        for found in rule.violations(resources, context):
            exception = valid.get((found.rule, found.resource))
            if exception:
                excepted.append((found, exception))
            else:
                violations.append(found)
    used = {(each.rule, each.resource) for _, each in excepted}
    problems = tuple(_problems(exceptions, today, used))
    return Result(tuple(violations), tuple(excepted), problems)


def _problems(exceptions: Sequence[PolicyException], today: date, used: set[tuple[str, str]]) -> Iterator[str]:
    names = [rule.name for rule in RULES]
    for each in exceptions:
        written = f"policies.exceptions: {each.rule} of {each.resource}"
        if each.rule not in names:
            yield f"{written}: there is no such rule; rules are {', '.join(names)}"
        elif each.until < today:
            yield f"{written}: it ended on {each.until}: mend the resource and take it away, or give it another day"
        elif (each.rule, each.resource) not in used:
            yield f"{written}: the rule does not stop that resource: take it away"
