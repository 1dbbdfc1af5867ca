"""Several replicas behind one address, of which not all have replayed the position."""

from typing import cast

from sqlalchemy.orm import Session

from app.core.database.replicas import TRIES, Replica, Replicas


class Alternating:
    """Replica that has replayed the position only in the last of a number of attempts."""

    def __init__(self, tries: int) -> None:
        self.name = "alternating"
        self.left = tries
        self.session = Session()

    def begin(self, _position: int) -> Session | None:
        self.left -= 1
        return None if self.left else self.session

    begin_late = begin


def test_a_replica_with_the_position_is_found_with_and_without_the_primary() -> None:
    for name in ("begin", "begin_late"):
        replica = Alternating(TRIES)
        replicas = Replicas([cast(Replica, replica)])
        assert getattr(replicas, name)(1) is replica.session
