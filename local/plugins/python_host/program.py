"""Run one Pulumi program: `program.py <engine address>`, with a serialized RunRequest on standard input.

Runs in the program's own interpreter, so it leans on nothing but the Pulumi SDK. Errors go to the engine's log:
a `pulumi.RunError` as the sentence that it is, anything else with the part of its traceback that lies in the program.
"""

import asyncio
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pulumi
from pulumi import runtime
from pulumi.runtime.proto import language_pb2

# The same figure as in exit_codes.py, which this file cannot import: see host.py.
ERROR_SHOWN = 32


def main(engine_address: str, request: language_pb2.RunRequest) -> int:
    """Run the program that the request names.

    Returns:
        The process's exit code: 0, or `ERROR_SHOWN` after the error has been sent to the engine.
    """
    configure(engine_address, request)
    program = Path(request.info.program_directory, request.info.entry_point)
    if program.is_dir() and not (program / "__main__.py").exists():
        pulumi.log.error(f"there is no program at {program}: expected a file __main__.py in it")
        return ERROR_SHOWN
    if request.pwd:
        os.chdir(request.pwd)
    sys.argv = [str(program), *request.args]
    # The SDK leaves futures unobserved when a program fails, and asyncio would print each of them.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        run(program, parallel=request.parallel)
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.UNAVAILABLE:
            pulumi.log.debug("the engine has stopped listening; ending")
        else:
            pulumi.log.error(f"the engine refused a call: {error.details()}")
    except Exception as error:  # noqa: BLE001 whatever the program raises is shown to its author
        # What the SDK makes of a call that waits for a remote component while the engine stops for an error: the engine
        # gives this one, alone of its kind, without a code to know it by (pulumi 3.259, source_eval.go).
        if str(error) == "resource monitor shut down":
            return ERROR_SHOWN
        pulumi.log.error(f"Program failed with an unhandled exception:\n{user_traceback(error, program)}")
    else:
        return 0
    return ERROR_SHOWN


def configure(engine_address: str, request: language_pb2.RunRequest) -> None:
    """Connect the SDK to the engine and hand it the stack's configuration."""
    runtime.set_all_config(dict(request.config), list(request.configSecretKeys))
    runtime.configure(
        runtime.Settings(
            project=request.project,
            stack=request.stack,
            organization=request.organization or "organization",
            root_directory=request.info.root_directory,
            parallel=request.parallel,
            dry_run=request.dryRun,
            monitor=request.monitor_address,
            engine=engine_address,
        )
    )


def run(program: Path, *, parallel: int) -> None:
    """Run the program and wait for every resource that it has registered."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # Four threads for each resource operation that the engine runs at once, as the official host has it.
    executor = ThreadPoolExecutor(max_workers=max(parallel, 1) * 4)
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(runtime.run_in_stack(lambda: _execute(program)))
    finally:
        executor.shutdown(wait=True)
        loop.close()


def _execute(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


def user_traceback(error: BaseException, program: Path) -> str:
    """Format an exception from its first frame inside the program on; the whole of it when there is none."""
    root = program if program.is_dir() else program.parent
    frames = traceback.extract_tb(error.__traceback__)
    inside = [index for index, frame in enumerate(frames) if Path(frame.filename).is_relative_to(root)]
    kept = frames[inside[0] :] if inside else frames
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(kept)]
    return "".join([*lines, *traceback.format_exception_only(error)]).rstrip()


if __name__ == "__main__":
    received = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
    code = main(sys.argv[1], received)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
