"""The language host picks the program's Python and tells its end."""

import sys
from pathlib import Path

import pytest
from pulumi.runtime.proto import language_pb2

from local.plugins.python_host import exit_codes, program
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
