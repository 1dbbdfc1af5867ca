"""No secret value reaches the state or a message unmarked."""

from local.plugins.kubernetes_provider import state
from local.plugins.kubernetes_provider.secret_values import mark_like, mark_secret_kind, redact
from local.plugins.kubernetes_provider.values import Secret, Value


def visible(value: Value) -> str:
    """Everything in a tree that is not inside a secret, as one text."""
    if isinstance(value, Secret):
        return ""
    if isinstance(value, dict):
        return " ".join(f"{key} {visible(item)}" for key, item in value.items())
    if isinstance(value, list):
        return " ".join(visible(item) for item in value)
    return str(value)


def test_an_output_is_secret_where_its_input_was() -> None:
    marked = mark_like({"a": {"b": "pw"}, "c": 1}, {"a": {"b": Secret("pw")}})
    assert marked == {"a": {"b": Secret("pw")}, "c": 1}


def test_a_secret_is_found_where_the_server_has_moved_it() -> None:
    live = {"env": [{"name": "OTHER"}, {"name": "X", "value": "hunter2secret"}]}
    marked = mark_like(live, {"env": [{"name": "X", "value": Secret("hunter2secret")}]})
    assert "hunter2secret" not in visible(marked)


def test_a_secret_inside_a_longer_text_hides_that_text() -> None:
    assert mark_like({"url": "postgres://u:hunter2@db"}, {"p": Secret("hunter2")})["url"] == Secret(
        "postgres://u:hunter2@db"
    )


def test_a_short_secret_does_not_hide_what_merely_looks_like_it() -> None:
    assert mark_like({"other": "true"}, {"flag": Secret("true")}) == {"other": "true"}


def test_the_data_of_a_secret_object_is_hidden_even_when_the_program_did_not_say_so() -> None:
    marked = mark_secret_kind({"apiVersion": "v1", "kind": "Secret", "data": {"a": "eA=="}, "type": "Opaque"})
    assert marked["data"] == Secret({"a": "eA=="})
    assert marked["type"] == "Opaque"


def test_the_state_of_a_secret_object_shows_none_of_it() -> None:
    inputs = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": Secret({"p": "hunter2secret"}),
    }
    live = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "s",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"p":"aHVudGVyMnNlY3JldA=="}}'
            },
        },
        "data": {"p": "aHVudGVyMnNlY3JldA=="},
    }
    shown = visible(state.outputs(live, inputs))
    assert "hunter2secret" not in shown
    assert "aHVudGVyMnNlY3JldA" not in shown


def test_a_message_that_quotes_a_secret_is_cleaned() -> None:
    assert redact('spec.x: Invalid value: "hunter2secret"', {"x": Secret("hunter2secret")}) == (
        'spec.x: Invalid value: "[secret]"'
    )
