"""The picture of the architecture, against the program that it is drawn from."""

import pytest

from tests.infra.architecture import PAGE, diagram, edges, page


def test_the_page_is_current() -> None:
    assert page() == PAGE.read_text()


@pytest.mark.parametrize(
    ("phase", "flow"),
    [
        (2, ("API", "PostgreSQL")),
        (2, ("gateway", "API")),
        (3, ("edge", "API")),
        (4, ("tasks", "rabbitmq")),
        (4, ("gateway", "auth")),
        (4, ("prometheus", "analytics")),
    ],
)
def test_a_flow_of_a_phase_is_drawn(phase: int, flow: tuple[str, str]) -> None:
    assert flow in set(edges(phase))


def test_what_a_phase_does_not_have_is_not_drawn() -> None:
    assert "rabbitmq" not in diagram(2)
    assert "istiod" not in diagram(3)
    assert "broker" not in diagram(4)
