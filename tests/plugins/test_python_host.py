"""The language host picks the program's Python and tells its end."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from pulumi.runtime.proto import language_pb2

from local.plugins.python_host import dependencies, exit_codes, program
from local.plugins.python_host.__main__ import engine_address
from local.plugins.python_host.interpreter import InterpreterError, interpreter


def test_the_hosts_own_python_is_the_default(tmp_path: Path) -> None:
    assert interpreter({}, str(tmp_path)) == Path(sys.executable)


def test_the_environment_of_the_project_is_used(tmp_path: Path) -> None:
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert interpreter({"virtualenv": "env", "toolchain": "pip"}, str(tmp_path)) == python


def test_an_environment_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InterpreterError, match=f"'env' that Pulumi.yaml names is not at {tmp_path}/env"):
        interpreter({"virtualenv": "env"}, str(tmp_path))


RECORDING_PYTHON = """#!/bin/sh
echo "$(pwd)|$*" >> "{log}"
if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi
"""


@dataclass
class Clone:
    """A project whose environment has not been made, and a Python that records what it is asked for."""

    root: Path
    log: Path

    def install(self) -> list[str]:
        """Install, and give the commands with the folders that they ran in."""
        list(dependencies.install({"virtualenv": ".venv/infra"}, str(self.root), str(self.root / "infra")))
        return self.log.read_text().replace(str(self.root), "ROOT").splitlines()


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    root, log, python = tmp_path / "clone", tmp_path / "log", tmp_path / "python"
    (root / "infra").mkdir(parents=True)
    python.write_text(RECORDING_PYTHON.format(log=log))
    python.chmod(0o755)
    monkeypatch.setenv("PULUMI_PYTHON_CMD", str(python))
    return Clone(root, log)


def test_a_clone_gets_its_environment_and_the_requirements_beside_the_program(clone: Clone) -> None:
    (clone.root / "infra" / "requirements.txt").touch()
    assert dependencies.is_missing({"virtualenv": ".venv/infra"}, str(clone.root))
    assert clone.install() == [
        "ROOT|-m venv ROOT/.venv/infra",
        "ROOT/infra|-m pip install --upgrade pip setuptools wheel",
        "ROOT/infra|-m pip install --requirement requirements.txt",
    ]
    assert not dependencies.is_missing({"virtualenv": ".venv/infra"}, str(clone.root))


def test_requirements_elsewhere_than_beside_the_program_are_not_installed(clone: Clone) -> None:
    (clone.root / "requirements.txt").touch()
    assert not any("--requirement" in command for command in clone.install())


def test_an_installation_that_fails_says_which_command_did(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_PYTHON_CMD", "false")
    with pytest.raises(InterpreterError, match=r"`\S*false -m venv \S+` in \S+ ended with exit code 1"):
        clone.install()


def test_a_folder_that_is_no_environment_is_left_alone(clone: Clone) -> None:
    (clone.root / ".venv" / "infra" / "notes").mkdir(parents=True)
    assert not dependencies.is_missing({"virtualenv": ".venv/infra"}, str(clone.root))


def test_a_toolchain_that_is_not_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(InterpreterError, match="toolchain 'poetry'"):
        interpreter({"toolchain": "poetry"}, str(tmp_path))


@pytest.mark.parametrize(
    ("code", "message"),
    [(0, ""), (exit_codes.ERROR_SHOWN, ""), (3, "exit code 3"), (-9, "SIGKILL")],
)
def test_a_failed_program_is_reported_once(code: int, message: str) -> None:
    assert message in exit_codes.failure_message(code)
    assert bool(exit_codes.failure_message(code)) is bool(message)


def test_host_and_program_mean_the_same_exit_code() -> None:
    assert program.ERROR_SHOWN == exit_codes.ERROR_SHOWN


def test_the_engines_address_is_the_last_argument() -> None:
    assert engine_address(["--root=/x", "127.0.0.1:1234"]) == "127.0.0.1:1234"
    assert engine_address([]) == ""


def test_a_traceback_begins_in_the_program(tmp_path: Path) -> None:
    source = tmp_path / "__main__.py"
    source.write_text("def f():\n    raise ValueError('no')\n")
    space: dict[str, object] = {}
    exec(compile(source.read_text(), str(source), "exec"), space)  # noqa: S102 the text is the line above
    with pytest.raises(ValueError, match="no") as caught:
        space["f"]()  # type: ignore[operator]
    lines = program.user_traceback(caught.value, tmp_path).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert str(source) in lines[1]
    assert lines[-1] == "ValueError: no"


@pytest.mark.parametrize(("words", "shown"), [("resource monitor shut down", 0), ("no such bucket", 1)])
def test_an_engine_that_stops_is_no_error_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, shown: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Exception(words)  # noqa: TRY002 the SDK raises no other

    errors: list[str] = []
    monkeypatch.setattr(program, "configure", lambda *_: None)
    monkeypatch.setattr(program, "run", fail)
    monkeypatch.setattr("pulumi.log.error", errors.append)
    info = language_pb2.ProgramInfo(program_directory=str(tmp_path), entry_point="program.py")
    assert program.main("", language_pb2.RunRequest(info=info)) == exit_codes.ERROR_SHOWN
    assert len(errors) == shown
