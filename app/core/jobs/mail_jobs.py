"""Job handler that sends a mail."""

from app.core.jobs.model import Job, PermanentError
from app.core.mail import EmailTemplate, Mailer, RefusedError


class SendMail:
    """Job handler that renders a mail and sends it.

    Args:
        mailer: sends.
        template: renders the mail when it is sent, so that it is up to date and no secrets are stored in the job.
    """

    attempts = 100
    """Retries within seconds at first, then every ten minutes: for about 16 hours."""

    def __init__(self, mailer: Mailer, template: EmailTemplate) -> None:
        self._mailer = mailer
        self._template = template

    def run(self, job: Job) -> None:
        mail = self._template.write({name: str(value) for name, value in job.parameters.items()})
        if mail is None:
            return
        try:
            self._mailer.send(mail, job.id)
        except RefusedError as error:
            raise PermanentError(str(error)) from error
