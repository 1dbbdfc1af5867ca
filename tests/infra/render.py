"""Print the objects that a stack's program makes, as YAML, without a cluster: `python -m tests.infra.render phase2`.

For checkers that read manifests. The chart is not among them: render it with `--chart-values` and `helm template`.
"""

import argparse
import sys
from typing import Any

import yaml

from tests.infra import engine
from tests.infra.engine import Resource


def manifest(resource: Resource) -> dict[str, Any]:
    """The object as the API server gets it."""
    version = resource.type.removeprefix("kubernetes:").rpartition(":")[0].removeprefix("core/")
    inputs = {key: engine.whole_numbers(value) for key, value in resource.inputs.items() if not key.startswith("__")}
    return {"apiVersion": version, "kind": resource.kind, **inputs}


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description="Print what a stack's program makes, without a cluster.")
    parser.add_argument("stack", help="name of a stack that has a file Pulumi.<stack>.yaml")
    parser.add_argument("--chart-values", action="store_true", help="print the values of the chart instead")
    options = parser.parse_args()
    stack = engine.run(engine.stack_file(options.stack), options.stack)
    if options.chart_values:
        documents = [engine.whole_numbers(release.inputs["values"]) for release in stack.releases]
    else:
        documents = [manifest(resource) for resource in stack.objects if resource.kind != "Release"]
    yaml.safe_dump_all(documents, sys.stdout, sort_keys=False)


if __name__ == "__main__":
    main()
