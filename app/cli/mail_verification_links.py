"""`mail-verification-links`: verification of accounts older than the feature."""

import sys

from app.cli import fail
from app.core.errors import ServiceError
from app.core.settings import SettingsError, load_settings


def mail_verification_links() -> int:
    """Mail a link to every account with an unverified address."""
    from app.bootstrap.container import build

    try:
        settings = load_settings()
        if not settings.mail_enabled:
            return fail("APP_SMTP_HOST: missing, no mail can be sent", 2)
        count = build(settings, services=("auth",)).auth.verification.request_all()
    except SettingsError as error:
        return fail(str(error), 2)
    except ServiceError as error:
        return fail(str(error))
    sys.stdout.write(f"{count} mails are queued\n")
    return 0
