"""Names of objects, the same in every phase, so that a phase grows out of the one before instead of replacing it.

Whatever is named here is looked up by name from somewhere else: by the chart, by the operator, by a person.
"""

from dataclasses import dataclass
from typing import Final

PROJECT: Final = "task-manager"

ALL: Final = "all"
"""The service of a phase that runs all of the API's in one process."""

RELEASE: Final = "task-manager"
"""The Helm release of all services in one process, its Deployment and its Service."""

API_LABELS: Final = {"app.kubernetes.io/name": "task-manager"}
"""The chart's: every pod of every release, migration jobs included."""

FRONT_END: Final = "tasks"
"""The service whose release serves the front end and the API's documentation, where each has one of its own."""

SESSIONS: Final = "auth"
"""The service that has the sessions, and issues tokens."""

API_PORT: Final = 8000
"""Where the container and the chart's Service listen."""

API_METRICS_PORT: Final = 9464
"""Where the release's pods give their metrics; no port of a Service."""

DATA_CLAIM: Final = "task-manager-data"
DATA_MOUNT: Final = "/data"
DATA_FILE: Final = "tasks.sqlite"

DATABASE_CLUSTER: Final = "task-manager-database"
DATABASE_POOLER: Final = "task-manager-pooler"
DATABASE_REPLICA_POOLER: Final = "task-manager-pooler-ro"
DATABASE_LABELS: Final = {"task-manager/part": "database"}
"""Of every instance, job and pooler of the operator's, whatever cluster it belongs to."""
DATABASE_NAME: Final = "tasks"
REPLICATION_ROLE: Final = "replication_of_services"
"""The role by which services' tables move out of that database, and the Secret with its password."""
REPLICATION_SECRET: Final = "task-manager-database-replication"  # noqa: S105 - a Secret's name
FORMER_CLUSTER: Final = "former"
"""Name by which clusters know the one that services move out of (`externalClusters`)."""


@dataclass(frozen=True)
class ServiceNames:
    """Names of what belongs to one service of the API.

    Args:
        service: the service, or `ALL`.
    """

    service: str = ALL

    @property
    def suffix(self) -> str:
        """What names of its objects, and of the program's resources, end in."""
        return "" if self.service == ALL else f"-{self.service}"

    @property
    def release(self) -> str:
        """The Helm release, its Deployment and its Service."""
        return f"{RELEASE}{self.suffix}"

    @property
    def labels(self) -> dict[str, str]:
        """Of every pod of its release."""
        return {**API_LABELS, "app.kubernetes.io/instance": self.release}

    @property
    def server_labels(self) -> dict[str, str]:
        return {**self.labels, "app.kubernetes.io/component": "api"}

    @property
    def migration_labels(self) -> dict[str, str]:
        return {**self.labels, "app.kubernetes.io/component": "migrations"}

    @property
    def account(self) -> str:
        """The ServiceAccount of its servers, workers and scheduler."""
        return self.release

    @property
    def smoke_account(self) -> str:
        """The ServiceAccount of its `helm test`, in a mesh."""
        return f"{self.release}-smoke"

    @property
    def balancer(self) -> str:
        """The TraefikService before its servers."""
        return f"{BALANCER}{self.suffix}"

    @property
    def keys_secret(self) -> str:
        """The Secret of its signing keys. Growing into services ends no session: auth keeps the one of all."""
        return KEYS_SECRET if self.service in (ALL, SESSIONS) else f"{self.release}-keys"

    @property
    def database(self) -> str:
        """Its database, and the role that owns it."""
        return DATABASE_NAME if self.service == ALL else f"{self.service}_service"

    @property
    def database_secret(self) -> str:
        """The Secret with that role's name and password."""
        return f"{self.release}-database-app"

    @property
    def database_labels(self) -> dict[str, str]:
        """Of the instances, jobs and poolers of its own cluster."""
        return {**DATABASE_LABELS, "task-manager/service": self.service}

    @property
    def cache_user(self) -> str:
        """Its user in the ACL of the cache."""
        return VALKEY_USER if self.service == ALL else self.service

    @property
    def cache_secret(self) -> str:
        """The Secret with that user's password."""
        return CACHE if self.service == ALL else f"{self.release}-cache"

    @property
    def rabbitmq_secret(self) -> str:
        """The Secret with the password of its user in RabbitMQ, whose name is the service's."""
        return f"{RELEASE}-{self.service}-rabbitmq"

    @property
    def replication(self) -> str:
        """Publication, slot and subscription by which its tables move (app/core/database_split)."""
        return f"split_{self.service}"

    @property
    def move(self) -> str:
        """The Jobs and the Subscription by which its tables move."""
        return f"{self.release}-move"

    @property
    def serves_front_end(self) -> bool:
        return self.service in (ALL, FRONT_END)


