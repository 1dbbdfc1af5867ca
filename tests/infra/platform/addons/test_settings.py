"""Settings of the add-ons."""

from typing import Any

import pytest
from pydantic import ValidationError

from infra.platform.addons.definition import merge
from infra.platform.addons.install import ADDONS
from infra.platform.addons.settings import AddonSettings
from infra.platform.addons.versions import CHARTS


def test_each_chart_of_the_table_is_an_add_on_with_a_setting() -> None:
    assert {addon.key for addon in ADDONS} == set(CHARTS)
    assert {addon.setting for addon in ADDONS} <= set(AddonSettings.model_fields)


@pytest.mark.parametrize("key", CHARTS)
def test_a_row_of_the_table_names_its_source_and_date(key: str) -> None:
    chart = CHARTS[key]
    assert chart.repository.startswith("https://")
    assert chart.source
    assert len(chart.date.split("-")) == 3


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"traefik": "none"}, "Input should be 'install' or 'provided'"),
        ({"values": {"traefk": {}}}, "'traefk' is no add-on (did you mean traefik?)"),
        ({"values": {"zzz": {}}}, "'zzz' is no add-on (they are gateway_api, traefik"),
        ({"acme_email": "somebody"}, "String should match pattern"),
        ({"repository": "charts.example.com"}, "write it as http://host:port"),
        ({"helm": "install"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as refused:
        AddonSettings.model_validate(settings)
    [found] = refused.value.errors()
    assert problem in found["msg"]


def test_objects_are_merged_by_key_and_anything_else_as_a_whole() -> None:
    values = {"a": {"b": 1, "c": [1]}, "d": 1}
    assert merge(values, {"a": {"c": [2]}, "d": {"e": 1}}) == {"a": {"b": 1, "c": [2]}, "d": {"e": 1}}
    assert values == {"a": {"b": 1, "c": [1]}, "d": 1}
