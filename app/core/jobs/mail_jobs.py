"""Job handler that sends a mail."""

from app.core.jobs.model import Job, PermanentError
from app.core.mail import EmailTemplate, Mailer, RefusedError


class SendMail:
    """
    Args:
        mailer: sends.
        letters: writes, when the mail is sent: so what no longer holds is not told, and no secret has to be stored.
    """

    attempts = 100
    """First within seconds, then every ten minutes: for about 16 hours."""

    def __init__(self, mailer: Mailer, letters: EmailTemplate) -> None:
        self._mailer = mailer
        self._letters = letters

    def run(self, job: Job) -> None:
        mail = self._letters.write({name: str(value) for name, value in job.parameters.items()})
        if mail is None:
            return
        try:
            self._mailer.send(mail, job.id)
        except RefusedError as error:
            raise PermanentError(str(error)) from error