@dataclass(frozen=True)
class ClusterGeneration:
    """The names of one cluster of the database. The first one's are plain; what was restored has its number after them.

    Args:
        number: 1 for the cluster that began empty, one more with each restore.
        service: whose cluster it is; `ALL` for one that all share.
    """

    number: int = 1
    service: str = ALL

    @property
    def resource(self) -> str:
        """What the names of the program's resources begin with."""
        return f"database{ServiceNames(self.service).suffix}"

    @property
    def labels(self) -> dict[str, str]:
        """Of its instances, jobs and poolers."""
        return DATABASE_LABELS if self.service == ALL else ServiceNames(self.service).database_labels

    def _of_service(self, name: str) -> str:
        return name.replace(RELEASE, ServiceNames(self.service).release, 1)

    def _numbered(self, name: str) -> str:
        return name if self.number == 1 else f"{name}-{self.number}"

    @property
    def suffix(self) -> str:
        """What the names of the program's resources end in."""
        return self._numbered("")

    @property
    def cluster(self) -> str:
        """The Cluster, and its folder in the backups."""
        return self._numbered(self._of_service(DATABASE_CLUSTER))

    @property
    def primary(self) -> str:
        """The Service that the operator points at the primary."""
        return f"{self.cluster}-rw"

    @property
    def secret(self) -> str:
        """The Secret in which the operator keeps the application's user name and password."""
        return f"{self.cluster}-app"

    @property
    def pooler(self) -> str:
        return self._numbered(self._of_service(DATABASE_POOLER))

    @property
    def replica_pooler(self) -> str:
        return self._numbered(self._of_service(DATABASE_REPLICA_POOLER))


BACKUPS: Final = "task-manager-backups"
"""The ObjectStore, and the Secret with its credentials."""
BACKUP_KEYS: Final = {"accessKeyId": "access-key-id", "secretAccessKey": "secret-access-key", "region": "region"}
"""Keys of that Secret, by what the plugin calls them."""

DATABASE_PORT: Final = 5432
DATABASE_METRICS_PORTS: Final = (9187, 9127)
"""Where the operator's instances and poolers give their metrics."""

CACHE: Final = "task-manager-cache"
"""The cache's StatefulSet, the Service of its first server, and the Secret with its passwords."""
CACHE_PODS: Final = "task-manager-cache-pods"
"""The headless Service of all its servers."""
CACHE_LABELS: Final = {"app.kubernetes.io/part-of": "task-manager", "app.kubernetes.io/component": "cache"}
CACHE_RESHARDING: Final = "task-manager-cache-shape"
"""The Job that reshards the cache."""
CACHE_RESHARDING_LABELS: Final = {
    "app.kubernetes.io/part-of": "task-manager",
    "app.kubernetes.io/component": "cache-shape",
}

CACHE_SPREADING: Final = "task-manager-cache-spread"
"""The CronJob that keeps the cache's masters apart."""
CACHE_SPREADING_LABELS: Final = {
    "app.kubernetes.io/part-of": "task-manager",
    "app.kubernetes.io/component": "cache-spread",
}

BROKER: Final = "task-manager-broker"
"""The broker's StatefulSet and Service, and the Secret with its passwords."""
BROKER_PODS: Final = "task-manager-broker-pods"
BROKER_LABELS: Final = {"app.kubernetes.io/part-of": "task-manager", "app.kubernetes.io/component": "broker"}

VALKEY_PORT: Final = 6379
VALKEY_USER: Final = "task-manager"
"""The API's user in the ACL of cache and broker."""
VALKEY_PASSWORD: Final = "password"  # noqa: S105 - the key's name in the Secret, not a password
VALKEY_OPERATOR: Final = "operator"
"""The administrator in that ACL: replication, probes, and the Job that reshards the cache."""
VALKEY_OPERATOR_PASSWORD: Final = "operator-password"  # noqa: S105 - the key's name in the Secret, not a password

VALKEY_EXPORTER_PORT: Final = 9121


def valkey_exporter(servers: str) -> str:
    """The Deployment and Service of the exporter beside the cache or the broker."""
    return f"{servers}-exporter"


def valkey_exporter_labels(component: str) -> dict[str, str]:
    """Labels of the pods of the exporter beside the component `cache` or `broker`."""
    return {"app.kubernetes.io/part-of": "task-manager", "app.kubernetes.io/component": f"{component}-exporter"}


