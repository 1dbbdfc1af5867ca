"""The outbox: events wait here, beside the change that they tell, until the relay has carried them on."""

from sqlalchemy.orm import Session

from app.platform.events import Event
from app.storage.models import OutboxRow


class SqlOutbox:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, event: Event) -> None:
        self._session.add(OutboxRow(**vars(event)))
        self._session.flush()
