"""One address, behind which are several replicas, of which not each shows what is looked for."""

from typing import cast

from sqlalchemy.orm import Session

from app.core.database.replicas import TRIES, Replica, Replicas


class Alternating:
    """Answers that it is not there yet, but for the last of so many tries."""

    def __init__(self, tries: int) -> None:
        self.name = "alternating"
        self.left = tries
        self.session = Session()

    def begin(self, _position: int) -> Session | None:
        self.left -= 1
        return None if self.left else self.session

    begin_late = begin


def test_the_replica_that_shows_it_is_found_while_the_primary_is_there_and_while_it_is_away() -> None:
    for name in ("begin", "begin_late"):
        replica = Alternating(TRIES)
        replicas = Replicas([cast(Replica, replica)])
        assert getattr(replicas, name)(1) is replica.session
