"""The helm command: where it is, and running it so that no secret appears in its arguments."""

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.plugins.kubernetes_provider.errors import CancelledError, ProviderError
from local.plugins.kubernetes_provider.kubeconfig import Connection

_POLL_SECONDS = 0.5
# Lines that helm writes whether or not anything is wrong.
_NOISE = ("WARNING: Kubernetes configuration file is", "level=WARN", "Flag --")


class HelmError(Exception):
    """Helm has failed; the message is its own reason, without its prefixes."""


@functools.cache
def helm_path() -> str:
    """Find helm on PATH.

    Raises:
        ProviderError: it is not there.
    """
    found = shutil.which("helm")
    if found is None:
        raise ProviderError("helm is not on PATH: install it, or use `make shell`, which brings it")
    return found


@functools.cache
def major_version() -> int:
    """Give helm's major version: 4 has renamed two options."""
    answer = subprocess.run([helm_path(), "version", "--short"], check=False, capture_output=True, text=True)
    match = re.search(r"v(\d+)\.", answer.stdout)
    return int(match[1]) if match else 3


@contextlib.contextmanager
def environment(connection: Connection) -> Iterator[dict[str, str]]:
    """Give helm the same cluster that the provider talks to, for the time of the block."""
    with tempfile.TemporaryDirectory(prefix="helm-release-") as folder:
        paths = connection.paths
        if connection.text is not None:
            own = Path(folder, "kubeconfig")
            own.touch(mode=0o600)
            own.write_text(connection.text, encoding="utf-8")
            paths = (str(own),)
        yield {
            **os.environ,
            "KUBECONFIG": os.pathsep.join(paths),
            "HELM_KUBECONTEXT": connection.context,
            "HELM_PLUGINS": folder,
        }


def run(
    arguments: Sequence[str],
    env: Mapping[str, str],
    *,
    values: Mapping[str, Any] | None = None,
    watch: Callable[[], None] = lambda: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """Run helm to its end.

    Args:
        arguments: everything after `helm`.
        env: from `environment`.
        values: sent on standard input, for `--values -`.
        watch: called twice a second while helm works.
        cancelled: polled as often; when it returns true, helm is interrupted, and rolls back where it can.

    Returns:
        What helm has printed.

    Raises:
        HelmError: helm says why it failed.
        CancelledError: it was interrupted.
    """
    interrupted = False
    with tempfile.TemporaryFile() as sent, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        if values is not None:
            # An unnamed file: like a pipe it is in no folder, but helm can take its time to read it.
            sent.write(json.dumps(values).encode())
            sent.seek(0)
        with subprocess.Popen([helm_path(), *arguments], stdin=sent, stdout=out, stderr=err, env=dict(env)) as process:
            while True:
                try:
                    process.wait(_POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    watch()
                if cancelled() and not interrupted:
                    process.send_signal(signal.SIGTERM)
                    interrupted = True
        output, errors = (_text(file) for file in (out, err))
    if interrupted:
        raise CancelledError(f"cancelled: {reason(errors) or 'helm was interrupted'}")
    if process.returncode:
        raise HelmError(reason(errors) or f"helm ended with exit code {process.returncode}")
    return output


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode("utf-8", errors="replace"))


def reason(errors: str) -> str:
    """Take helm's reason out of what it has written to standard error."""
    lines = [line for line in errors.splitlines() if line.strip() and not any(noise in line for noise in _NOISE)]
    text = "\n".join(lines).split("\n\nUse --debug flag")[0].removesuffix("Use --debug flag to render out invalid YAML")
    _, prefix, after = text.rpartition("Error: ")
    return re.sub(r"^(INSTALLATION|UPGRADE) FAILED: ", "", (after if prefix else text).strip())
