"""Names are the program's, or stay what they were, or are made up."""

import pytest

from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.naming import Autonaming, assign_name, is_explicit, random_name
from local.plugins.kubernetes_provider.objects import Object

SEED = bytes.fromhex("0123456789abcdef")


def named(obj: Object, old: Object | None = None, naming: Autonaming | None = None) -> Object:
    """Give the object after its naming."""
    assign_name(obj, old or {}, "api", SEED, naming or Autonaming())
    return obj


def test_a_name_is_made_of_the_resources_name_and_eight_digits() -> None:
    obj = named({"kind": "ConfigMap"})
    assert obj["metadata"]["name"] == "api-01234567"
    assert not is_explicit(obj)


def test_the_programs_own_name_is_kept() -> None:
    obj = named({"metadata": {"name": "mine"}})
    assert obj["metadata"] == {"name": "mine"}
    assert is_explicit(obj)


def test_a_made_up_name_is_kept_at_the_next_update() -> None:
    old = named({})
    assert named({"metadata": {"labels": {"a": "b"}}}, old)["metadata"]["name"] == "api-01234567"


def test_a_name_that_the_program_no_longer_gives_is_made_up_anew() -> None:
    assert named({}, {"metadata": {"name": "mine"}})["metadata"]["name"] == "api-01234567"


def test_a_long_name_fits_a_label_value() -> None:
    assert len(random_name("x" * 90, SEED)) == 63


def test_the_engines_proposal_is_taken() -> None:
    assert named({}, naming=Autonaming(proposed="api-prod"))["metadata"]["name"] == "api-prod"


def test_automatic_names_can_be_switched_off() -> None:
    with pytest.raises(ProviderError, match="api has no metadata"):
        named({}, naming=Autonaming(disabled=True))


def test_a_generated_name_is_refused_with_the_way_out() -> None:
    with pytest.raises(ProviderError, match="leave the name out"):
        named({"metadata": {"generateName": "x-"}})
