"""Quantities are written as Kubernetes writes them back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config.quantity import quantity
from tests.support.quantities import is_canonical, value_of

SUFFIXES = ("m", "", "k", "M", "G", "Ki", "Mi", "Gi", "Ti")


@pytest.mark.parametrize(
    ("amount", "suffix", "written"),
    [
        (1000, "m", "1"),
        (1500, "m", "1500m"),
        (250, "m", "250m"),
        (2000, "", "2k"),
        (1024, "Mi", "1Gi"),
        (1000, "Mi", "1000Mi"),
        (1536, "Mi", "1536Mi"),
        (2048, "Gi", "2Ti"),
        (0, "Mi", "0"),
    ],
)
def test_the_largest_suffix_without_a_fraction_is_used(amount: int, suffix: str, written: str) -> None:
    assert quantity(amount, suffix) == written


@given(st.integers(min_value=0, max_value=2**20), st.sampled_from(SUFFIXES))
def test_a_quantity_keeps_its_value_and_is_canonical(amount: int, suffix: str) -> None:
    written = quantity(amount, suffix)
    assert value_of(written) == Decimal(amount) * value_of(f"1{suffix}")
    assert is_canonical(written)
