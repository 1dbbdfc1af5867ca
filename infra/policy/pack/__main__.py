"""The rules as a pack for Pulumi's own engine: `pulumi up --policy-pack infra/policy/pack`."""

import json
import shutil
import sys
from functools import cache, partial
from pathlib import Path

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    StackValidationArgs,
    StackValidationPolicy,
)

# The engine runs this folder as a program.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from infra.policy.check import RULES
from infra.policy.preview import RELEASE, render
from infra.policy.resource import Resource
from infra.policy.rule import Context, Rule


def resources(args: StackValidationArgs) -> list[Resource]:
    """Return what the engine shows of a stack, with the objects of its charts."""
    found: list[Resource] = []
    for each in args.resources:
        name = (each.props.get("metadata") or {}).get("name") or each.name
        found.append(Resource(each.resource_type, name, each.props, bool(each.opts.protect), each.urn))
        if each.resource_type == RELEASE:
            found += _rendered(json.dumps(each.props), each.urn)
    return found


@cache
def _rendered(inputs: str, urn: str) -> tuple[Resource, ...]:
    """The objects of a release, rendered once for all rules: the engine shows the stack to each by itself."""
    helm = shutil.which("helm")
    if helm is None:
        raise ValueError("policies: helm is not on PATH: without it no pod of a chart is checked")
    return tuple(render(json.loads(inputs), urn, helm))


def validate(rule: Rule, args: StackValidationArgs, report: ReportViolation) -> None:
    """Report what a rule stops. Which stacks are of production stands in their files, which a pack does not see."""
    for violation in rule.violations(resources(args), Context()):
        report(str(violation), violation.urn or None)


PolicyPack(
    name="task-manager",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        StackValidationPolicy(name=rule.name, description=rule.description, validate=partial(validate, rule))
        for rule in RULES
        if not rule.production
    ],
)
