"""Waiting for what an object's own annotation names: `pulumi.com/waitFor`.

The annotation is one expression, or a JSON list of which all must hold: `condition=Ready`, `condition=Ready=False`,
`jsonpath={.status.phase}=Running`, `jsonpath={.status.address}`.
"""

import json
from collections.abc import Callable

from local.plugins.kubernetes_provider.awaiters import jsonpath
from local.plugins.kubernetes_provider.awaiters.lookups import Lookups
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness, ready
from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.objects import Object, condition, dig

WAIT_FOR = "pulumi.com/waitFor"


def rule(text: str) -> Callable[[Object, Lookups], Readiness]:
    """Make the rule that an annotation names.

    Raises:
        ProviderError: the annotation is not understood.
    """
    expressions = _expressions(text)
    for expression in expressions:
        _holds(expression, {})  # refuses what it does not understand, before anything is sent

    def assess(live: Object, lookups: Lookups) -> Readiness:
        del lookups
        missing = [expression for expression in expressions if not _holds(expression, live)]
        if not missing:
            return ready("Everything that the annotation waits for holds")
        found = tuple(text for text in (_state(expression, live) for expression in missing) if text)
        return Readiness(done=False, message=f"Waiting for {', '.join(missing)}", problems=found)

    return assess


def _expressions(text: str) -> list[str]:
    if not text.lstrip().startswith("["):
        return [text]
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise ProviderError(f"annotation {WAIT_FOR} is no JSON list: {error}") from error
    return [str(item) for item in parsed]


def _holds(expression: str, live: Object) -> bool:
    kind, _, rest = expression.partition("=")
    if kind == "condition" and rest:
        name, _, wanted = rest.partition("=")
        found = condition(live, name)
        # A condition about an earlier generation says nothing about this one.
        if found.get("observedGeneration", dig(live, "metadata", "generation", default=0)) < dig(
            live, "metadata", "generation", default=0
        ):
            return False
        return str(found.get("status", "")).lower() == (wanted or "True").lower()
    if kind == "jsonpath" and rest:
        path, wanted_value = _split_path(rest)
        return jsonpath.matches(path, wanted_value, live)
    raise ProviderError(
        f"annotation {WAIT_FOR} has {expression!r}: it takes "
        "condition=<type>[=<status>] or jsonpath={<path>}[=<value>]"
    )


def _split_path(rest: str) -> tuple[str, str | None]:
    end = rest.rfind("}") + 1 if rest.startswith("{") else len(rest)
    if not rest.startswith("{"):
        path, sign, value = rest.partition("=")
        return path, value if sign else None
    return rest[:end], rest[end + 1 :] if rest[end:].startswith("=") else None


def _state(expression: str, live: Object) -> str:
    kind, _, rest = expression.partition("=")
    if kind != "condition":
        return ""
    name = rest.partition("=")[0]
    found = condition(live, name)
    if not found:
        return f"the object has no condition {name} yet"
    detail = ": ".join(part for part in (found.get("reason", ""), found.get("message", "")) if part)
    return f"condition {name} is {found.get('status')}{f' ({detail})' if detail else ''}"
