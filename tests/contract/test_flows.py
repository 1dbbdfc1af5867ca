"""Network policies of a stack allow exactly the flows that the program's settings need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from infra import names
from tests.contract.chart import Manifest, manifests, pod_specs, render
from tests.infra import engine
from tests.infra.engine import Stack

Flow = tuple[str, str, int]
"""Source, destination and port."""

RELEASE, DATABASE = "release", "database"


class System:
    """A whole stack: the objects of the program, and those of the chart."""

    def __init__(self, phase: str, **config: str) -> None:
        more = {f"task-manager:{key}": value for key, value in config.items()}
        self.stack: Stack = engine.run({**engine.stack_file(phase), **more}, phase)
        self.chart: list[Manifest] = manifests(render(self.stack.values))
        policies = [resource.inputs for resource in self.stack.objects if resource.kind == "NetworkPolicy"]
        policies += [manifest for manifest in self.chart if manifest["kind"] == "NetworkPolicy"]
        self.policies: list[Manifest] = [policy["spec"] for policy in policies]
        # The chart's pods share their policies, and so do the operator's.
        self.groups: dict[str, Mapping[str, str]] = {RELEASE: names.API_LABELS}
        if self.stack.has("Cluster"):
            self.groups[DATABASE] = names.DATABASE_LABELS
        for resource in self.stack.objects:
            if resource.kind in ("StatefulSet", "Job", "Deployment"):
                self.groups[resource.object_name] = resource.inputs["spec"]["template"]["metadata"]["labels"]

    def has(self, name: str) -> bool:
        return name in self.groups

    def group_at(self, host: str) -> str:
        """Return the pods behind a host name of the namespace: a Service of the program, or one of the operator's."""
        if host.startswith((names.DATABASE_CLUSTER, names.DATABASE_POOLER)):
            return DATABASE
        service = self.stack.find("Service", host.rpartition(".")[2])
        asked = dict(service.inputs["spec"]["selector"])
        asked.pop("statefulset.kubernetes.io/pod-name", None)
        if names.API_LABELS.items() <= asked.items():
            return RELEASE
        [group] = [name for name, labels in self.groups.items() if asked.items() <= labels.items()]
        return group

    # --- what has to be allowed

    def needed(self) -> Iterator[Flow]:
        yield RELEASE, RELEASE, names.API_PORT  # helm's test asks the API
        yield from self._of_the_release()
        if self.has(DATABASE):
            yield from ((DATABASE, DATABASE, port) for port in (5432, 8000))  # replication, and the operator's status
        if self.has(names.CACHE_RESHARDING):
            yield from ((names.CACHE, names.CACHE, port) for port in (6379, 16379))  # replication, and the cluster bus
            job = self.stack.find("Job", names.CACHE_RESHARDING).inputs["spec"]
            [shape] = job["template"]["spec"]["containers"]
            words = shape["args"]
            for server in {words[place + 1] for place, word in enumerate(words) if word == "--server"}:
                host, _, port = server.partition(":")
                yield names.CACHE_RESHARDING, self.group_at(host), int(port)
        for servers in (names.CACHE, names.BROKER):
            if self.has(names.valkey_exporter(servers)):
                yield names.valkey_exporter(servers), servers, 6379
        if self.has(names.PROMETHEUS):
            yield from self._of_prometheus()
        if self.has(names.EDGE):
            yield from self._of_the_edge()

        if self.has(names.GRAFANA):
            data = self.stack.find("ConfigMap", names.GRAFANA).inputs["data"]
            for source in yaml.safe_load(data["provisioning_datasources_prometheus.yaml"])["datasources"]:
                called = urlsplit(source["url"])
                yield names.GRAFANA, self.group_at(called.hostname), called.port

    def _of_the_release(self) -> Iterator[Flow]:
        for _, _, spec in pod_specs(self.chart):
            for container in spec["containers"]:
                env = {variable["name"]: variable.get("value") for variable in container.get("env", [])}
                for name, host in env.items():
                    if name.endswith("_HOST") and name != "APP_SMTP_HOST":
                        port = env.get(name.replace("_HOST", "_PORT"), env.get("APP_DATABASE_PORT"))
                        yield RELEASE, self.group_at(str(host)), int(str(port))

    def _of_prometheus(self) -> Iterator[Flow]:
        config = yaml.safe_load(self.stack.find("ConfigMap", names.PROMETHEUS).inputs["data"]["prometheus.yaml"])
        assert [job["job_name"] for job in config["scrape_configs"]] == [
            *("annotated", "database", "valkey", "gateway"),
            *("prometheus", "alertmanager"),
        ]
        for manifest in self.chart:
            said = manifest.get("spec", {}).get("template", {}).get("metadata", {}).get("annotations", {})
            if said.get("prometheus.io/scrape") == "true":
                yield names.PROMETHEUS, RELEASE, int(said["prometheus.io/port"])
        for resource in self.stack.objects:
            said = resource.inputs.get("spec", {}).get("template", {}).get("metadata", {}).get("annotations", {})
            if said.get("prometheus.io/scrape") == "true":
                yield names.PROMETHEUS, resource.object_name, int(said["prometheus.io/port"])
        yield from ((names.PROMETHEUS, DATABASE, port) for port in (9187, 9127))  # instances, and poolers
        for rule in config["scrape_configs"][2]["relabel_configs"]:
            if rule.get("target_label") == "__address__":
                exporter, _, port = rule["replacement"].partition(":")
                yield names.PROMETHEUS, self.group_at(exporter), int(port)
        for servers in [*config["alerting"]["alertmanagers"], *config["scrape_configs"]]:
            for called in servers.get("static_configs", [{"targets": []}])[0]["targets"]:
                host, _, port = called.partition(":")
                if host != "localhost":
                    yield names.PROMETHEUS, self.group_at(host), int(port)

    def _of_the_edge(self) -> Iterator[Flow]:
        text = self.stack.find("ConfigMap", names.EDGE).inputs["data"]["default.vcl"]
        called = dict(re.findall(r'\.(host|port) = "(.+)";', text))
        yield names.EDGE, self.group_at(called["host"]), int(called["port"])
        [purge] = self.stack.find("Job", names.PURGE).inputs["spec"]["template"]["spec"]["containers"]
        host, _, port = purge["args"][1].partition(":")
        yield names.PURGE, self.group_at(host), int(port)

    # --- what is allowed

    def allowed(self) -> Iterator[Flow]:
        ports = {port for policy in self.policies for end in ("ingress", "egress") for port in _ports(policy, end)}
        for caller, caller_labels in self.groups.items():
            for called, called_labels in self.groups.items():
                for port in ports:
                    out = self._lets("egress", caller_labels, called_labels, port)
                    if out and self._lets("ingress", called_labels, caller_labels, port):
                        yield caller, called, port

    def _lets(self, end: str, own: Mapping[str, str], other: Mapping[str, str], port: int) -> bool:
        return any(
            _selects(policy["podSelector"], own)
            and any(port in _numbers(rule) and _reaches(rule, other) for rule in policy.get(end, []))
            for policy in self.policies
        )


