"""Every quantity of the rendered chart is as Kubernetes writes it back."""

import pytest
import yaml

from infra.components.workload.chart import CHART
from tests.contract import chart
from tests.support.quantities import is_canonical, quantities


@pytest.mark.parametrize("stack", chart.STACKS)
def test_every_quantity_of_a_rendered_stack_is_canonical(stack: str) -> None:
    found = [pair for each in chart.objects(stack) for pair in quantities(each, each["kind"])]
    assert any(path.endswith("limits.memory") for path, _ in found)
    assert [(path, value) for path, value in found if not is_canonical(value)] == []


def test_every_default_of_the_chart_is_canonical() -> None:
    values = yaml.safe_load((chart.ROOT / CHART / "values.yaml").read_text())
    assert [(path, value) for path, value in quantities(values) if not is_canonical(value)] == []
