"""Values of the chart for what the notifications service sends besides mail, and for what mail providers report."""

from infra import names
from infra.config.settings import Settings
from infra.config.types import SmsProvider
from infra.names import ServiceNames

HTTPS_PORT = 443

Variable = tuple[str, str, str]
"""Name, Secret and key."""


def env(settings: Settings, own: ServiceNames) -> dict[str, str]:
    """Return the environment of the notifications service; of another one, none."""
    if not _notifies(own):
        return {}
    mail, sms, found = settings.mail, settings.sms, {}
    if mail.host:
        found["APP_DAILY_MAILS"] = str(mail.daily_limit)
        if mail.ses_topic:
            found["APP_SES_TOPIC"] = mail.ses_topic
    if sms.provider is not SmsProvider.NONE:
        found |= {
            "APP_SMS": sms.provider.value,
            "APP_SMS_SENDER": sms.sender,
            "APP_SMS_REGION": sms.region,
            "APP_SMS_COUNTRIES": " ".join(sms.countries),
            "APP_DAILY_SMS": str(sms.daily_limit),
            "APP_PUBLIC_URL": settings.public_url,
        }
    return found


def secrets(settings: Settings, own: ServiceNames) -> tuple[list[Variable], list[Variable]]:
    """Return the variables whose Secrets have to be there, and those whose may."""
    if not _notifies(own):
        return [], []
    wanted, may_be_there = [], []
    if settings.sms.provider is not SmsProvider.NONE:
        wanted = [
            ("APP_SMS_ACCOUNT", names.SMS_SECRET, names.SMS_ACCOUNT_KEY),
            ("APP_SMS_SECRET", names.SMS_SECRET, names.SMS_SECRET_KEY),
        ]
    if settings.mail.host:
        may_be_there = [("APP_BOUNCE_PASSWORD", names.MAIL_SECRET, names.MAIL_BOUNCE_KEY)]
    return wanted, may_be_there


def ports_of_jobs(settings: Settings, own: ServiceNames) -> list[int]:
    """Return the ports outside the cluster that jobs need."""
    mail = [settings.mail.port] if settings.mail.host else []
    sms = [HTTPS_PORT] if _notifies(own) and settings.sms.provider is not SmsProvider.NONE else []
    return mail + sms


def ports_of_servers(settings: Settings, own: ServiceNames) -> list[int]:
    """Return the ports outside the cluster that servers need: of the certificates of SNS's messages."""
    return [HTTPS_PORT] if _notifies(own) and settings.mail.host and settings.mail.ses_topic else []


def _notifies(own: ServiceNames) -> bool:
    return own.service in (names.ALL, "notifications")
