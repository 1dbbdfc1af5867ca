"""Configuration: defaults, and one clear line for each mistake."""

import pulumi
import pytest

from infra.config.phase_spec import DatabaseKind
from infra.config.settings import load_settings
from tests.infra import engine

GATEWAY = {"task-manager:phase": "2", "task-manager:hostname": "tasks.example.com"}


def refusal(config: dict[str, str]) -> str:
    """What the engine prints for this configuration."""
    with pytest.raises(pulumi.RunError) as error:
        load_settings(engine.as_engine(config))
    return str(error.value)


def test_an_empty_configuration_is_phase_1_on_sqlite_with_its_data_protected() -> None:
    settings = load_settings({})
    assert settings.phase == 1
    assert settings.database_kind is DatabaseKind.SQLITE
    assert settings.protect_data


def test_the_projects_defaults_mean_the_same_as_no_configuration() -> None:
    assert load_settings(engine.project_defaults()) == load_settings({})


@pytest.mark.parametrize("stack", ["phase1", "phase2", "phase3"])
def test_the_example_stacks_are_valid_and_run_their_phase(stack: str) -> None:
    assert load_settings(engine.as_engine(engine.stack_file(stack))).phase == int(stack[-1])


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"phase": "5"}, "there is no phase 5: set task-manager:phase to 1 or 2 or 3 or 4"),
        ({"phase": "7"}, "there is no phase 7: set task-manager:phase to 1 or 2 or 3 or 4"),
        ({"phase": "two"}, "task-manager:phase: 'two' is not a whole number"),
        ({"phase": "1.5"}, "task-manager:phase: '1.5' is not a whole number"),
        ({"protect_data": "maybe"}, "task-manager:protect_data: 'maybe' is neither true nor false"),
        ({"fase": "2"}, "task-manager:fase: there is no such key (did you mean task-manager:phase?)"),
        ({"database": "mysql"}, "task-manager:database: 'mysql' is not one of 'sqlite' or 'postgresql'"),
        ({"load_balancing": "random"}, "task-manager:load_balancing: 'random' is not one of"),
        ({"node_port": "80"}, "task-manager:node_port: 80 is below 30000"),
        ({"node_port": "40000"}, "task-manager:node_port: 40000 is above 32767"),
        ({"rollout_timeout": "1"}, "task-manager:rollout_timeout: 1 is below 30"),
        ({"url": "tasks.example.com"}, "task-manager:url: 'tasks.example.com' is not the address of a site"),
        ({"hostname": "x_y"}, "task-manager:hostname: 'x_y' is not a DNS name"),
        ({"image": "not an image"}, "task-manager:image: 'not an image' is no image"),
        ({"image": "ghcr.io/primetrade/task-manager"}, "does not say which image"),
        ({"image": "ghcr.io/primetrade/task-manager:latest"}, "does not say which image"),
        ({"phase": "2"}, "task-manager:hostname: phase 2 needs it"),
        ({"cdn": "edge"}, "task-manager:cdn.kind: phase 1 has nothing for edge: set it to none"),
        ({"logs": "loki"}, "task-manager:logs: 'loki' is not one of 'none', 'elasticsearch' or 'operator'"),
        (
            {"logs": "elasticsearch"},
            "task-manager:logs.destination: elasticsearch needs an address: set task-manager:logs.endpoint",
        ),
        (
            {"logs": "operator"},
            "task-manager:logs.destination: phase 1 has nothing for operator: set it to elasticsearch",
        ),
        ({"cdn": "akamai"}, "task-manager:cdn: 'akamai' is not one of 'none', 'edge' or 'cloudflare'"),
        ({"cdn_zone": "example.com"}, "task-manager:cdn_zone: 'example.com' is not a zone's identifier"),
        (
            {"phase": "2", "hostname": "a.example", "cdn": "cloudflare"},
            "task-manager:cdn.kind: cloudflare needs to know more: set cdn.zone and cdn.origin",
        ),
        (
            {"backup_bucket": "b"},
            "task-manager:backups.bucket: SQLite is not backed up: set task-manager:database.kind to",
        ),
        ({"backup_folder": "/a"}, "task-manager:backup_folder: '/a' is not a folder"),
        (
            {"restores": "2030-01-02T03:04:05+00:00@1"},
            "task-manager:database.restores: a restore reads from the bucket: set",
        ),
        ({"restores": "yesterday@1"}, "task-manager:restores: 'yesterday' is no moment with a time zone: write it as"),
        ({"restores": "2030-01-02 03:04:05@1"}, "is no moment with a time zone"),
        ({"restores": "2030-01-02 03:04:05+00@2"}, "does not end in the number of an earlier cluster, as @1 would"),
        ({"former_databases": "gone"}, "task-manager:former_databases: 'gone' is not one of 'hibernated' or 'removed'"),
        ({"smtp_host": "mail.example.com"}, "task-manager:mail.sender: task-manager:mail.host needs a sender of mail"),
        ({"secrets.source": "vault"}, "task-manager:secrets.address: vault needs an address: set it to that of your"),
        ({"secrets.source": "aws"}, "task-manager:secrets.region: aws needs a region: set it to that of the entries"),
        ({"secrets.prefix": "/prod"}, "task-manager:secrets.prefix"),
        ({"secrets.identity": "a-role"}, "task-manager:secrets.identity"),
        ({"secrets.refresh": 5}, "task-manager:secrets.refresh"),
        ({"policies.exceptions": [{"rule": "backups"}]}, "task-manager:policies.exceptions"),
        ({"sms.provider": "twilio"}, "task-manager:sms.sender: twilio needs a sender: set it to a number"),
        ({"sms.provider": "pigeon"}, "task-manager:sms.provider: 'pigeon' is not one of 'none', 'twilio' or 'sns'"),
        (
            {"phase": "2", "hostname": "a.example", "database": "sqlite"},
            "task-manager:database.kind: phase 2 cannot run on sqlite: set it to postgresql",
        ),
        ({"database.kind": "mysql"}, "task-manager:database.kind: 'mysql' is not one of 'sqlite' or 'postgresql'"),
        (
            {"database.knd": "x"},
            "task-manager:database.knd: there is no such key (did you mean task-manager:",
        ),
        ({"database.storage": -1}, "task-manager:database.storage: -1 is below 0"),
        ({"database.storage": "big"}, "task-manager:database.storage: 'big' is not a whole number"),
        (
            {"database.restores": ["yesterday@1"]},
            "task-manager:database.restores: 'yesterday' is no moment",
        ),
        (
            {"database.restores": ["2030-01-02 03:04:05+00@2"]},
            "task-manager:database.restores: '2030-01-02 03:04:05",
        ),
        ({"database.retired_clusters": "asleep"}, "task-manager:database.retired_clusters: 'asleep' is not one of"),
        ({"gateway.redirect_http": "maybe"}, "task-manager:gateway.redirect_http: 'maybe' is neither true nor false"),
        ({"gateway.class": "x_y"}, "task-manager:gateway.class: 'x_y' is not a DNS name"),
        ({"gateway.class_name": "x"}, "task-manager:gateway.class_name: there is no such key"),
        ({"backups.folder": "/a"}, "task-manager:backups.folder: '/a' is not a folder"),
        ({"cdn.zone": "example.com"}, "task-manager:cdn.zone: 'example.com' is not a zone's identifier"),
        (
            {"phase": "2", "hostname": "a.example", "gateway.enabled": "false"},
            "task-manager:gateway.enabled: phase 2 has no other way in: set it to true",
        ),
        ({"gateway.enabled": "true"}, "task-manager:hostname: the gateway needs it, or both url and url_tls"),
        (
            {"hostname": "a.example", "gateway.certificate": "acme"},
            "task-manager:gateway.certificate: acme is of a gateway, and phase 1 has none: set task-manager:gateway.",
        ),
        (
            {"phase": "2", "url": "http://a", "url_tls": "https://a", "gateway.certificate": "acme"},
            "task-manager:gateway.certificate: acme needs the name that is certified: set task-manager:hostname",
        ),
        ({"gateway.trusted_hops": "11"}, "task-manager:gateway.trusted_hops: 11 is above 10"),
        (
            {"cdn.zone_rules": "false", "cdn.zone_hosts": ["b.example"]},
            "task-manager:cdn.zone_hosts: another stack holds the zone's rules: set it there, or set",
        ),
        ({"cdn.zone_hosts": "b.example"}, "task-manager:cdn.zone_hosts: 'b.example' is not a list: set its entries"),
        ({"cdn.zone_hosts": ["b.example", "b_c"]}, "task-manager:cdn.zone_hosts: 'b_c' is not a DNS name"),
        (
            {"mail": "mail.example.com"},
            "task-manager:mail: it is an object: set one of its keys (host, port",
        ),
        ({"mail": "[1]"}, "task-manager:mail: it is an object: set one of its keys"),
    ],
)
def test_a_wrong_value_is_answered_with_one_line_that_names_key_and_remedy(
    config: dict[str, str], sentence: str
) -> None:
    line = refusal({f"task-manager:{key}": value for key, value in config.items()})
    assert sentence in line
    assert "\n" not in line


