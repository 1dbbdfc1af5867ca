"""The same thing done by several threads at the same moment."""

import threading
from collections.abc import Callable

THREADS = 4


def at_once(make_turn: Callable[[], Callable[[], bool]]) -> None:
    """Let threads begin together, and each take turns until one of its turns finds nothing to do.

    Args:
        make_turn: makes each thread's own turn. What a turn raises is raised here.
    """
    start = threading.Barrier(THREADS)
    broken: list[BaseException] = []

    def work() -> None:
        turn = make_turn()
        start.wait()
        try:
            while turn():
                pass
        except BaseException as error:  # noqa: BLE001 whatever it is, the test must know
            broken.append(error)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
