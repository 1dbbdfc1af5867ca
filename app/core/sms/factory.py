"""SMS sender of the settings."""

from app.core.clock import utc_now
from app.core.settings import Settings
from app.core.sms.port import SmsSender


def sms_sender(settings: Settings) -> SmsSender | None:
    """Return the sender of the settings' provider; None without one."""
    account, secret = settings.sms_account or "", settings.sms_secret.get_secret_value() if settings.sms_secret else ""
    if settings.sms == "twilio":
        from app.core.sms.twilio import BASE_URL, TwilioSms

        return TwilioSms(account, secret, settings.sms_sender, settings.sms_url or BASE_URL)
    if settings.sms == "sns":
        from app.core.sms.sigv4 import Credentials
        from app.core.sms.sns import SnsSms

        credentials = Credentials(account, secret)
        return SnsSms(settings.sms_region, credentials, settings.sms_sender, utc_now, settings.sms_url or "")
    return None
