"""Check a live Prometheus for data of every rule and panel: `python -m monitoring.live --prometheus URL`."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import requests
import yaml

from monitoring import catalogue
from monitoring.expressions import operands
from monitoring.prometheus import Prometheus


class Question(NamedTuple):
    """An expression, and the rule (a recording rule's series) or panel (`dashboard/title`) that asks it."""

    asker: str
    expression: str


EXCEPTIONS: Final = catalogue.FOLDER / "silent.yaml"
OPTIONAL_PARTS: Final = {
    "backups": ("barman_",),
    "broker": ('job="broker"',),
    "edge": ("varnish_", "task_manager:edge_"),
    "istio": ("envoy_", "task_manager:mesh_"),
    "key-sets": ("task_manager_key_set_fetch_",),
    "rabbitmq": ("rabbitmq_", "task_manager:rabbitmq_"),
    "replicas": ("task_manager_database_replica_",),
    "traefik": ("traefik_",),
}
"""Parts that not every stack has → what stands in the expressions that ask for them."""


def questions(without: Iterable[str] = ()) -> Iterator[Question]:
    """Questions of all rules and panels; of comparisons, their operands, since a silent alert has no data.

    Args:
        without: parts that the stack has not, which are not asked for.
    """
    absent = [text for part in without for text in OPTIONAL_PARTS[part]]
    for question in _every_question():
        if not any(text in question.expression for text in absent):
            yield question


def _every_question() -> Iterator[Question]:
    for rule in catalogue.rules():
        for operand in operands(rule["expr"]):
            yield Question(rule.get("alert") or series(rule), operand)
    for name, dashboard in catalogue.dashboards().items():
        for panel in catalogue.panels(dashboard):
            for _, expression in catalogue.expressions(panel):
                yield Question(f"{name}/{panel['title']}", expression)


def series(rule: Mapping[str, Any]) -> str:
    """Return what a recording rule writes, such as `task_manager:volume_used:ratio{volume="cache"}`."""
    labels = ",".join(f'{name}="{value}"' for name, value in rule.get("labels", {}).items())
    return f"{rule['record']}{{{labels}}}" if labels else str(rule["record"])


def unanswered(prometheus: Prometheus, asked: Iterable[Question]) -> list[Question]:
    """Return the questions that get no data. Raises what `Prometheus.now` does."""
    return [question for question in asked if not prometheus.now(question.expression)]


def report(prometheus: Prometheus, asked: Iterable[Question], exceptions: Mapping[str, str]) -> tuple[str, bool]:
    """Ask, and say in lines what has no data; and whether all of that was to be expected.

    Args:
        exceptions: who may have no data → why.
    """
    every = list(asked)
    silent = unanswered(prometheus, every)
    wrong = [question for question in silent if question.asker not in exceptions]
    lines = [f"no data: {question.asker}: {question.expression}" for question in wrong]
    lines += [
        f"no data, as expected: {asker}: {exceptions[asker]}"
        for asker in dict.fromkeys(question.asker for question in silent)
        if asker in exceptions
    ]
    lines.append(f"{len(every)} expressions, {len(every) - len(silent)} with data, {len(wrong)} without any reason")
    return "".join(f"{line}\n" for line in lines), not wrong


def main() -> int:
    """Return 0 if every expression has data or a reason to have none, 1 if one has not, 2 if the server is away."""
    parser = argparse.ArgumentParser(description="Check a live Prometheus for data of every rule and panel.")
    parser.add_argument("--prometheus", required=True, metavar="URL", help="such as http://127.0.0.1:9090")
    parser.add_argument(
        "--without", nargs="*", default=[], choices=OPTIONAL_PARTS, metavar="PART", help=", ".join(OPTIONAL_PARTS)
    )
    options = parser.parse_args()
    exceptions = yaml.safe_load(EXCEPTIONS.read_text())
    try:
        said, well = report(Prometheus(options.prometheus), questions(options.without), exceptions)
    except (requests.RequestException, ValueError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(said)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
