"""What one look at an object tells."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One look.

    Attributes:
        done: it is ready.
        message: what is being waited for, for the progress line.
        problems: what is wrong so far, a sentence each.
        hopeless: no use waiting any longer.
    """

    done: bool
    message: str
    problems: tuple[str, ...] = ()
    hopeless: bool = False

    def progress(self) -> str:
        """Give the progress line: what is waited for and the first thing that is wrong."""
        if self.done or not self.problems:
            return self.message
        return f"{self.message}; {self.problems[0].splitlines()[0]}"


def ready(message: str) -> Verdict:
    """Give the verdict for an object that is ready."""
    return Verdict(done=True, message=message)
