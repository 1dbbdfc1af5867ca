"""Network policies of a stack allow exactly the flows that the program's settings need."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest
import yaml

from infra import names
from infra.config.settings import load_settings
from infra.config.types import GatewayKind
from tests.contract.chart import Manifest, manifests, pod_specs, render
from tests.contract.policies import Pod, Policies
from tests.infra import engine
from tests.infra.engine import Stack

Flow = tuple[str, str, int]
"""Source, destination and port."""

DATABASE = "database"


class System:
    """A whole stack: the objects of the program, and those of the chart."""

    def __init__(self, phase: str, **config: str) -> None:
        more = {f"task-manager:{key}": value for key, value in config.items()}
        config = {**engine.stack_file(phase), **more}
        self.settings = load_settings(engine.as_engine(config))
        self.stack: Stack = engine.run(config, phase)
        self.namespace = f"{names.PROJECT}-{phase}"
        self.charts: dict[str, list[Manifest]] = {
            resource.inputs["name"]: manifests(render(resource.inputs["values"], self.namespace))
            for resource in self.stack.objects
            if resource.kind == "Release"
        }
        objects = [{**resource.inputs, "kind": resource.kind} for resource in self.stack.objects]
        self.policies = Policies([*objects, *itertools.chain(*self.charts.values())])
        # The pods of a release share their policies, and so do the operator's.
        self.templates: dict[str, Manifest] = {}
        own = map(names.ServiceNames, self.settings.row.services)
        self.groups: dict[str, Mapping[str, str]] = {each.release: each.labels for each in own}
        if self.settings.gateway_kind is GatewayKind.ISTIO:
            # istiod makes these pods.
            self.groups[names.ISTIO_GATEWAY] = names.ISTIO_GATEWAY_LABELS
        if self.stack.has("Cluster"):
            self.groups[DATABASE] = names.DATABASE_LABELS
        for resource in self.stack.objects:
            if resource.kind in ("StatefulSet", "Job", "Deployment", "CronJob"):
                spec = resource.inputs["spec"]
                job = spec["jobTemplate"]["spec"] if resource.kind == "CronJob" else spec
                self.templates[resource.object_name] = job["template"]
                self.groups[resource.object_name] = job["template"]["metadata"]["labels"]

    def has(self, name: str) -> bool:
        return name in self.groups

    def group_at(self, host: str) -> str:
        """Return the pods behind a host name of the namespace: a Service of the program, or one of the operator's."""
        if host.startswith((names.DATABASE_CLUSTER, names.DATABASE_POOLER)):
            return DATABASE
        if host in self.charts:
            return host
        service = self.stack.find("Service", host.rpartition(".")[2])
        asked = dict(service.inputs["spec"]["selector"])
        asked.pop("statefulset.kubernetes.io/pod-name", None)
        release = str(asked.get("app.kubernetes.io/instance"))
        if release in self.charts:
            return release
        [group] = [name for name, labels in self.groups.items() if asked.items() <= labels.items()]
        return group

    # --- what has to be allowed

    def needed(self) -> Iterator[Flow]:
        for release in self.charts:
            yield release, release, names.API_PORT  # helm's test asks the API
            yield from self._of_the_release(release)
        if self.has(DATABASE):
            yield from ((DATABASE, DATABASE, port) for port in (5432, 8000))  # replication, and the operator's status
        if self.has(names.CACHE_RESHARDING):
            yield from self._of_the_cache()
        for servers in (names.CACHE, names.BROKER):
            if self.has(names.valkey_exporter(servers)):
                yield names.valkey_exporter(servers), servers, 6379
        for part, flows in (
            (names.PROMETHEUS, self._of_prometheus),
            (names.EDGE, self._of_the_edge),
            (names.RABBITMQ, self._of_rabbitmq),
            (names.ISTIO_GATEWAY, self._of_the_gateway),
        ):
            if self.has(part):
                yield from flows()
        if self.has(names.GRAFANA):
            data = self.stack.find("ConfigMap", names.GRAFANA).inputs["data"]
            for source in yaml.safe_load(data["provisioning_datasources_prometheus.yaml"])["datasources"]:
                called = urlsplit(source["url"])
                yield names.GRAFANA, self.group_at(called.hostname), called.port

    def _of_the_cache(self) -> Iterator[Flow]:
        yield from ((names.CACHE, names.CACHE, port) for port in (6379, 16379))  # replication, and the cluster bus
        for name in (names.CACHE_RESHARDING, names.CACHE_SPREADING):
            [container] = self.templates[name]["spec"]["containers"]
            words = container["args"]
            for server in {words[place + 1] for place, word in enumerate(words) if word == "--server"}:
                host, _, port = server.partition(":")
                yield name, self.group_at(host), int(port)

    def _of_the_release(self, release: str) -> Iterator[Flow]:
        for _, _, spec in pod_specs(self.charts[release]):
            for container in spec["containers"]:
                env = {variable["name"]: variable.get("value") for variable in container.get("env", [])}
                for name, host in env.items():
                    if name.endswith("_HOST") and name not in ("APP_SMTP_HOST", "APP_BROKER_VIRTUAL_HOST"):
                        port = env.get(name.replace("_HOST", "_PORT"), env.get("APP_DATABASE_PORT"))
                        yield release, self.group_at(str(host)), int(str(port))
                keys = urlsplit(env.get("APP_JWKS_URL") or "")
                if keys.hostname:
                    yield release, self.group_at(keys.hostname), int(str(keys.port))

    def _of_prometheus(self) -> Iterator[Flow]:
        config = yaml.safe_load(self.stack.find("ConfigMap", names.PROMETHEUS).inputs["data"]["prometheus.yaml"])
        assert [job["job_name"] for job in config["scrape_configs"]] == [
            *("annotated", "database", "valkey", "rabbitmq", "rabbitmq-queues", "gateway"),
            *(("sidecar",) if self.settings.meshed else ()),
            *("prometheus", "alertmanager"),
        ]
        for release, manifest in ((release, each) for release, chart in self.charts.items() for each in chart):
            said = manifest.get("spec", {}).get("template", {}).get("metadata", {}).get("annotations", {})
            if said.get("prometheus.io/scrape") == "true":
                yield names.PROMETHEUS, release, int(said["prometheus.io/port"])
        for resource in self.stack.objects:
            said = resource.inputs.get("spec", {}).get("template", {}).get("metadata", {}).get("annotations", {})
            if said.get("prometheus.io/scrape") == "true":
                yield names.PROMETHEUS, resource.object_name, int(said["prometheus.io/port"])
        yield from ((names.PROMETHEUS, DATABASE, port) for port in (9187, 9127))  # instances, and poolers
        if self.has(names.ISTIO_GATEWAY):
            yield names.PROMETHEUS, names.ISTIO_GATEWAY, names.PROXY_METRICS_PORT
        if self.settings.meshed:
            yield from ((names.PROMETHEUS, release, names.PROXY_METRICS_PORT) for release in self.charts)
        yield from self._of_scrape_jobs(config)

    def _of_scrape_jobs(self, config: Manifest) -> Iterator[Flow]:
        for rule in config["scrape_configs"][2]["relabel_configs"]:
            if rule.get("target_label") == "__address__":
                exporter, _, port = rule["replacement"].partition(":")
                if self.has(exporter):
                    yield names.PROMETHEUS, self.group_at(exporter), int(port)
        if self.has(names.RABBITMQ):
            yield names.PROMETHEUS, names.RABBITMQ, names.RABBITMQ_METRICS_PORT
        for servers in [*config["alerting"]["alertmanagers"], *config["scrape_configs"]]:
            for called in servers.get("static_configs", [{"targets": []}])[0]["targets"]:
                host, _, port = called.partition(":")
                if host != "localhost":
                    yield names.PROMETHEUS, self.group_at(host), int(port)

    def _of_rabbitmq(self) -> Iterator[Flow]:
        yield from ((names.RABBITMQ, names.RABBITMQ, port) for port in names.RABBITMQ_PORTS_AMONG_NODES)
        [container] = self.templates[names.RABBITMQ_CONFIGURATION]["spec"]["containers"]
        words = container["args"]
        for option in ("--port", "--management-port"):
            yield names.RABBITMQ_CONFIGURATION, names.RABBITMQ, int(words[words.index(option) + 1])

    def _of_the_edge(self) -> Iterator[Flow]:
        text = self.stack.find("ConfigMap", names.EDGE).inputs["data"]["default.vcl"]
        called = dict(re.findall(r'\.(host|port) = "(.+)";', text))
        yield names.EDGE, self.group_at(called["host"]), int(called["port"])
        [purge] = self.stack.find("Job", names.PURGE).inputs["spec"]["template"]["spec"]["containers"]
        host, _, port = purge["args"][1].partition(":")
        yield names.PURGE, self.group_at(host), int(port)

    def _of_the_gateway(self) -> Iterator[Flow]:
        # Whoever may call any address may call it, as every client does.
        for group in self.groups:
            for port in names.ISTIO_GATEWAY_PORTS.values():
                if any(self.policies.allow(self.pod(group), address, port) for address in INTERNET):
                    yield group, names.ISTIO_GATEWAY, port
        for chart in self.charts.values():
            route = next(each for each in chart if each["kind"] == "HTTPRoute")
            for backend in itertools.chain(*(rule["backendRefs"] for rule in route["spec"]["rules"])):
                called = backend["name"] if backend["name"] in self.charts else self.group_at(backend["name"])
                yield names.ISTIO_GATEWAY, called, int(backend["port"])

    # --- what is allowed

    def allowed(self) -> Iterator[Flow]:
        for caller in self.groups:
            for called in self.groups:
                for port in self.policies.ports():
                    if self.policies.allow(self.pod(caller), self.pod(called), port):
                        yield caller, called, port

    def pod(self, group: str, address: str | None = "10.244.0.2") -> Pod:
        return Pod(self.namespace, self.groups[group], address)