RABBITMQ: Final = "task-manager-rabbitmq"
"""RabbitMQ's StatefulSet, the Service for its clients, and the Secret of the Erlang cookie and the administrator."""
RABBITMQ_NODES: Final = "task-manager-rabbitmq-nodes"
"""The headless Service by which its nodes have names."""
RABBITMQ_CERTIFICATE: Final = "task-manager-rabbitmq-certificate"
"""The Secret of its certificate (`tls.crt`, `tls.key`) and of the authority that clients verify it by (`ca.crt`)."""
RABBITMQ_CERTIFICATE_RENEWAL: Final = "task-manager-rabbitmq-certificate"
"""The CronJob that renews it, its ServiceAccount and Role."""
RABBITMQ_LABELS: Final = {"app.kubernetes.io/part-of": "task-manager", "app.kubernetes.io/component": "rabbitmq"}
RABBITMQ_CONFIGURATION: Final = "task-manager-rabbitmq-configuration"
"""The Job that makes the users of the services, their permissions and the queues of events."""
RABBITMQ_CONFIGURATION_LABELS: Final = {
    "app.kubernetes.io/part-of": "task-manager",
    "app.kubernetes.io/component": "rabbitmq-configuration",
}

RABBITMQ_PORT: Final = 5671
"""AMQP over TLS: there is no port without."""
RABBITMQ_MANAGEMENT_PORT: Final = 15671
"""The management HTTP API over TLS, for the Job alone."""
RABBITMQ_METRICS_PORT: Final = 15692
RABBITMQ_PORTS_AMONG_NODES: Final = (4369, 25672)
"""Erlang's port mapper (epmd) and the distribution."""

RABBITMQ_COOKIE: Final = "erlang-cookie"
"""Keys of the Secret: the cookie by which nodes know each other, and the administrator's password."""
RABBITMQ_ADMINISTRATOR_PASSWORD: Final = "administrator-password"  # noqa: S105 - the key's name in the Secret
RABBITMQ_ADMINISTRATOR: Final = "administrator"
"""Name of that user."""
RABBITMQ_PASSWORD: Final = "password"  # noqa: S105 - the key's name in the Secret of a service's user
RABBITMQ_CA: Final = "ca.crt"
"""Key of the authority's certificate in the Secret of the certificate."""


PROMETHEUS: Final = "task-manager-prometheus"
"""Prometheus's StatefulSet, Service, ServiceAccount and Role."""
PROMETHEUS_LABELS: Final = {"app.kubernetes.io/part-of": "task-manager", "app.kubernetes.io/component": "prometheus"}
PROMETHEUS_PORT: Final = 9090

GATEWAY_METRICS_PORT: Final = 9100
"""Where Traefik's pod gives its metrics: its chart's `metrics`."""

ALERTMANAGER: Final = "task-manager-alertmanager"
ALERTMANAGER_LABELS: Final = {
    "app.kubernetes.io/part-of": "task-manager",
    "app.kubernetes.io/component": "alertmanager",
}
ALERTMANAGER_PORT: Final = 9093
ALERTS_SECRET: Final = "task-manager-alerts"  # noqa: S105 - a Secret's name
ALERTS_URL_KEY: Final = "url"
"""Keys of that Secret: a web hook, Slack's, PagerDuty's, and the one that the watchdog calls."""
ALERTS_SLACK_KEY: Final = "slack-url"
ALERTS_PAGERDUTY_KEY: Final = "pagerduty-key"
ALERTS_WATCHDOG_KEY: Final = "watchdog-url"

GRAFANA: Final = "task-manager-grafana"
"""Grafana's StatefulSet and Service, and the Secret with its passwords."""
GRAFANA_LABELS: Final = {"app.kubernetes.io/part-of": "task-manager", "app.kubernetes.io/component": "grafana"}
GRAFANA_PORT: Final = 3000
GRAFANA_PASSWORD: Final = "password"  # noqa: S105 - the key's name in the Secret, not a password
"""Of the user `admin`."""
GRAFANA_KEY: Final = "secret-key"

LOGS: Final = "task-manager-logs"
"""The shipper's DaemonSet and ConfigMap, the operator's Elasticsearch and Kibana, and the Secret of them all."""
LOGS_API_KEY: Final = "api-key"
"""Key of that Secret, with an Elasticsearch that is there."""
LOGS_PASSWORD: Final = "password"  # noqa: S105 - the key's name in the Secret, not a password
"""Key of that Secret, with the operator's: of the user that `LOGS_USER` names."""
LOGS_USER: Final = "shipper"
LOGS_CA: Final = "ca.crt"
ELASTICSEARCH_SERVICE: Final = f"{LOGS}-es-http"
"""The Services and the Secret are named by the ECK operator."""
ELASTICSEARCH_CERTIFICATE: Final = f"{LOGS}-es-http-certs-public"
ELASTICSEARCH_PORT: Final = 9200
ELASTICSEARCH_PORT_AMONG_NODES: Final = 9300
KIBANA_SERVICE: Final = f"{LOGS}-kb-http"
KIBANA_PORT: Final = 5601


