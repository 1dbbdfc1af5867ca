"""The size table: what each phase costs, and what growing keeps."""

import re

import pytest

from infra.phases import PHASES
from infra.platform import sizes
from tests.platform.engine import ROOT

ROWS = [
    (kind, phase, row)
    for kind, table in (("vps", sizes.VPS), ("digitalocean", sizes.DIGITALOCEAN), ("aws", sizes.AWS))
    for phase, row in table.items()
]


@pytest.mark.parametrize(("kind", "phase", "row"), ROWS)
def test_a_phase_costs_what_the_design_allows(
    kind: str, phase: int, row: sizes.Server | sizes.Doks | sizes.Eks
) -> None:
    del kind
    least, most = sizes.monthly(row.items())
    low, high = PHASES[phase].audience.budget
    if high is None:  # what the specification has from there on is in several regions: one stays below
        low, high = PHASES[phase - 1].audience.budget[0], low
    assert low <= least <= most <= high


@pytest.mark.parametrize(("kind", "phase", "row"), ROWS)
def test_the_page_of_the_platform_says_what_it_costs(
    kind: str, phase: int, row: sizes.Server | sizes.Doks | sizes.Eks
) -> None:
    page = (ROOT / "docs" / "platform.md").read_text()
    [line] = [line for line in page.splitlines() if line.startswith(f"| {phase} |")]
    cell = line.split("|")[2 + ["vps", "digitalocean", "aws"].index(kind)]
    shown = [round(float(number)) for number in re.findall(r"[\d.]+", cell.partition(":")[0])]
    assert shown == list(dict.fromkeys(map(round, sizes.monthly(row.items()))))


def test_each_phase_has_a_size_somewhere() -> None:
    assert {phase for _, phase, _ in ROWS} == set(PHASES)


@pytest.mark.parametrize("provider", [sizes.DIGITALOCEAN, sizes.AWS])
def test_growing_into_services_keeps_the_nodes_that_there_are(provider: dict[int, sizes.Doks | sizes.Eks]) -> None:
    former, grown = (provider[phase].nodes for phase in (3, 4))
    assert former is not None
    assert grown is not None
    assert (former.size, former.least) == (grown.size, min(former.least, grown.least))


def test_a_row_names_each_part_of_the_bill() -> None:
    items = {item.what: (item.least, item.most, item.price) for item in sizes.DIGITALOCEAN[2].items()}
    assert items == {
        "first node s-2vcpu-2gb": (1, 1, 18.0),
        "highly available control plane": (1, 1, 40.0),
        "load balancer": (1, 1, 12.0),
        "container registry, basic": (1, 1, 5.0),
        "Spaces": (1, 1, 5.0),
        "node s-2vcpu-4gb": (2, 3, 24.0),
    }


def test_nodes_are_enough_for_the_loss_of_one() -> None:
    """Instances of PostgreSQL stand on nodes of their own."""
    for phase in (2, 3, 4):
        instances = PHASES[phase].postgresql.instances
        pool = sizes.DIGITALOCEAN[phase].nodes
        assert pool is not None
        assert pool.least >= instances
        assert sizes.AWS[phase].zones * sizes.AWS[phase].nodes.least >= instances
