"""Outputs of other stacks, read while the program runs."""

import re
from collections.abc import Mapping
from typing import Any

import pulumi

from infra.config.project import PLATFORM
from infra.names import PROJECT

PLATFORM_SETTINGS = "environment"
"""Output of a platform's stack: settings for environments on it, by path."""


def read(stack: str) -> Mapping[str, Any]:
    """Return a stack's outputs. Unlike a StackReference's they are there at once, when settings are checked.

    Args:
        stack: as organization/project/stack.

    Raises:
        ValueError: there is no such stack, or it cannot be read.
    """
    try:
        answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": stack}).value
    except Exception as error:
        # The engine says which call of its own has failed before it says why.
        reason = re.sub(r"^.*(failed|returned an error): ", "", str(error).strip().splitlines()[-1])
        raise ValueError(f"the outputs of stack {stack} cannot be read: {reason}") from error
    outputs: Mapping[str, Any] = (answer or {}).get("outputs") or {}
    return outputs


def platform_settings(platform: str) -> Mapping[str, Any]:
    """Return what a platform's stack offers environments as their settings, by path.

    Args:
        platform: its name alone, or as organization/project/stack.

    Raises:
        ValueError: one line that says why not, and what to do.
    """
    stack = platform if "/" in platform else f"{pulumi.get_organization()}/{PLATFORM.name}/{platform}"
    try:
        outputs = read(stack)
    except ValueError as error:
        raise ValueError(f"{PROJECT}:platform: {error}") from error
    if PLATFORM_SETTINGS not in outputs:
        raise ValueError(f"{PROJECT}:platform: stack {stack} is not up: bring it up in infra/platform first")
    offered: Mapping[str, Any] = outputs[PLATFORM_SETTINGS]
    return offered
