"""Values survive the way to the engine and back, and become what the API server wants."""

import pytest
from google.protobuf import json_format, struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from local.plugins.kubernetes_provider.values import UNKNOWN, Secret, Value, decode, encode, has_unknown, plain

_LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(allow_nan=False)
_TREES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=12
)


def _struct(tree: dict[str, Value]) -> struct_pb2.Struct:
    return json_format.ParseDict(tree, struct_pb2.Struct())


@given(st.dictionaries(st.text(), _TREES, max_size=4))
def test_any_tree_comes_back_as_it_went(tree: dict[str, Value]) -> None:
    assert decode(encode(tree)) == tree


def test_a_whole_number_arrives_as_an_integer() -> None:
    port = decode(_struct({"port": 8000.0}))["port"]
    assert port == 8000
    assert isinstance(port, int)


@pytest.mark.parametrize("number", [0.5, 1e300])
def test_a_number_that_is_not_whole_or_too_large_to_be_exact_stays_a_float(number: float) -> None:
    assert isinstance(decode(_struct({"n": number}))["n"], float)


def test_true_is_not_a_number() -> None:
    assert decode(_struct({"flag": True}))["flag"] is True


def test_a_secret_stays_a_secret_on_the_way_back() -> None:
    tree = {"data": Secret({"password": "hunter2"}), "list": [Secret("x")]}
    assert decode(encode(tree)) == tree


def test_a_secret_output_of_the_sdk_is_a_secret() -> None:
    output = {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4", "value": "v", "secret": True}
    assert decode(_struct({"x": output}))["x"] == Secret("v")


def test_a_secret_does_not_show_in_what_is_printed() -> None:
    assert "hunter2" not in repr({"x": Secret("hunter2")})


def test_an_unknown_value_is_found_at_any_depth_and_survives() -> None:
    tree = decode(encode({"a": [{"b": Secret(UNKNOWN)}]}))
    assert has_unknown(tree)
    assert not has_unknown({"a": [1, "x", None]})


def test_plain_values_carry_no_wrapper() -> None:
    assert plain({"a": Secret({"b": [Secret(1)]})}) == {"a": {"b": [1]}}
