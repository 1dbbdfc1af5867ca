"""Images for the tests: the current one, one that differs in a label alone, and one that never becomes ready."""

from __future__ import annotations

from tests.e2e.system import in_shell

# Migrations and the drain work as ever; only the server is one that never answers.
NEVER_READY = r"""
FROM {base}
ENTRYPOINT ["sh", "-c", "if [ \"$0\" = serve ]; then exec sleep 3600; fi; exec python -m app \"$0\" \"$@\""]
"""

RELABELLED = """
FROM {base}
LABEL org.opencontainers.image.revision=next
"""


def current_image() -> str:
    """Return the reference of the image that `make up` has built."""
    return in_shell("sh", "-c", 'printf %s "$TASK_MANAGER_IMAGE"').ok()


def derived_image(base: str, dockerfile: str) -> str:
    """Build an image on top of `base`, load it into the cluster and return its reference."""
    return (
        in_shell(".venv/infra/bin/python", "-m", "local", "derive-image", base, dockerfile.format(base=base))
        .ok()
        .split()[-1]
    )


def relabelled_image(base: str) -> str:
    return derived_image(base, RELABELLED)


def broken_image(base: str) -> str:
    return derived_image(base, NEVER_READY)
