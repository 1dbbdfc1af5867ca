"""Fork server: runs pytest again and again, each time in a fork of a process that has imported the libraries already.

Started in the environment of the tests, in a copy of the repository: `python -m tests.mutants.fork_server`. It reads
requests, a JSON object a line: `libraries_of` some tests are imported; a run of pytest (`arguments`, `timeout`) is
answered with its exit code, or null for none in time.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

POLL = 0.02


LIST_LIBRARIES = """
import json, os, pytest, sys
answer, sys.stdout = sys.stdout, open(os.devnull, "w")
pytest.main(["--collect-only", "--quiet", *sys.argv[1:]])
here = os.getcwd() + os.sep

def of_a_library(module):
    file = getattr(module, "__file__", None) or ""
    return file.startswith(sys.prefix) or not file.startswith(here)

def is_attribute_of_its_package(name, module):
    # or else its package has a class of that name: to import the module would hide it
    package, _, last = name.rpartition(".")
    return not package or getattr(sys.modules.get(package), last, None) is module

found = list(sys.modules.items())
json.dump([name for name, each in found if of_a_library(each) and is_attribute_of_its_package(name, each)], answer)
"""


def libraries(arguments: list[str]) -> list[str]:
    """Return the modules that some tests import from elsewhere than here, where one may be a mutant.

    Byte code of all modules is written on the way.
    """
    command = [sys.executable, "-c", LIST_LIBRARIES, *arguments]
    listed: list[str] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return [name for name in listed if name != "__main__"]


def run(arguments: list[str], timeout: float | None) -> int | None:
    """Run pytest in a fork and return its exit code; None after the time-out."""
    process = os.fork()
    if process == 0:
        os.setsid()
        log = os.open("tests.log", os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.dont_write_bytecode = True  # that of a mutant would be taken for the next one's of the same length
        code = int(pytest.ExitCode.INTERNAL_ERROR)
        try:
            code = int(pytest.main(arguments))
        finally:
            os._exit(code)
    deadline = time.monotonic() + timeout if timeout else None
    ended, status = os.waitpid(process, os.WNOHANG)
    while not ended and (deadline is None or time.monotonic() < deadline):
        time.sleep(POLL)
        ended, status = os.waitpid(process, os.WNOHANG)
    with suppress(ProcessLookupError):  # servers that the tests have started go too
        os.killpg(process, signal.SIGKILL)
    if not ended:
        os.waitpid(process, 0)
        return None
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    """Serve requests until the input ends."""
    sys.path.insert(0, str(Path.cwd()))
    for line in sys.stdin:
        request = json.loads(line)
        answer = None
        if "libraries_of" in request:
            for name in libraries(request["libraries_of"]):
                with suppress(Exception):
                    importlib.import_module(name)
        else:
            answer = run(**request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