def test_the_context_of_the_kubernetes_provider_is_read() -> None:
    assert load_settings({"kubernetes:context": "prod"}).context == "prod"
    assert load_settings({"kubernetes:context": "prod", "task-manager:context": "prod"}).context == "prod"
    assert load_settings({"kubernetes:context": "prod", "task-manager:context": ""}).context == "prod"


def test_two_contexts_that_differ_are_refused() -> None:
    line = refusal({"kubernetes:context": "prod", "task-manager:context": "staging"})
    assert "kubernetes:context: 'prod' is not the 'staging' of task-manager:context: remove one of the two" in line


@pytest.mark.parametrize("key", ["kubernetes:kubeconfig", "kubernetes:cluster"])
def test_a_key_that_would_lead_to_another_cluster_is_refused(key: str) -> None:
    assert f"{key}: nothing reads it: set $KUBECONFIG" in refusal({key: "elsewhere"})


def test_a_misspelt_namespace_is_refused() -> None:
    assert "task-manger:phase: there is no such key (did you mean task-manager:phase?)" in refusal(
        {"task-manger:phase": "2"}
    )


@pytest.mark.parametrize("key", ["mail.port", "smtp_port"])
def test_a_message_does_not_show_a_value_that_is_secret(key: str) -> None:
    config = engine.as_engine({f"task-manager:{key}": "hunter2"})
    with pytest.raises(pulumi.RunError) as error:
        load_settings(config, frozenset(config))
    assert str(error.value) == f"configuration: task-manager:{key}: its secret value is not valid"


