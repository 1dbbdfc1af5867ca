"""The readiness of an object, as of one poll."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Readiness:
    """Whether an object is ready, and why not.

    Attributes:
        done: it is ready.
        message: what is being waited for, for the progress line.
        problems: what is wrong so far, a sentence each.
        failed: it will not become ready by waiting.
    """

    done: bool
    message: str
    problems: tuple[str, ...] = ()
    failed: bool = False

    def progress(self) -> str:
        """Give the progress line: what is waited for and the first thing that is wrong."""
        if self.done or not self.problems:
            return self.message
        return f"{self.message}; {self.problems[0].splitlines()[0]}"


def ready(message: str) -> Readiness:
    """Give the readiness of an object that is ready."""
    return Readiness(done=True, message=message)