def logs_namespace(namespace: str) -> str:
    """The namespace of what ships and keeps the logs of a stack's namespace."""
    return f"{namespace}-logs"


EDGE: Final = "task-manager-edge"
"""Varnish's Deployment, Service, ConfigMap and policy."""
EDGE_PODS: Final = "task-manager-edge-pods"
"""The headless Service by which each of its pods is purged."""
EDGE_ORIGIN: Final = "task-manager-edge-origin"
"""The Service by which it calls the API: there before the chart's, whose release waits for the edge."""
EDGE_LABELS: Final = {"app.kubernetes.io/part-of": "task-manager", "app.kubernetes.io/component": "edge"}
EDGE_PORT: Final = 8080
EDGE_PURGE_PORT: Final = 8081
EDGE_METRICS_PORT: Final = 9131
PURGE: Final = "task-manager-purge"
"""The Job that purges the CDN after each release."""
PURGE_LABELS: Final = {"app.kubernetes.io/part-of": "task-manager", "app.kubernetes.io/component": "purge"}
CDN_SECRET: Final = "task-manager-cdn"  # noqa: S105 - a Secret's name
CDN_SECRET_KEY: Final = "token"  # noqa: S105 - the key's name in the Secret

SECRET_RELOAD: Final = "task-manager-secret-reload"  # noqa: S105 - a CronJob's name
SECRET_STORE: Final = "task-manager-secret-store"  # noqa: S105 - a store's name
"""SecretStore, and the account by which it is read."""
KEYS_SECRET: Final = "task-manager-keys"  # noqa: S105 - a Secret's name
KEYS_SECRET_KEY: Final = "secret-key"  # noqa: S105 - the key's name in the Secret
KEYS_ACCEPTED_KEY: Final = "accepted-keys"
"""Further keys whose signatures are good too: there only while somebody replaces the secret key."""

MAIL_SECRET: Final = "task-manager-mail"  # noqa: S105 - a Secret's name
MAIL_SECRET_KEY: Final = "password"  # noqa: S105 - the key's name in the Secret, not a password

MAIL_BOUNCE_KEY: Final = "bounce-password"
"""Password of Postmark's notices: there only where Postmark sends them."""

SMS_SECRET: Final = "task-manager-sms"  # noqa: S105 - a Secret's name
SMS_ACCOUNT_KEY: Final = "account"
SMS_SECRET_KEY: Final = "secret"  # noqa: S105 - the key's name in the Secret

TRACES_SECRET: Final = "task-manager-traces"  # noqa: S105 - a Secret's name
TRACES_SECRET_KEY: Final = "headers"  # noqa: S105 - the key's name in the Secret
SENTRY_SECRET: Final = "task-manager-sentry"  # noqa: S105 - a Secret's name
SENTRY_SECRET_KEY: Final = "dsn"  # noqa: S105 - the key's name in the Secret

SECRET_MAKER: Final = "task-manager-secrets"  # noqa: S105 - a Job's name
"""The Job, ServiceAccount and Role that make the Secrets."""

CERTIFICATE_RENEWAL: Final = "task-manager-certificate"
"""The CronJob that renews the self-signed certificate, its ServiceAccount and Role."""

GATEWAY: Final = "task-manager"
TLS_SECRET: Final = "task-manager-tls"  # noqa: S105 - a Secret's name
ACME_SOLVER_LABELS: Final = {"acme.cert-manager.io/http01-solver": "true"}
ACME_SOLVER_PORT: Final = 8089
"""Label and port of the pods that answer an HTTP-01 challenge, as cert-manager makes them in the stack's namespace."""
GATEWAY_CLASS_OF_ISTIO: Final = "istio"
ISTIO_GATEWAY: Final = f"{GATEWAY}-{GATEWAY_CLASS_OF_ISTIO}"
"""The Deployment, Service and ServiceAccount that istiod makes for the Gateway."""
ISTIO_GATEWAY_LABELS: Final = {"gateway.networking.k8s.io/gateway-name": GATEWAY}
ISTIO_GATEWAY_PORTS: Final = {"http": 80, "https": 443}
"""Ports of that Service, and where its pods listen."""
ISTIOD_LABELS: Final = {"app": "istiod"}
ISTIOD_PORT: Final = 15012
"""Where proxies get configuration and certificates."""
PROXY_METRICS_PORT: Final = 15090
PROXY_METRICS_PORT_NAME: Final = "http-envoy-prom"
PROXY_METRICS_PATH: Final = "/stats/prometheus"
"""Envoy's own metrics, of gateway and sidecar alike. Sidecars do not redirect this port."""

KEYS_PATH: Final = "/.well-known/jwks.json"
"""Public keys of tokens, at the service that issues them."""

RETRY: Final = "task-manager-retry"
BALANCER: Final = "task-manager"
