"""What a list that is not kept costs while Redis takes half a second to answer, beside what it costs otherwise."""

import time
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from bench.servers import serving
from bench.stage import LIST, Stage, fetch
from tests.support.address import Address
from tests.support.ports import wait_for

REQUESTS = 500
DELAY = 0.5
"""Seconds."""


def slow_redis(stage: Stage, folder: Path) -> dict[str, float]:
    """Return the time within which 99 % of requests are answered, with a slow Redis and a fast one, milliseconds.

    Two servers are asked in turn: what else the machine does slows both.
    """
    numbers = count()

    def read(url: str) -> float:
        began = time.perf_counter()
        fetch(f"{url}{LIST}?due_before=2100-01-01T00:00:00.{next(numbers):06d}Z", stage.token)
        return time.perf_counter() - began

    redis = urlsplit(stage.environment["APP_REDIS_URL"])
    with Address(redis.port or 6379) as address:
        afflicted = {**stage.environment, "APP_REDIS_URL": f"redis://127.0.0.1:{address.port}{redis.path}"}
        with (
            serving("gthread", "whole", afflicted, folder) as slow,
            serving("gthread", "whole", stage.environment, folder) as sound,
        ):
            read(slow.url)
            address.delay = DELAY
            # The first requests are those that find out.
            wait_for(lambda: max(read(slow.url) for _ in range(20)) < DELAY / 2, "requests do without Redis")
            pairs = [(read(slow.url), read(sound.url)) for _ in range(REQUESTS)]
    slow_ms, sound_ms = (round(1000 * sorted(times)[REQUESTS * 99 // 100], 2) for times in zip(*pairs, strict=True))
    return {"slow_ms": slow_ms, "sound_ms": sound_ms}
