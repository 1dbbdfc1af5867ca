"""Settings: what is refused, by which name; and what development makes for itself."""

import os
from pathlib import Path

import pytest

from app.cli import drain
from app.core.database.engine import database_url
from app.core.settings import Settings, SettingsError, load_settings
from tests.support.server import SECRET

COMPLETE = {"APP_SECRET_KEY": SECRET, "APP_DATABASE_URL": "sqlite:////data/tasks.sqlite"}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("APP_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_ENVIRONMENT", "staging"),
        ("APP_PORT", "0"),
        ("APP_PORT", "tcp://10.0.0.1:8000"),
        ("APP_THREADS", "-1"),
        ("APP_SECRET_KEY", "too-short"),
        ("APP_SECRET_KEY", "a" * 64),
        ("APP_SECRET_KEY", "changeme" * 8),
        ("APP_DATABASE_URL", "mysql://db/tasks"),
        ("APP_REDIS_URL", "memcached://cache"),
        ("APP_REDIS_PREFIX", "{tasks}:"),
        ("APP_REDIS_PREFIX", "tasks *"),
        ("APP_BROKER_URL", "sqs://broker"),
        ("APP_EVENTS_URL", "redis://broker"),
        ("APP_EVENTS_CA_FILE", "/nowhere/ca.crt"),
        ("APP_BROKER_VIRTUAL_HOST", "tasks-without-rabbitmq"),
        ("APP_DATABASE_REPLICA_HOST", "replica:not-a-port"),
        ("APP_DATABASE_REPLICA_HOST", "replica"),
        ("APP_STATEMENT_TIMEOUT", "-7"),
        ("APP_LOG_LEVEL", "loud"),
        ("APP_TRUSTED_HOPS", "all"),
        ("APP_TRACES_ENDPOINT", "otel:4318"),
        ("APP_TRACES_ENDPOINT", "http://user:hunter2@collector:4318"),
        ("APP_TRACES_HEADERS", "hunter2"),
        ("APP_TRACES_HEADERS", "api-key=hunter2\r\nx: y"),
        ("APP_TRACES_SHARE", "1.5"),
        ("APP_SENTRY_DSN", "https://sentry.example.org/1"),
        ("APP_SMTP_TLS", "maybe"),
        ("APP_MAIL_FROM", "noreply@example.org\nBcc: everybody@example.org"),
        ("APP_PUBLIC_URL", "javascript:alert(1)"),
        ("APP_PUBLIC_URL", "https://example.org/path"),
        ("APP_SMS", "pigeon"),
        ("APP_SMS_COUNTRIES", "Germany"),
        ("APP_SMS_REGION", "eu-central-1.evil.example/"),
        ("APP_JWKS_URL", "file:///etc/passwd"),
        ("APP_JWKS_URL", "http://user:hunter2@auth/jwks.json"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **{**COMPLETE, name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)
    assert value not in str(caught.value)


MAIL = {
    "APP_SMTP_HOST": "mail.example.org",
    "APP_MAIL_FROM": "Task Manager <noreply@example.org>",
    "APP_PUBLIC_URL": "https://tasks.example.org",
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"APP_MAIL_FROM": ""}, "APP_MAIL_FROM"),
        ({"APP_PUBLIC_URL": ""}, "APP_PUBLIC_URL"),
        ({"APP_SMTP_USER": "tasks"}, "APP_SMTP_PASSWORD"),
        ({"APP_SMTP_TLS": "none"}, "APP_SMTP_TLS"),
    ],
)
def test_half_a_mail_server_is_refused(monkeypatch: pytest.MonkeyPatch, change: dict[str, str], named: str) -> None:
    assert load(monkeypatch, **{**COMPLETE, **MAIL}).smtp_tls == "starttls"
    with pytest.raises(SettingsError, match=named):
        load(monkeypatch, **{**COMPLETE, **MAIL, **change})


SMS = {"APP_SMS": "twilio", "APP_SMS_ACCOUNT": "AC1", "APP_SMS_SECRET": "hunter2", "APP_SMS_SENDER": "+15005550006"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"APP_SMS_ACCOUNT": ""}, "APP_SMS_ACCOUNT"),
        ({"APP_SMS_SECRET": ""}, "APP_SMS_SECRET"),
        ({"APP_SMS_SENDER": ""}, "APP_SMS_SENDER"),
        ({"APP_SMS_URL": "http://api.example.org"}, "APP_SMS_URL"),
    ],
)
def test_half_an_sms_provider_is_refused(monkeypatch: pytest.MonkeyPatch, change: dict[str, str], named: str) -> None:
    assert load(monkeypatch, **{**COMPLETE, **SMS}).sms == "twilio"
    assert load(monkeypatch, **{**COMPLETE, **SMS, "APP_SMS": "sns", "APP_SMS_SENDER": ""}).sms_sender == ""
    with pytest.raises(SettingsError, match=named):
        load(monkeypatch, **{**COMPLETE, **SMS, **change})


