"""The outcome of a command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """Exit code and output, standard output and error together."""

    code: int
    text: str

    def ok(self) -> str:
        """Return the text; raise AssertionError with it when the command failed."""
        assert self.code == 0, self.text
        return self.text

    def failed(self) -> str:
        """Return the text; raise AssertionError with it when the command succeeded or failed with a traceback."""
        assert self.code != 0, self.text
        assert "Traceback" not in self.text, self.text
        return self.text
