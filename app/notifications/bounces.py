"""Bounces and complaints: to such an address no mail goes any more."""

from collections.abc import Iterator, Mapping
from typing import Any

import structlog

from app.core.database.retries import retried
from app.notifications.ports import NotificationStorage

BOUNCED = "mail bounced"
COMPLAINED = "reported as spam"

HARD_BOUNCES = frozenset({"HardBounce", "BadEmailAddress"})
"""Postmark's types of bounces that are final (https://postmarkapp.com/developer/api/bounce-api)."""

log = structlog.get_logger(__name__)


class BounceService:
    """Suspends addresses by the notices of a mail provider."""

    def __init__(self, storage: NotificationStorage) -> None:
        self._storage = storage

    @retried
    def suspend(self, reasons: Mapping[str, str]) -> None:
        """Suspend addresses; idempotent.

        Args:
            reasons: why, by address; addresses of nobody are ignored.
        """
        if not reasons:
            return
        with self._storage.write() as work:
            known = sum(work.recipients.suspend(email, reason) for email, reason in reasons.items())
        log.info("addresses suspended", told=len(reasons), known=known)


def of_ses(notice: Mapping[str, Any]) -> dict[str, str]:
    """Return address and reason of each permanent bounce and complaint of a notice of Amazon SES
    (https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html)."""
    kind = notice.get("notificationType") or notice.get("eventType")
    bounce, complaint = _object(notice, "bounce"), _object(notice, "complaint")
    if kind == "Bounce" and bounce.get("bounceType") == "Permanent":
        return dict.fromkeys(_addresses(bounce.get("bouncedRecipients")), BOUNCED)
    if kind == "Complaint":
        return dict.fromkeys(_addresses(complaint.get("complainedRecipients")), COMPLAINED)
    return {}


def of_postmark(notice: Mapping[str, Any]) -> dict[str, str]:
    """Return address and reason of a hard bounce or complaint of a notice of Postmark
    (https://postmarkapp.com/developer/webhooks/bounce-webhook)."""
    email, kind = notice.get("Email"), notice.get("RecordType")
    if not isinstance(email, str):
        return {}
    if kind == "Bounce" and notice.get("Type") in HARD_BOUNCES:
        return {email: BOUNCED}
    return {email: COMPLAINED} if kind == "SpamComplaint" else {}


def _object(notice: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = notice.get(name)
    return value if isinstance(value, dict) else {}


def _addresses(recipients: object) -> Iterator[str]:
    for each in recipients if isinstance(recipients, list) else []:
        if isinstance(each, dict) and isinstance(email := each.get("emailAddress"), str):
            yield email
