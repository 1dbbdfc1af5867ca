"""Configuration and start script of a RabbitMQ node, as pure functions."""

from typing import Final

from infra import names
from infra.config.phase_spec import RabbitMQ

CONFIG: Final = "/etc/rabbitmq"
SECRETS: Final = "/run/secrets/rabbitmq"
CERTIFICATE: Final = "/run/secrets/tls"
MEMORY: Final = "/run/rabbitmq"
"""HOME: what the start script writes, in memory."""
DATA: Final = "/var/lib/rabbitmq"
ADMINISTRATOR: Final = f"{MEMORY}/conf.d"

_TLS_OPTIONS: Final = {"certfile": "tls.crt", "keyfile": "tls.key", "cacertfile": names.RABBITMQ_CA}
CERTIFICATE_FILES: Final = tuple(_TLS_OPTIONS.values())

PLUGINS: Final = ("rabbitmq_management", "rabbitmq_peer_discovery_k8s", "rabbitmq_prometheus")

_DRAIN_SECONDS: Final = 30
GRACE_SECONDS: Final = 3 * _DRAIN_SECONDS
"""Before a node is killed: two steps of the preStop hook, and the shutdown itself."""


def node_hosts(nodes: int) -> list[str]:
    """Return the host of each node, as the others and the pods of the namespace find it."""
    return [f"{names.RABBITMQ}-{number}.{names.RABBITMQ_NODES}" for number in range(nodes)]


def rabbitmq_conf(row: RabbitMQ) -> str:
    """Return `rabbitmq.conf`.

    Six tenths of the memory limit are RabbitMQ's before it blocks publishers: the rest is for the runtime, which may
    hold twice as much for a moment while it collects garbage, and for the command-line tools, which run beside it.
    """
    return "\n".join(
        (
            "listeners.tcp = none",
            f"listeners.ssl.default = {names.RABBITMQ_PORT}",
            *(f"ssl_options.{option} = {CERTIFICATE}/{file}" for option, file in _TLS_OPTIONS.items()),
            "ssl_options.versions.1 = tlsv1.3",
            "ssl_options.versions.2 = tlsv1.2",
            f"management.ssl.port = {names.RABBITMQ_MANAGEMENT_PORT}",
            *(f"management.ssl.{option} = {CERTIFICATE}/{file}" for option, file in _TLS_OPTIONS.items()),
            # Prometheus has the figures: the interface needs none of its own, which would take memory.
            "management_agent.disable_metrics_collector = true",
            f"prometheus.tcp.port = {names.RABBITMQ_METRICS_PORT}",
            # RabbitMQ 4.0 lets a client in without a password where there is a user `guest`.
            "anonymous_login_user = none",
            "auth_mechanisms.1 = PLAIN",
            "cluster_formation.peer_discovery_backend = k8s",
            "cluster_formation.k8s.host = kubernetes.default.svc",
            "cluster_formation.k8s.address_type = hostname",
            f"cluster_formation.k8s.service_name = {names.RABBITMQ_NODES}",
            f"cluster_formation.k8s.hostname_suffix = .{names.RABBITMQ_NODES}",
            f"cluster_formation.target_cluster_size_hint = {row.nodes}",
            "cluster_partition_handling = pause_minority",
            "default_queue_type = quorum",
            "queue_leader_locator = balanced",
            # A cluster that grows gives the queues that are there a member on each new node.
            "quorum_queue.continuous_membership_reconciliation.enabled = true",
            f"quorum_queue.continuous_membership_reconciliation.target_group_size = {row.nodes}",
            f"vm_memory_high_watermark.absolute = {row.compute.memory * 6 // 10}MiB",
            # A fifth of the volume: publishers are blocked before a full disk stops the node.
            f"disk_free_limit.absolute = {row.storage * 1024 // 5}MiB",
            "",
        )
    )


VARIABLES: Final = {
    "HOME": MEMORY,
    "RABBITMQ_USE_LONGNAME": "true",
    "RABBITMQ_NODENAME": f"rabbit@$(POD_NAME).{names.RABBITMQ_NODES}",
    "RABBITMQ_CONF_ENV_FILE": f"{MEMORY}/rabbitmq-env.conf",
    "RABBITMQ_CONFIG_FILES": ADMINISTRATOR,
    "RABBITMQ_MNESIA_BASE": f"{DATA}/mnesia",
    "RABBITMQ_LOGS": "-",
}


def enabled_plugins() -> str:
    """Return the file `enabled_plugins`, an Erlang term."""
    return f"[{','.join(PLUGINS)}].\n"


def distribution_tls() -> str:
    """Return the options of TLS between nodes, an Erlang term: each shows the other its certificate."""
    options = [f'{{{option}, "{CERTIFICATE}/{file}"}}' for option, file in _TLS_OPTIONS.items()]
    options.append("{verify, verify_peer}")
    client = f"{{client, [{', '.join(options)}]}}"
    server = f"{{server, [{', '.join([*options, '{fail_if_no_peer_cert, true}'])}]}}"
    return f"[{server}, {client}].\n"


def start_sh() -> str:
    """Return the script that starts a node.

    Erlang reads the cookie from a file that is its user's alone, which a Secret's file in a pod is not: its group reads
    it, too. Nodes talk by TLS with the library where this image has it, and so do the command-line tools.
    """
    return f"""\
set -eu
umask 077
rm -f "$HOME/.erlang.cookie"
cp {SECRETS}/{names.RABBITMQ_COOKIE} "$HOME/.erlang.cookie"
chmod 400 "$HOME/.erlang.cookie"
mkdir -p {ADMINISTRATOR}
cat > {ADMINISTRATOR}/administrator.conf <<CONF
default_user = {names.RABBITMQ_ADMINISTRATOR}
default_pass = $(cat {SECRETS}/{names.RABBITMQ_ADMINISTRATOR_PASSWORD})
CONF
library="$(erl -noinput -boot no_dot_erlang -eval \
  'io:put_chars(filename:dirname(code:which(inet_tls_dist))), halt().')"
options="-pa $library -proto_dist inet_tls -ssl_dist_optfile {CONFIG}/distribution-tls.config"
cat > {MEMORY}/rabbitmq-env.conf <<CONF
SERVER_ADDITIONAL_ERL_ARGS="$options"
CTL_ERL_ARGS="$options"
CONF
exec rabbitmq-server
"""


def stop_sh() -> str:
    """Return the preStop hook.

    It waits until no queue needs this node for its majority, then moves the leaders of queues to other nodes and closes
    the connections of clients. When time is up, as when all nodes go, it lets the node end as it is.
    """
    return f"""\
rabbitmq-upgrade --timeout {_DRAIN_SECONDS} await_online_quorum_plus_one
rabbitmq-upgrade --timeout {_DRAIN_SECONDS} drain
true
"""
