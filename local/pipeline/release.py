"""Release of an image to a stack: update, smoke test, and the former image again where that fails."""

from __future__ import annotations

from infra.config.image import IMAGE_VARIABLE
from local.errors import LocalError
from local.progress import Progress
from local.stack import pulumi, smoke


def release(stack: str, image: str, progress: Progress) -> None:
    """Bring a stack to an image and test it; on failure bring it back to the image that it has run before.

    Args:
        stack: its name.
        image: by digest.
        progress: where the steps are shown.

    Raises:
        LocalError: the update failed, which Helm has undone; or the smoke test failed, and what the stack runs now.
    """
    former = _image(stack)
    _update(stack, image, progress)
    try:
        smoke.test(stack, progress)
    except LocalError as failure:
        if former in {None, image}:
            raise LocalError(f"{failure}; {stack} has run no other image to go back to") from failure
        progress.note(f"{failure}; back to {former}")
        _update(stack, str(former), progress)
        smoke.test(stack, progress)
        raise LocalError(f"{failure}; {stack} runs {former} again") from failure


def _image(stack: str) -> str | None:
    """Return the image of the stack's last update; None for a stack that was never brought up."""
    try:
        found = pulumi.outputs(stack).get("image")
    except LocalError:
        return None
    return str(found) if found else None


def _update(stack: str, image: str, progress: Progress) -> None:
    with progress.step(f"{stack} to {image}"):
        pulumi.run("up", "--yes", "--skip-preview", stack=stack, variables={IMAGE_VARIABLE: image})
