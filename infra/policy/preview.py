"""Resources of a stack from `pulumi preview --json --show-secrets`, those of its charts rendered by Helm."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from infra.policy.resource import Resource, of_manifest

PROGRAM: Final = Path(__file__).resolve().parents[1]
"""Folder of the program, which paths of charts start from."""
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""Key of the objects that stand for secrets in Pulumi's JSON (pulumi/sdk, `resource.SigKey`)."""
_REMOVED: Final = ("delete", "delete-replaced", "discard", "read", "read-replacement", "read-discard")


def resources(preview: Mapping[str, Any], helm: str) -> list[Resource]:
    """Return all resources that a stack has after an update.

    Args:
        preview: the JSON of a preview that shows secrets, without which no chart can be rendered.
        helm: path of Helm.

    Raises:
        ValueError: Helm refused the values of a chart.
    """
    found: list[Resource] = []
    for step in preview.get("steps", []):
        state = step.get("newState")
        if not state or step["op"] in _REMOVED or not state.get("custom"):
            continue
        inputs = _plain(state.get("inputs") or {})
        name = (inputs.get("metadata") or {}).get("name") or step["urn"].rpartition("::")[2]
        found.append(Resource(state["type"], name, inputs, bool(state.get("protect")), step["urn"]))
        if state["type"] == RELEASE:
            found += render(inputs, step["urn"], helm)
    return found


def render(inputs: Mapping[str, Any], urn: str, helm: str) -> Iterator[Resource]:
    """Give the objects of a release of a chart in this repository.

    Args:
        inputs: of the release.
        urn: Pulumi's name of the release.
        helm: path of Helm.

    Raises:
        ValueError: Helm refused the values.
    """
    namespace = str(inputs.get("namespace") or "default")
    command = [helm, "template", str(inputs["name"]), str(inputs["chart"]), "--namespace", namespace, "--values", "-"]
    values = json.dumps(inputs.get("values") or {})
    done = subprocess.run(command, cwd=PROGRAM, input=values, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"policies: Helm does not render {inputs['name']}: {done.stderr.strip()}")
    for manifest in yaml.safe_load_all(done.stdout):
        # Tests of the chart are run by hand, and their pods are gone when they have ended.
        if manifest and "test" not in (manifest["metadata"].get("annotations") or {}).get("helm.sh/hook", ""):
            yield of_manifest(manifest, namespace, urn)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        if _SIGNATURE in value:
            return json.loads(value["plaintext"]) if "plaintext" in value else value.get("value")
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