def _numbers(rule: Manifest) -> set[int]:
    named = {"http": names.API_PORT, "metrics": names.API_METRICS_PORT}
    return {named.get(port["port"]) or int(port["port"]) for port in rule["ports"]}


def _ports(policy: Manifest, end: str) -> set[int]:
    return {number for rule in policy.get(end, []) for number in _numbers(rule)}


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return dict(selector.get("matchLabels") or {}).items() <= labels.items()


def _reaches(rule: Manifest, labels: Mapping[str, str]) -> bool:
    peers = rule.get("from", rule.get("to"))
    return peers is None or any(_is(peer, labels) for peer in peers)  # without peers: everybody


def _is(peer: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a peer is pods of the stack's own namespace, and these among them."""
    if "namespaceSelector" in peer or "ipBlock" in peer:
        return False
    return _selects(peer.get("podSelector", {}), labels)


@pytest.fixture(
    scope="module",
    params=[
        "phase1",
        "phase2",
        "phase2 monitoring.grafana=true",
        "phase3",
        "phase3 monitoring.grafana=true",
        "phase3 monitoring.mode=operator",
    ],
)
def system(request: pytest.FixtureRequest) -> System:
    phase, *config = request.param.split()
    return System(phase, **dict(setting.split("=") for setting in config))


def test_policies_allow_the_flows_that_the_program_needs_and_no_other(system: System) -> None:
    assert set(system.allowed()) == set(system.needed())


def test_no_outside_peer_reaches_the_data_stores(system: System) -> None:
    for group, labels in system.groups.items():
        for policy in system.policies:
            if group in (names.CACHE, names.BROKER) and _selects(policy["podSelector"], labels):
                peers = [peer for rule in policy.get("ingress", []) for peer in rule["from"]]
                assert all("podSelector" in peer and "namespaceSelector" not in peer for peer in peers)