@pytest.mark.parametrize(
    "key", ["pulumi:tags", "cloudflare:apiToken", "aws:region", "digitalocean:token", "kubernetes:namespace"]
)
def test_keys_of_the_engine_and_of_providers_are_left_alone(key: str) -> None:
    assert load_settings({key: "{}"}).phase == 1


def test_every_mistake_is_named_at_once() -> None:
    line = refusal({"task-manager:phase": "two", "task-manager:protect_data": "maybe", "task-manager:fase": "1"})
    assert all(key in line for key in ("task-manager:phase:", "task-manager:protect_data:", "task-manager:fase:"))
    assert "\n" not in line


@pytest.mark.parametrize("phase", ["5", "7", "two"])
def test_a_refused_configuration_registers_nothing(phase: str) -> None:
    with pytest.raises(pulumi.RunError) as error:
        engine.run({"task-manager:phase": phase})
    assert "task-manager:phase" in str(error.value)


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_pipelines_stacks_protect_their_data_and_serve_by_tls_alone(stack: str) -> None:
    settings = load_settings(engine.as_engine(engine.stack_file(stack)))
    assert settings.protect_data
    assert settings.gateway.redirect_http
    assert settings.addresses()[1].startswith("https://tasks.")


def test_addresses_are_the_node_port_or_the_host_name_unless_they_are_set() -> None:
    assert load_settings({}).addresses() == ("http://127.0.0.1:30080", "")
    assert load_settings({"task-manager:node_port": "31000"}).addresses() == ("http://127.0.0.1:31000", "")
    assert load_settings(GATEWAY).addresses() == ("http://tasks.example.com", "https://tasks.example.com")
    assert load_settings(engine.as_engine(engine.stack_file("phase2"))).addresses() == (
        "http://127.0.0.1:30090",
        "https://127.0.0.1:30443",
    )


def test_a_certificate_is_made_for_the_host_that_users_open() -> None:
    assert load_settings(GATEWAY).certificate_hosts() == ("tasks.example.com",)
    assert load_settings(engine.as_engine(engine.stack_file("phase2"))).certificate_hosts() == ("127.0.0.1",)
