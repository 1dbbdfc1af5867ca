"""Every quantity that the program registers is as Kubernetes writes it back: another spelling is a change for ever."""

import pytest
import yaml

from tests.infra.snapshot import path_of
from tests.infra.variants import VARIANTS
from tests.support.quantities import is_canonical, quantities


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_quantity_of_a_variant_is_canonical(variant: str) -> None:
    found = list(quantities(yaml.safe_load(path_of(variant).read_text())))
    assert [(path, value) for path, value in found if not is_canonical(value)] == []


@pytest.mark.parametrize("part", ["cpu", "memory", "storage.size", "requests.storage", "sizeLimit", "maximumLag"])
def test_quantities_of_each_kind_are_found(part: str) -> None:
    found = quantities(yaml.safe_load(path_of("phase3").read_text()))
    assert any(path.endswith(part) for path, _ in found)
