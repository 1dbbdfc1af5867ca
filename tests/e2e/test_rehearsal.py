"""The pipeline from a commit to production, with the phases 1 and 2 as staging and production: `make rehearsal`.

The steps are those of .github/workflows/deploy.yml and release.yml, each by its make target, with a registry and a key
pair of the test's own.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time

import pytest

from local.images import catalogue
from tests.e2e.account import Account
from tests.e2e.load import steady_load
from tests.e2e.registry import Registry, registry
from tests.e2e.system import ROOT, System, in_shell, run

pytestmark = pytest.mark.phases(2)

RATE = 20
"""Requests a second to production, all the while."""

GET_TASK = "        task = service.get(current_caller().user_id, path.identifier())\n"
BROKEN = '        raise RuntimeError("a release that is ready and does not work")\n'


@dataclass
class Source:
    """A clone of the repository, in which commits are made and images are built.

    Attributes:
        directory: of the clone.
        images: the registry that they are pushed to.
    """

    directory: Path
    images: Registry

    def commit(self, title: str) -> str:
        """Commit everything and return the commit."""
        author = ("-c", "user.name=Ada Example", "-c", "user.email=ada@example.org")
        git = ("git", "-C", str(self.directory), *author)
        run(*git, "commit", "--allow-empty", "--quiet", "--all", "--message", title).ok()
        return run(*git, "rev-parse", "HEAD").ok().strip()

    def publish(self) -> str:
        """Build the image of the last commit, push it, and return its reference by digest."""
        repository = f"{self.images.address}/task-manager"
        given = (f"REPOSITORY={repository}", f"BASE_IMAGE={catalogue.BASE_IMAGE}", "INSECURE=1")
        said = run("make", "-C", str(self.directory), "--silent", "publish", *given, env=self.images.environment).ok()
        return next(line for line in reversed(said.splitlines()) if line.startswith(f"{repository}@sha256:"))


@dataclass
class Rehearsal:
    """The steps and what each took.

    Attributes:
        variables: of a runner.
        steps: a record each.
    """

    variables: dict[str, str]
    steps: list[dict[str, object]] = field(default_factory=list)

    def make(self, target: str, stack: str = "", image: str = "", *, fails: bool = False) -> str:
        """Run a step of the workflow, note how long it took, and return what it printed."""
        began = monotonic()
        given = {**self.variables, **({"STACK": stack} if stack else {}), **({"IMAGE": image} if image else {})}
        done = run("make", "--silent", target, env=given, timeout=900)
        self.steps.append(
            {
                "step": f"make {target}",
                "stack": stack or "-",
                "s": monotonic() - began,
                "status": "stopped" if done.code else "passed",
            }
        )
        return done.failed() if fails else done.ok()


@pytest.fixture
def stacks(system: System) -> Iterator[tuple[System, System]]:
    """Staging and production, both up; afterwards they run the image that `make up` gives them."""
    run("make", "up", "PHASE=1", timeout=900).ok()
    yield System(1, run("make", "--silent", "url", "PHASE=1").ok().strip()), system
    for phase in (1, 2):
        run("make", "up", f"PHASE={phase}", timeout=900).ok()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    clone = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", clone], check=True)
    with registry(tmp_path) as running:
        yield Source(clone, running)


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    """The environment of a runner: the cluster, the state, and a key pair."""
    shell = in_shell("sh", "-c", 'printf "%s\\n" "$KUBECONFIG" "$PULUMI_BACKEND_URL"').ok().splitlines()
    kubeconfig, backend = shell
    run(".venv/infra/bin/python", "-m", "local", "tools", "cosign", "syft", timeout=1800).ok()
    prefix = str(tmp_path / "signer")
    in_shell("cosign", "generate-key-pair", "--output-key-prefix", prefix, env={"COSIGN_PASSWORD": ""}).ok()
    return Rehearsal(
        {
            "KUBECONFIG_BASE64": base64.b64encode(Path(kubeconfig).read_bytes()).decode(),
            "PULUMI_BACKEND_URL": backend,
            "PULUMI_CONFIG_PASSPHRASE": "",
            "COSIGN_PASSWORD": "",
            "COSIGN_KEY": f"{prefix}.key",
            "COSIGN_PUBLIC_KEY": f"{prefix}.pub",
        }
    )


def images(system: System) -> set[str]:
    return {pod["spec"]["containers"][0]["image"] for pod in system.api_pods()}


@contextmanager
def smoke_account(rehearsal: Rehearsal, stack: System) -> Iterator[None]:
    """The account of an environment, whose log-in the smoke test uses."""
    with Account.create(stack.api) as account:
        rehearsal.variables |= {"SMOKE_EMAIL": account.email, "SMOKE_PASSWORD": account.password}
        yield


def test_a_commit_reaches_production_and_a_release_that_does_not_work_is_stopped(
    stacks: tuple[System, System],
    source: Source,
    rehearsal: Rehearsal,
    account: Account,
    tmp_path: Path,
    artefacts: Path,
) -> None:
    staging, production = stacks
    account.client.post("/tasks", json={"title": "Read under load"})
    targets = [f"{production.api}/users/me", f"{production.api}/tasks", f"{production.url}/"]
    with steady_load(tmp_path, targets, account.token, rate=RATE) as load:
        began = time()
        # A commit to production.
        commit = source.commit("Change something")
        good = source.publish()
        unsigned = rehearsal.make("verify", image=good, fails=True)
        assert f"{good} is not signed by" in unsigned
        rehearsal.make("sign", image=good)
        assert f"built from commit {commit}" in rehearsal.make("verify", image=good)
        for stack in stacks:
            with smoke_account(rehearsal, stack):
                assert good in rehearsal.make("preview", stack.stack, good)
                rehearsal.make("release", stack.stack, good)
            assert images(stack) == {good}

        # A release that becomes ready and does not work: stopped in staging, which runs the former image again.
        routes = source.directory / "app" / "tasks" / "routes.py"
        text = routes.read_text()
        assert GET_TASK in text
        routes.write_text(text.replace(GET_TASK, BROKEN))
        source.commit("Break something")
        bad = source.publish()
        rehearsal.make("sign", image=bad)
        with smoke_account(rehearsal, staging):
            stopped = rehearsal.make("release", staging.stack, bad, fails=True)
        assert "is 500, not 200" in stopped
        assert f"{staging.stack} runs {good} again" in stopped
        assert images(staging) == images(production) == {good}

        # Production goes on, and back to the digest before.
        routes.write_text(text)
        source.commit("Mend it")
        next_one = source.publish()
        rehearsal.make("sign", image=next_one)
        with smoke_account(rehearsal, production):
            rehearsal.make("release", production.stack, next_one)
            assert images(production) == {next_one}
            rehearsal.make("promote", image=good)
            rehearsal.make("release", production.stack, good)
        assert images(production) == {good}
        seconds = time() - began

    total = {"step": "all", "stack": "-", "s": seconds, "status": f"{load.requests} requests, {load.failures} failed"}
    records = [json.dumps(record) for record in [*rehearsal.steps, total]]
    (artefacts / "rehearsal.json").write_text("".join(f"{record}\n" for record in records))
    assert load.failures == 0, load.causes
    assert load.requests > RATE * seconds * 0.9
