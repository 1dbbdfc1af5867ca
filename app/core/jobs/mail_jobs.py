"""Sends the mails of a kind, each a job of its own: tried again while the server is away, given up when it refuses."""

from app.core.jobs.model import HopelessError, Job
from app.core.mail import Letters, Mailer, RefusedError


class SendMail:
    """
    Args:
        mailer: sends.
        letters: writes, when the mail is sent: so what no longer holds is not told, and no secret has to be stored.
    """

    attempts = 100
    """First within seconds, then every ten minutes: for about 16 hours."""

    def __init__(self, mailer: Mailer, letters: Letters) -> None:
        self._mailer = mailer
        self._letters = letters

    def run(self, job: Job) -> None:
        mail = self._letters.write({name: str(value) for name, value in job.parameters.items()})
        if mail is None:
            return
        try:
            self._mailer.send(mail, job.id)
        except RefusedError as error:
            raise HopelessError(str(error)) from error