@pytest.fixture(
    scope="module",
    params=[
        "phase1",
        "phase2",
        "phase2 monitoring.grafana=true",
        "phase3",
        "phase3 monitoring.grafana=true",
        "phase3 monitoring.mode=operator",
        "phase4",
        "phase4 mesh.kind=none gateway.node_port= gateway.node_port_tls=",
        "phase4 mesh.kind=none gateway.kind=istio",
    ],
)
def system(request: pytest.FixtureRequest) -> System:
    phase, *config = request.param.split()
    return System(phase, **dict(setting.split("=") for setting in config))


def test_policies_allow_the_flows_that_the_program_needs_and_no_other(system: System) -> None:
    assert set(system.allowed()) == set(system.needed())


KUBE_DNS = Pod("kube-system", {"k8s-app": "kube-dns"})
NODE_LOCAL = "169.254.20.10"
METADATA = ("169.254.169.254", "169.254.170.2", "fd00:ec2::254", "fd20:ce::254")
INTERNET = ("192.0.2.7", "2001:db8::7")


@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
def test_every_pod_resolves_names(system: System, protocol: str) -> None:
    for group in system.groups:
        for server in (KUBE_DNS, NODE_LOCAL):
            assert system.policies.allow(system.pod(group), server, 53, protocol), group
        assert not system.policies.allow(system.pod(group), NODE_LOCAL, 80, protocol), group


