"""Marking of secret values in what goes into the state.

What the API server returns holds the secrets it was given, unmarked. They are marked again in two ways: at the place
where the input was secret, and wherever a text contains a secret text of the inputs (a list may have been reordered,
a value copied into another field).
"""

from collections.abc import Iterator

from local.plugins.kubernetes_provider.values import Secret, Tree, Value

# A shorter text ("true", "8080") would mark half of an object that has nothing to do with it.
_SHORTEST_RECOGNISED = 6


def mark_like(target: Value, source: Value) -> Value:
    """Wrap those parts of `target` that are secret in `source`."""
    return _by_text(_by_place(target, source), frozenset(secret_texts(source)))


def _by_place(target: Value, source: Value) -> Value:
    if isinstance(source, Secret):
        return target if target is None or isinstance(target, Secret) else Secret(target)
    if isinstance(target, dict) and isinstance(source, dict):
        return {key: _by_place(item, source[key]) if key in source else item for key, item in target.items()}
    if isinstance(target, list) and isinstance(source, list):
        paired = [_by_place(item, other) for item, other in zip(target, source, strict=False)]
        return paired + target[len(source) :]
    return target


def secret_texts(value: Value, *, inside: bool = False) -> Iterator[str]:
    """Give every text inside a secret that is long enough to be recognised elsewhere."""
    if isinstance(value, Secret):
        yield from secret_texts(value.value, inside=True)
    elif isinstance(value, dict):
        for item in value.values():
            yield from secret_texts(item, inside=inside)
    elif isinstance(value, list):
        for item in value:
            yield from secret_texts(item, inside=inside)
    elif inside and isinstance(value, str) and len(value) >= _SHORTEST_RECOGNISED:
        yield value


def _by_text(value: Value, texts: frozenset[str]) -> Value:
    if not texts or isinstance(value, Secret):
        return value
    if isinstance(value, dict):
        return {key: _by_text(item, texts) for key, item in value.items()}
    if isinstance(value, list):
        return [_by_text(item, texts) for item in value]
    if isinstance(value, str) and any(text in value for text in texts):
        return Secret(value)
    return value


def mark_secret_kind(tree: Tree) -> Tree:
    """Mark `data` and `stringData` of a Secret whole, whether or not the program marked them."""
    if tree.get("kind") != "Secret" or tree.get("apiVersion") != "v1":
        return tree
    return {
        key: Secret(item)
        if key in ("data", "stringData") and item is not None and not isinstance(item, Secret)
        else item
        for key, item in tree.items()
    }


def redact(message: str, source: Value) -> str:
    """Take the secret texts of `source` out of a message: a server's refusal may quote the value it refuses."""
    for text in sorted(secret_texts(source), key=len, reverse=True):
        message = message.replace(text, "[secret]")
    return message
