"""Runs of Schemathesis: requests that it makes up from the API's own document, with all of its checks."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.server import ROOT

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "0"))
"""How many each run has to make at least: `make fuzz` asks for the number of the specification. By default each
operation gets a few, and what takes its time is left out."""

THOROUGH = ("--max-examples=25",)
QUICK = ("--max-examples=4", "--phases=fuzzing")
PACE = THOROUGH if REQUESTS else QUICK
"""Options that say how much is done before all begins anew with another seed."""

ENDS_THE_SESSION = ("logout", "logout_everywhere", "end_session", "change_password", "update_user", "log_user_out")
"""Operations that a run with a log-in leaves out; the others meet them without."""

CONFIGURATION = ROOT / "schemathesis.toml"


def generate(
    url: str,
    seed: int,
    *options: str,
    document: Path | None = None,
    configuration: Path = CONFIGURATION,
    statuses: Path | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Let Schemathesis make requests up; what it finds is in what it writes.

    Args:
        url: the server's, without a path.
        seed: of its random numbers.
        options: further ones of its command line.
        document: the OpenAPI document, if it is not the one that the server gives.
        configuration: its file.
        statuses: a file to which the status of each answer is added, one a line.
    """
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            f"--config-file={configuration}",
            *("run", str(document or f"{url}/api/v1/openapi.json"), f"--url={url}", "--checks=all", "--no-color"),
            *(f"--seed={seed}", "--generation-database=none", "--request-timeout=30"),
            *options,
        ],
        cwd=ROOT,
        env={**os.environ, **({"FUZZ_STATUSES": str(statuses)} if statuses else {})},
        capture_output=True,
        text=True,
        check=False,
    )


def report(run: "subprocess.CompletedProcess[str]") -> str:
    """Return what Schemathesis wrote of a run, without the middle of long lines, such as generated URLs."""
    shown = (line if len(line) <= 1000 else f"{line[:800]}…{line[-200:]}" for line in run.stdout.splitlines())
    return "\n".join([*shown, run.stderr])
