"""Queries of a live Prometheus."""

from typing import Any

import requests

_TIMEOUT = 30  # seconds; the server itself gives up after two minutes


class Prometheus:
    """A server.

    Args:
        url: its address, such as `http://127.0.0.1:9090`.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def now(self, expression: str) -> list[dict[str, Any]]:
        """Return what an expression is right now: for each series `metric` (labels) and `value` (time, number as text).

        Raises:
            ValueError: the server refuses the expression; its words.
            requests.RequestException: the server does not answer.
        """
        return self._ask("query", query=expression)

    def over(self, expression: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """Return what an expression was: for each series `metric` and `values`. Raises what `now` does.

        Args:
            start, end: Unix times, seconds.
            step: seconds from value to value.
        """
        return self._ask("query_range", query=expression, start=str(start), end=str(end), step=str(step))

    def _ask(self, what: str, **parameters: str) -> list[dict[str, Any]]:
        answer = requests.post(f"{self._url}/api/v1/{what}", data=parameters, timeout=_TIMEOUT)
        if answer.status_code in (400, 422):
            raise ValueError(f"{parameters['query']}: {answer.json()['error']}")
        answer.raise_for_status()
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result