def test_no_pod_reaches_the_metadata_of_its_node(system: System) -> None:
    for group in system.groups:
        for address in METADATA:
            for port in {80, *system.policies.ports()} - {53}:
                assert not system.policies.allow(system.pod(group), address, port), (group, address, port)


def test_only_whom_the_settings_send_there_reaches_the_internet(system: System) -> None:
    of_api_server = {
        *(names.SECRET_MAKER, names.CERTIFICATE_RENEWAL, names.RABBITMQ_CERTIFICATE_RENEWAL),
        *(names.PROMETHEUS, names.RABBITMQ, DATABASE),
    }
    for group in system.groups:
        open_ports = {
            port
            for port in {80, *system.policies.ports()}
            for address in INTERNET
            if system.policies.allow(system.pod(group), address, port)
        }
        expected = {443, 6443} if group in of_api_server else {443} if group == names.ALERTMANAGER else set()
        if group == DATABASE and system.settings.backups.bucket:
            expected.add(system.settings.backup_port())
        assert open_ports == expected, group


def test_pods_of_other_namespaces_reach_no_data_store(system: System) -> None:
    stranger = Pod("other", {**names.API_LABELS, **names.DATABASE_LABELS}, "10.244.0.3")
    for group in system.groups:
        if group in (names.CACHE, names.BROKER, names.RABBITMQ, DATABASE):
            for port in system.policies.ports():
                assert not system.policies.allow(stranger, system.pod(group), port), (group, port)


def test_the_operator_and_the_gateway_reach_what_they_work_on(system: System) -> None:
    operator, traefik = (Pod(space, {}, "10.244.0.4") for space in ("cnpg-system", "traefik"))
    if system.has(DATABASE):
        assert system.policies.allow(operator, system.pod(DATABASE), 8000)
    for release in system.charts:
        through_traefik = system.settings.gateway_kind is GatewayKind.TRAEFIK
        assert system.policies.allow(traefik, system.pod(release), names.API_PORT) is through_traefik
        assert not system.policies.allow(traefik, system.pod(release), names.API_METRICS_PORT)


def test_proxies_reach_their_control_plane_and_clients_the_gateway(system: System) -> None:
    istiod = Pod("istio-system", names.ISTIOD_LABELS, "10.244.0.4")
    meshed = [*system.charts] if system.settings.meshed else []
    gateway = [names.ISTIO_GATEWAY] if system.has(names.ISTIO_GATEWAY) else []
    for group in system.groups:
        reached = system.policies.allow(system.pod(group), istiod, names.ISTIOD_PORT)
        assert reached is (group in (*meshed, *gateway)), group
    for client in (*INTERNET, Pod("other", {}, "10.244.0.3"), Pod("other", {})):
        for group in gateway:
            assert system.policies.allow(client, system.pod(group), 80)
            assert system.policies.allow(client, system.pod(group), 443)
            assert not system.policies.allow(client, system.pod(group), names.PROXY_METRICS_PORT)