@pytest.mark.parametrize("name", ["APP_EVENTS_USER", "APP_EVENTS_PASSWORD"])
def test_half_a_login_to_the_broker_of_events_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(SettingsError, match=r"^APP_EVENTS_PASSWORD: "):
        load(monkeypatch, **COMPLETE, APP_EVENTS_HOST="broker", **{name: "hunter2"})


def test_one_broker_of_jobs_is_named_and_not_two(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"APP_EVENTS_HOST": "rabbitmq", "APP_BROKER_VIRTUAL_HOST": "tasks"}
    assert load(monkeypatch, **COMPLETE, **given).has_broker
    for name, value in (("APP_BROKER_HOST", "broker"), ("APP_BROKER_URL", "redis://broker")):
        with pytest.raises(SettingsError, match=r"^APP_BROKER_VIRTUAL_HOST: excludes APP_BROKER_URL"):
            load(monkeypatch, **{**COMPLETE, **given, "APP_BROKER_HOST": "", "APP_BROKER_URL": "", name: value})


def test_mail_goes_without_tls_to_the_machine_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = {**MAIL, "APP_SMTP_HOST": "127.0.0.1", "APP_SMTP_TLS": "none"}
    assert load(monkeypatch, **{**COMPLETE, **mail}).smtp_host == "127.0.0.1"


def test_production_wants_a_key_and_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="APP_SECRET_KEY"):
        load(monkeypatch, APP_DATABASE_URL=COMPLETE["APP_DATABASE_URL"])
    with pytest.raises(SettingsError, match="APP_DATABASE_URL"):
        load(monkeypatch, APP_DATABASE_URL="", APP_SECRET_KEY=SECRET)


def test_development_makes_a_key_once_and_a_database_file(monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(monkeypatch, APP_ENVIRONMENT="development")
    assert first.secret_key == load_settings().secret_key
    assert first.secret_key is not None
    assert len(first.secret_key.get_secret_value()) >= 32
    assert str(database_url(first)) == "sqlite:///.cache/dev/tasks.sqlite"
    assert (first.listen_address, first.logs_as) == ("127.0.0.1", "console")


def test_production_listens_on_every_address_and_logs_json(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **COMPLETE)
    assert (settings.listen_address, settings.logs_as) == ("::", "json")
    monkeypatch.setattr("socket.has_dualstack_ipv6", lambda: False)
    assert settings.listen_address == "0.0.0.0"  # noqa: S104


def test_metrics_have_a_port_of_their_own_but_while_developing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, **COMPLETE).metrics_listen_port == 9464
    assert load(monkeypatch, **COMPLETE, APP_METRICS_PORT="9000").metrics_listen_port == 9000
    with pytest.raises(SettingsError, match="APP_METRICS_PORT: must differ from APP_PORT"):
        load(monkeypatch, **COMPLETE, APP_METRICS_PORT="8000")
    assert load(monkeypatch, APP_METRICS_PORT="", APP_ENVIRONMENT="development").metrics_listen_port == 8000


def test_a_database_may_be_given_in_parts_whatever_its_password_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    password = "p@ss/w:rd%20?#"
    settings = load(
        monkeypatch,
        APP_SECRET_KEY=SECRET,
        APP_DATABASE_HOST="pooler",
        APP_DATABASE_NAME="app",
        APP_DATABASE_USER="app",
        APP_DATABASE_PASSWORD=password,
    )
    url = database_url(settings)
    assert (url.drivername, url.host, url.port, url.database) == ("postgresql+psycopg2", "pooler", 5432, "app")
    assert (url.username, url.password) == ("app", password)


def test_no_secret_shows_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = {"APP_DATABASE_PASSWORD": "hunter2", "APP_TRACES_HEADERS": "api-key=hunter3,x=hunter4=5, y=a b"}
    settings = load(monkeypatch, **COMPLETE, **hidden, APP_SENTRY_DSN="https://hunter6@sentry.example.org/1")
    assert settings.sent_headers == {"api-key": "hunter3", "x": "hunter4=5", "y": "a b"}
    assert SECRET not in repr(settings)
    assert "hunter" not in repr(settings)


def test_the_drain_command_and_the_server_agree_on_the_file() -> None:
    # the command spells the default out, so as not to load the settings
    assert str(Settings.model_fields["drain_file"].default) == drain.DEFAULT_FILE


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        ({"APP_OBJECTS": "directory"}, "APP_OBJECTS_DIRECTORY"),
        ({"APP_OBJECTS": "s3", "APP_S3_ENDPOINT": "s3.example.org", "APP_S3_ACCESS_KEY": "key"}, "APP_S3_SECRET_KEY"),
    ],
)
def test_a_store_of_files_needs_its_settings(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], missing: str
) -> None:
    with pytest.raises(SettingsError, match=f"{missing}: missing"):
        load(monkeypatch, **COMPLETE, **variables)
