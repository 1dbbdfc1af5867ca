"""Every event that a service publishes has a subscriber: RabbitMQ returns one that reaches no queue, and it would hold
up those behind it in the outbox."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from app.bootstrap.container import build, sample_settings
from app.bootstrap.services import SERVICES
from app.core.events import model
from tests.support.server import ROOT

CONSTANTS = {"USER_DELETED", "SESSION_ENDED", "ENDS_REQUESTED", "EXPORT_REQUESTED"}
"""Names of events in app.core.events.model."""

NAME = re.compile(r"[a-z]+\.[a-z_]+")


def published() -> Iterator[str]:
    """Yield the names in functions that make an event: those of the services, and of what they share."""
    for file in (file for folder in (*SERVICES, "core/sessions") for file in (ROOT / "app" / folder).rglob("*.py")):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef) and any(map(makes_event, ast.walk(function))):
                yield from names(function, file)


def makes_event(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Event"


def names(function: ast.FunctionDef, file: Path) -> set[str]:
    texts = [node.value for node in ast.walk(function) if isinstance(node, ast.Constant)]
    found = {each for each in texts if isinstance(each, str) and NAME.fullmatch(each)}
    constants = [node.id for node in ast.walk(function) if isinstance(node, ast.Name) and node.id in CONSTANTS]
    found |= {getattr(model, name) for name in constants}
    assert found, f"{file}, {function.name}: which event is it?"
    return found


def test_every_event_has_a_subscriber_and_every_subscription_an_event() -> None:
    by_broker = sample_settings().model_copy(update={"events_url": SecretStr("amqp://127.0.0.1")})
    subscriptions = build(by_broker).background.subscriptions
    assert set(subscriptions) == set(SERVICES)
    assert set(published()) == frozenset[str]().union(*subscriptions.values())
