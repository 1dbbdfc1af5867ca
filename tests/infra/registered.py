"""Resources that the program registers, as the policies see them: with the objects of its charts."""

from collections.abc import Iterator

from infra.policy.preview import RELEASE, render
from infra.policy.resource import Resource
from tests.contract.chart import helm
from tests.infra import engine


def resources_of(stack: engine.Stack) -> Iterator[Resource]:
    """Give the resources of a run of the program."""
    for each in stack.objects:
        inputs = engine.whole_numbers(each.inputs)
        yield Resource(each.type, each.object_name, inputs, each.protect, each.urn)
        if each.type == RELEASE:
            yield from render(inputs, each.urn, helm())
