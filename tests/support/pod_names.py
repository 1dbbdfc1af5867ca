"""Names of the stack's pods."""

import re

_GENERATED = re.compile(r"(-[a-z0-9]{8,10})?-[a-z0-9]{5}$|-\d+$")
"""What a Deployment, a Job or a StatefulSet adds to its own name."""


def part_of(pod: str) -> str:
    """Return the part of the system that a pod belongs to, such as `tasks-worker`."""
    return _GENERATED.sub("", pod).removeprefix("task-manager-")
