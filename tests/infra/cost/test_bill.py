"""Bills: what phases cost beside their budgets, and what changes them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config.settings import Settings, load_settings
from infra.cost import report
from infra.cost.bill import Bill, bill
from infra.cost.check import over_budget
from infra.cost.stack import phase_settings
from infra.names import PROJECT
from infra.phases import PHASES
from infra.platform import prices, sizes
from infra.platform.settings import ClusterKind, PlatformSettings
from infra.platform.sizes import Component, Item


def stack(**values: object) -> Settings:
    """Settings of a stack of phase 2, by path with `_` between."""
    written = {f"{PROJECT}:{key}": str(value) for key, value in values.items()}
    address = {f"{PROJECT}:hostname": "tasks.example.com", f"{PROJECT}:url": "https://tasks.example.com"}
    return load_settings({f"{PROJECT}:phase": "2", **address, **written})


def on_digitalocean(settings: Settings) -> Bill:
    return bill(settings, ClusterKind.DIGITALOCEAN, sizes.DIGITALOCEAN[2].items())


def of(found: list[report.PhaseBill], phase: int, provider: ClusterKind) -> report.PhaseBill:
    [one] = [each for each in found if (each.phase, each.bill.provider) == (phase, provider)]
    return one


def test_a_bill_adds_up_nodes_volumes_backups_and_traffic() -> None:
    found = on_digitalocean(stack())
    row = PHASES[2]
    assert row.cache
    assert row.broker
    assert row.monitoring
    volumes = row.postgresql.instances * row.postgresql.storage + row.cache.storage + row.broker.storage
    volumes += row.monitoring.storage + 1 + 1  # Alertmanager, Grafana
    assert found.components[Component.VOLUMES] == pytest.approx((volumes * prices.DIGITALOCEAN_VOLUME,) * 2)
    platform = sizes.monthly(sizes.DIGITALOCEAN[2].items())
    assert found.total == pytest.approx([each + volumes * prices.DIGITALOCEAN_VOLUME for each in platform])


def test_what_is_sent_beyond_the_free_part_is_paid_for() -> None:
    found = bill(stack(), ClusterKind.AWS, sizes.AWS[2].items())
    servers = PHASES[2].services["all"].api.min_replicas
    sent = servers * 100 * 0.1 * 730 * 3600 * 4 / 2**20
    assert sent > prices.AWS_TRAFFIC_INCLUDED
    expected = (sent - prices.AWS_TRAFFIC_INCLUDED) * prices.AWS_TRAFFIC
    assert found.components[Component.TRAFFIC] == pytest.approx((expected, expected))


@given(storage=st.integers(5, 2000), instances=st.integers(2, 5))
def test_each_gibibyte_of_the_database_costs_its_price_for_each_instance(storage: int, instances: int) -> None:
    sized = f'{{"storage": "{storage}", "instances": "{instances}"}}'
    found = on_digitalocean(stack(database=sized)).components[Component.VOLUMES][1]
    usual = on_digitalocean(stack()).components[Component.VOLUMES][1]
    row = PHASES[2].postgresql
    more = storage * instances - row.storage * row.instances
    assert found - usual == pytest.approx(more * prices.DIGITALOCEAN_VOLUME)


def test_the_bucket_is_paid_for_beyond_what_its_price_includes() -> None:
    sized = '{"storage": "200"}'
    stored = on_digitalocean(stack(database=sized)).components[Component.BACKUPS][1]
    beyond = 200 * 2 - prices.DIGITALOCEAN_SPACES_INCLUDED
    assert stored == pytest.approx(prices.DIGITALOCEAN_SPACES + beyond * prices.DIGITALOCEAN_STORED)


def test_nodes_that_a_platform_sets_are_those_that_are_paid_for() -> None:
    shared = {"cluster": "digitalocean", "phase": 2, "region": "ams3", "admin_addresses": "192.0.2.7/32"}
    usual = PlatformSettings.model_validate(shared)
    larger = PlatformSettings.model_validate({**shared, "nodes": {"most": 6}})
    assert usual.items() == sizes.DIGITALOCEAN[2].items()
    before, after = sizes.monthly(usual.items()), sizes.monthly(larger.items())
    assert (after[0] - before[0], after[1] - before[1]) == (0, 3 * prices.DIGITALOCEAN["s-2vcpu-4gb"])
    assert PlatformSettings().items() == ()


@pytest.mark.parametrize("phase", [1, 2, 3])
def test_a_phase_is_inside_its_budget_on_digitalocean(phase: int) -> None:
    found = of(report.phase_bills(), phase, ClusterKind.DIGITALOCEAN)
    low, high = PHASES[phase].audience.budget
    assert high
    assert low <= found.bill.total[0] <= found.bill.total[1] <= high
    assert found.verdict == "inside"


def test_a_bill_over_the_budget_says_by_how_much_and_which_fixed_parts_are_the_largest() -> None:
    found = of(report.phase_bills(), 2, ClusterKind.AWS)
    over = found.bill.total[1] - 200
    assert found.verdict == f"${over:,.0f} over: EKS control plane $73 and NAT gateway $33 of it"


def test_a_bill_below_the_budget_of_several_regions_says_so() -> None:
    assert of(report.phase_bills(), 4, ClusterKind.AWS).verdict.startswith("below: one region")


def test_a_million_requests_cost_the_months_bill_by_the_months_requests() -> None:
    found = of(report.phase_bills(), 1, ClusterKind.VPS).bill
    requests = 1 * 100 * 0.1 * 730 * 3600
    assert found.per_million_requests == pytest.approx([found.total[0] / requests * 1e6] * 2)


def test_a_step_is_the_difference_of_two_phases() -> None:
    bills = report.phase_bills()
    least = {each.phase: each.bill.total[0] for each in bills if each.bill.provider is ClusterKind.AWS}
    assert ("aws", "2 to 3", report.dollars(least[3] - least[2])) in report.steps(bills)


def test_a_budget_that_is_kept_is_no_problem() -> None:
    settings = stack(budget=200)
    assert over_budget("prod", settings, on_digitalocean(settings)) == ""
    assert over_budget("prod", stack(), on_digitalocean(stack(database='{"storage": "9999"}'))) == ""


def test_a_change_over_the_budget_names_what_costs_most_and_the_setting_that_lowers_it() -> None:
    settings = stack(budget=200, database='{"storage": "2000"}')
    found = on_digitalocean(settings)
    assert over_budget("prod", settings, found) == (
        f"cost: prod costs up to ${found.total[1]:,.0f} a month on digitalocean, ${found.total[1] - 200:,.0f} over its"
        " budget of $200; the most, $400, is for 4,000 GiB of the database, 2 of 2000: lower"
        " task-manager:database.storage, or raise task-manager:budget"
    )


def test_what_no_setting_changes_is_answered_by_a_higher_budget() -> None:
    settings = stack(budget=10)
    fixed = replace(on_digitalocean(settings), items=(Item(Component.CONTROL_PLANE, "EKS control plane", 1, 1, 73.0),))
    assert over_budget("prod", settings, fixed).endswith("is for EKS control plane: raise task-manager:budget")


def test_each_provider_has_the_phases_that_it_has_a_size_for() -> None:
    found = {(each.phase, each.bill.provider) for each in report.phase_bills()}
    assert {phase for phase, _ in found} == set(PHASES)
    assert (1, ClusterKind.AWS) not in found


def test_a_phase_alone_has_no_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    for phase in PHASES:
        phase_settings(phase)
    assert capsys.readouterr() == ("", "")
