"""The chart against the application: its commands, settings, probes and shutdown exist there and work."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.components.workload.chart import CHART
from tests.contract.chart import ROOT, STACKS, Manifest, objects, one, pod_specs
from tests.support.ports import free_port

PYTHON = str(ROOT / ".venv" / "app" / "bin" / "python")
SMOKE = ROOT / CHART / "files" / "smoke.py"
START_SECONDS = 30.0


def container(kind: str) -> Manifest:
    """Return the only container of phase 1's Deployment or Job."""
    [found] = one(objects("phase1"), kind)["spec"]["template"]["spec"]["containers"]
    return dict(found)


def environment(directory: Path, port: int) -> dict[str, str]:
    """Return the variables of phase 1's pods, with the paths and the port of this machine in place of the pod's."""
    declared = {
        variable["name"]: variable.get("value", secrets.token_urlsafe(48)) for variable in container("Job")["env"]
    }
    url = declared["APP_DATABASE_URL"].replace("/data/", f"{directory}/")
    ours = {
        "APP_DATABASE_URL": url,
        "APP_PORT": str(port),
        "APP_METRICS_PORT": str(free_port()),
        "APP_DRAIN_FILE": str(directory / "draining"),
    }
    return {"PATH": os.environ["PATH"], **declared, **ours}


def status(address: str) -> int:
    """Return the status of an answer, or 0 where nobody answers."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def smoke(address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PYTHON, str(SMOKE), address], capture_output=True, text=True, check=False, timeout=60)


@dataclass
class Server:
    """The server as the chart starts it."""

    process: subprocess.Popen[bytes]
    address: str
    environment: dict[str, str]


def closes(server: Server) -> bool:
    """Tell whether the server closes a connection that the client wants to keep."""
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=5)
    connection.request("GET", "/health/live")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.will_close


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Migrate and start by the chart's own arguments and variables, and wait for the startup probe's path."""
    port = free_port()
    variables = environment(tmp_path, port)
    app = [PYTHON, "-m", "app"]
    subprocess.run(
        [*app, *container("Job")["args"]], cwd=ROOT, env=variables, check=True, capture_output=True, timeout=60
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*app, *container("Deployment")["args"]], cwd=ROOT, env=variables, stderr=log, stdout=log
        )
    started = Server(process, f"http://127.0.0.1:{port}", variables)
    try:
        path = container("Deployment")["startupProbe"]["httpGet"]["path"]
        deadline = time.monotonic() + START_SECONDS
        while status(started.address + path) != 200:
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.05)
        yield started
    finally:
        process.kill()
        process.wait()


def test_what_the_chart_starts_passes_the_charts_probes_and_its_test(server: Server) -> None:
    for probe in ("livenessProbe", "readinessProbe"):
        assert status(server.address + container("Deployment")[probe]["httpGet"]["path"]) == 200
    done = smoke(server.address)
    assert done.returncode == 0, done.stderr
    assert "POST /tasks: 201" in done.stdout
    assert done.stdout.endswith("DELETE /users/me: 204\nPOST /auth/login: 401\n")


def test_what_the_chart_starts_gives_metrics_where_the_chart_lets_the_scraper_in_alone(server: Server) -> None:
    template = one(objects("phase1"), "Deployment", "api")["spec"]["template"]
    path = template["metadata"]["annotations"]["prometheus.io/path"]
    assert status(f"http://127.0.0.1:{server.environment['APP_METRICS_PORT']}{path}") == 200
    assert status(server.address + path) == 404


def test_what_the_chart_starts_stops_as_the_chart_stops_it(server: Server) -> None:
    assert not closes(server)
    *drain, _seconds = container("Deployment")["lifecycle"]["preStop"]["exec"]["command"]
    # shorter than in a pod, and twice as long as a server goes without looking whether it drains
    subprocess.run([PYTHON, *drain[1:], "0.2"], cwd=ROOT, env=server.environment, check=True, timeout=30)
    assert closes(server)
    server.process.send_signal(signal.SIGTERM)
    grace = one(objects("phase1"), "Deployment", "api")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert server.process.wait(timeout=grace) == 0


def test_the_test_says_in_one_line_what_is_wrong() -> None:
    port = free_port()
    done = smoke(f"http://127.0.0.1:{port}")
    assert done.returncode == 1
    assert done.stderr.startswith(f"smoke: POST /auth/register: no answer from http://127.0.0.1:{port}: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("stack", STACKS)
def test_every_command_of_the_chart_is_one_of_the_application(stack: str) -> None:
    code = "import sys; from app.__main__ import parser; parser().parse_args(sys.argv[1:])"
    for _, _, spec in pod_specs(objects(stack)):
        for started in spec["containers"]:
            if "command" not in started:
                subprocess.run([PYTHON, "-c", code, *started["args"]], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("stack", STACKS)
def test_every_setting_of_the_chart_is_one_of_the_application(stack: str) -> None:
    """The application ignores variables that it does not know, so a misspelt one would be silent."""
    code = (
        "from app.core.settings import Settings; from app.core.database_split.source import FormerDatabase;"
        " print(*Settings.model_fields, *(f'former_database_{name}' for name in FormerDatabase.model_fields))"
    )
    known = subprocess.run([PYTHON, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for kind, _, spec in pod_specs(objects(stack)):
        if kind == "Pod":
            continue  # the test of the release takes no settings
        [running] = spec["containers"]
        named = [variable["name"] for variable in running["env"]]
        assert len(named) == len(set(named))
        ours = {name for name in named if name.startswith("APP_")}
        assert ours <= {f"APP_{field.upper()}" for field in known}
        assert set(named) - ours <= {"PGSSLMODE", "REMAP_SIGTERM"}  # libpq's own and Celery's
