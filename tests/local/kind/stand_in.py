"""Stand-in for docker, kind, kubectl and pulumi, called by their names: records each call, answers like them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

KUBECONFIG = "apiVersion: v1\nkind: Config\n"
IMAGE = "sha256:" + "0123456789ab" * 5 + "0123"


def main() -> int:
    here = Path(__file__).resolve().parent
    state = json.loads((here / "state.json").read_text())
    call = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    with (here / "calls").open("a") as calls:
        calls.write(json.dumps([call, str(Path.cwd()), os.environ.get("KUBECONFIG", "")]) + "\n")
    for begin, message in state["failures"].items():
        if call.startswith(begin):
            sys.stderr.write(message + "\n")
            return 1
    if call.startswith("kind create cluster"):
        state["clusters"].append(_option("name"))
        Path(_option("kubeconfig")).write_text(KUBECONFIG)
    elif call.startswith("kind delete cluster"):
        state["clusters"] = [name for name in state["clusters"] if name != _option("name")]
    (here / "state.json").write_text(json.dumps(state))
    answers = {
        "kind get clusters": "".join(f"{name}\n" for name in state["clusters"]),
        "kind get kubeconfig": KUBECONFIG,
        "kind version": f"{state['version']}\n",
        "docker version": "29.1.0\n",
        "docker build": f"{IMAGE}\n",
        **state["answers"],
    }
    sys.stdout.write("".join(text for begin, text in answers.items() if call.startswith(begin)))
    return 0


def _option(name: str) -> str:
    return next(word.partition("=")[2] for word in sys.argv if word.startswith(f"--{name}="))


if __name__ == "__main__":
    sys.exit(main())
