"""Receivers of alerts: web hook, Slack, PagerDuty and e-mail, with their keys in files of Secrets."""

from dataclasses import dataclass
from typing import Any, Final

from infra import names
from infra.config.types import SMTPS_PORT, Receiver

SECRET_FOLDER: Final = "/run/secrets/alerts"  # noqa: S105 - a directory
MAIL_FOLDER: Final = "/run/secrets/mail"

_HTTPS: Final = 443  # of Slack and of PagerDuty
_TITLE: Final = "[{{ .Status }}] {{ .CommonLabels.severity }}: {{ .GroupLabels.alertname }}"
_TEXT: Final = (
    "{{ range .Alerts }}{{ .Annotations.summary }}. {{ .Annotations.description }}\n"
    "{{ .Annotations.runbook_url }}\n{{ end }}"
)


@dataclass(frozen=True)
class MailServer:
    """An SMTP server.

    Args:
        host, port: its address; TLS from the first byte at 465, else by STARTTLS.
        user: empty for no log-in.
        sender: of every mail.
    """

    host: str
    port: int
    user: str
    sender: str


@dataclass(frozen=True)
class Email:
    """Alerts by mail.

    Args:
        recipients: separated by commas.
        server: who takes the mails.
    """

    recipients: str
    server: MailServer


@dataclass(frozen=True)
class Routing:
    """Who is told of what.

    Args:
        page, ticket: receivers of each severity.
        webhook_port: of the web hook, whose address the program does not know.
        email: needed where a receiver is e-mail.
        watchdog_port: of the web hook that the watchdog calls; None where it calls none.
    """

    page: tuple[Receiver, ...]
    ticket: tuple[Receiver, ...]
    webhook_port: int
    email: Email | None = None
    watchdog_port: int | None = None

    @property
    def _all(self) -> set[Receiver]:
        return {*self.page, *self.ticket}

    @property
    def mail_password(self) -> bool:
        """Whether a log-in at the mail server is needed."""
        return Receiver.EMAIL in self._all and self.email is not None and bool(self.email.server.user)

    def ports(self) -> tuple[int, ...]:
        """Ports outside that Alertmanager calls."""
        ports = {
            Receiver.WEBHOOK: self.webhook_port,
            Receiver.SLACK: _HTTPS,
            Receiver.PAGERDUTY: _HTTPS,
            Receiver.EMAIL: self.email.server.port if self.email else None,
        }
        called = {*(ports[receiver] for receiver in self._all), self.watchdog_port}
        return tuple(sorted(port for port in called if port is not None))

    def receivers(self) -> list[dict[str, Any]]:
        """The part `receivers` of Alertmanager's configuration."""
        watchdog: dict[str, Any] = {"name": "watchdog"}
        if self.watchdog_port:
            watchdog["webhook_configs"] = [
                {"url_file": f"{SECRET_FOLDER}/{names.ALERTS_WATCHDOG_KEY}", "send_resolved": False}
            ]
        return [
            {"name": "page", **self._integrations(self.page)},
            {"name": "ticket", **self._integrations(self.ticket)},
            watchdog,
        ]

    def _integrations(self, receivers: tuple[Receiver, ...]) -> dict[str, Any]:
        made = {
            Receiver.WEBHOOK: ("webhook_configs", {"url_file": f"{SECRET_FOLDER}/{names.ALERTS_URL_KEY}"}),
            Receiver.SLACK: (
                "slack_configs",
                {
                    "api_url_file": f"{SECRET_FOLDER}/{names.ALERTS_SLACK_KEY}",
                    "send_resolved": True,
                    "title": _TITLE,
                    "text": _TEXT,
                },
            ),
            Receiver.PAGERDUTY: (
                "pagerduty_configs",
                {
                    "routing_key_file": f"{SECRET_FOLDER}/{names.ALERTS_PAGERDUTY_KEY}",
                    "description": _TITLE,
                    "severity": '{{ if eq .CommonLabels.severity "page" }}critical{{ else }}warning{{ end }}',
                    "details": {"alerts": _TEXT},
                },
            ),
            Receiver.EMAIL: ("email_configs", self._email()),
        }
        return {kind: [config] for kind, config in (made[receiver] for receiver in dict.fromkeys(receivers))}

    def _email(self) -> dict[str, Any]:
        if self.email is None:
            return {}
        server = self.email.server
        login = {"auth_username": server.user, "auth_password_file": f"{MAIL_FOLDER}/{names.MAIL_SECRET_KEY}"}
        return {
            "to": self.email.recipients,
            "from": server.sender,
            "smarthost": f"{server.host}:{server.port}",
            # At 465 TLS begins with the connection, and STARTTLS would be asked for once more.
            "require_tls": server.port != SMTPS_PORT,
            "send_resolved": True,
            "headers": {"Subject": _TITLE},
            "html": "",
            "text": _TEXT,
            **(login if server.user else {}),
        }
