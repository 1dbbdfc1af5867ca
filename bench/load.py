"""Load by wrk, and what it says of it."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Measured:
    """Of one run: requests a second, and times in milliseconds."""

    rate: float
    median_ms: float
    p99_ms: float


def parse(text: str) -> Measured:
    """Read wrk's report. Raises RuntimeError when a request failed: such a run says nothing."""
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"requests failed:\n{text}")
    if "\n  0 requests" in text:
        raise RuntimeError("no request was answered: measure for longer")
    [rate] = re.findall(r"Requests/sec:\s+([\d.]+)", text)
    times = {
        percent: float(value) * UNITS[unit] for percent, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(\w+)", text)
    }
    return Measured(float(rate), times["50"], times["99"])


def load(url: str, seconds: int, token: str = "", script: Path | None = None) -> Measured:
    """Ask for the URL as often as it answers, on 16 connections."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s", "--latency"]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    if script:
        command += ["-s", str(script)]
    done = subprocess.run([*command, url], check=True, capture_output=True, text=True)
    return parse(done.stdout)
