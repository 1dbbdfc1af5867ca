"""RabbitMQ as a part of a stack, by itself: what nodes run with, who reaches them, and who gets which Secret."""

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from infra import names
from infra.cluster import connect
from infra.components import network
from infra.components.base import Target
from infra.components.data import messaging, rabbitmq, rabbitmq_config
from infra.components.image_job import SECRETS
from infra.components.network import Peer
from infra.components.observability import prometheus
from infra.components.secrets import Secrets
from infra.config.image import parse_image
from infra.config.phase_spec import Compute, RabbitMQ
from local.images import catalogue as images
from tests.infra import engine
from tests.infra.engine import Stack
from tests.infra.test_security import containers, pod_specs
from tests.infra.variants import IMAGE

SERVICES = ("auth", "tasks", "notifications", "analytics")
NAMESPACE = "task-manager-test"
NODE = Compute(50, 1000, 512)

Registered = Callable[..., Stack]


@pytest.fixture(scope="module")
def registered() -> Registered:
    """Register messaging alone, with so many nodes."""

    def run(nodes: int = 3, scraper: Peer | None = None, storage: int = 5) -> Stack:
        row = RabbitMQ(nodes=nodes, storage=storage, compute=NODE)

        def program() -> None:
            cluster = connect(None)
            target = Target(
                provider=cluster.provider,
                adopting=cluster.adopting,
                namespace=NAMESPACE,
                stack="test",
                storage_class=None,
                api_server=network.api_server(["10.0.0.1/32"], [443]),
                dns=(),
                protect=False,
                pull_secret="registry",
            )
            image = parse_image(IMAGE)
            generated = [
                *messaging.generated_secrets(SERVICES),
                messaging.server_certificate(row, NAMESPACE),
            ]
            secrets = Secrets("secrets", target, image=image, generated=generated, after=[])
            list(messaging.messaging(target, row=row, services=SERVICES, scraper=scraper, image=image, after=[secrets]))

        return engine.record(program, project="task-manager")

    return run


@pytest.fixture(scope="module")
def three(registered: Registered) -> Stack:
    """Three nodes that Prometheus scrapes."""
    return registered(3, Peer(names.PROMETHEUS_LABELS))


def node(stack: Stack) -> dict[str, Any]:
    """The specification of the nodes' pods."""
    pod: dict[str, Any] = stack.find("StatefulSet", names.RABBITMQ).inputs["spec"]["template"]["spec"]
    return pod


def configuration(stack: Stack) -> dict[str, str]:
    text = stack.find("ConfigMap", names.RABBITMQ).inputs["data"]["rabbitmq.conf"]
    return dict(line.split(" = ", 1) for line in text.splitlines())


def callers(stack: Stack) -> dict[int, list[dict[str, Any]]]:
    """Who may call each port of the nodes."""
    found: dict[int, list[dict[str, Any]]] = {}
    for rule in stack.find("NetworkPolicy", names.RABBITMQ).inputs["spec"]["ingress"]:
        for port in rule["ports"]:
            found.setdefault(int(port["port"]), []).extend(
                peer["podSelector"]["matchLabels"] if "podSelector" in peer else peer for peer in rule["from"]
            )
    return found


def test_pods_fit_the_restricted_standard_and_pull_by_the_secret_of_the_stack(three: Stack) -> None:
    for _, pod in pod_specs(three):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["imagePullSecrets"] == [{"name": "registry"}]
    for _, container in containers(three):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]


def test_there_is_no_port_of_clients_without_tls(three: Stack) -> None:
    conf = configuration(three)
    assert conf["listeners.tcp"] == "none"
    assert int(conf["listeners.ssl.default"]) == names.RABBITMQ_PORT
    assert {key for key in conf if key.startswith("management.")} == {
        "management.ssl.port",
        "management.ssl.certfile",
        "management.ssl.keyfile",
        "management.ssl.cacertfile",
    }
    assert conf["anonymous_login_user"] == "none"


def test_nodes_show_each_other_their_certificates(three: Stack) -> None:
    data = three.find("ConfigMap", names.RABBITMQ).inputs["data"]
    for end in ("server", "client"):
        [options] = re.findall(rf"{{{end}, \[(.*?)\]}}", data["distribution-tls.config"])
        assert "{verify, verify_peer}" in options
        assert f'{{cacertfile, "{rabbitmq_config.CERTIFICATE}/ca.crt"}}' in options
    assert "{fail_if_no_peer_cert, true}" in data["distribution-tls.config"]
    assert "-proto_dist inet_tls" in data["start.sh"]


def test_the_certificate_is_good_for_the_service_and_every_node(registered: Registered) -> None:
    for number in (1, 3):
        stack = registered(number)
        [made] = [
            container
            for container in stack.find("Job", names.SECRET_MAKER).inputs["spec"]["template"]["spec"]["containers"]
            if "ensure-certificate" in container["args"]
        ]
        hosts = [made["args"][index + 1] for index, word in enumerate(made["args"]) if word == "--host"]
        pods = [f"{names.RABBITMQ}-{index}.{names.RABBITMQ_NODES}" for index in range(number)]
        assert hosts == [names.RABBITMQ, f"{names.RABBITMQ}.{NAMESPACE}", *pods]
        assert "--authority" in made["args"], "clients trust the authority, so they go on when it is renewed"
        renewal = stack.find("CronJob", names.RABBITMQ_CERTIFICATE_RENEWAL).inputs["spec"]["jobTemplate"]["spec"]
        assert renewal["template"]["spec"]["containers"] == [made]


def test_nobody_but_the_maker_reads_the_key_of_the_authority(three: Stack) -> None:
    for resource, pod in pod_specs(three):
        for volume in pod.get("volumes", []):
            sources = [volume, *volume.get("projected", {}).get("sources", [])]
            for secret in (source["secret"] for source in sources if "secret" in source):
                if names.RABBITMQ_CERTIFICATE in (secret.get("secretName"), secret.get("name")):
                    keys = {item["key"] for item in secret["items"]}
                    assert keys <= {"tls.crt", "tls.key", "ca.crt"}, resource.name


def test_nodes_find_each_other_by_the_names_that_they_have(three: Stack) -> None:
    server = three.find("StatefulSet", names.RABBITMQ).inputs["spec"]
    service = three.find("Service", server["serviceName"]).inputs["spec"]
    assert service["publishNotReadyAddresses"] is True
    assert service["selector"].items() <= server["template"]["metadata"]["labels"].items()
    [container] = server["template"]["spec"]["containers"]
    env = {variable["name"]: variable.get("value") for variable in container["env"]}
    conf = configuration(three)
    assert env["RABBITMQ_NODENAME"] == f"rabbit@$(POD_NAME){conf['cluster_formation.k8s.hostname_suffix']}"
    assert conf["cluster_formation.k8s.hostname_suffix"] == f".{server['serviceName']}"
    assert conf["cluster_formation.k8s.service_name"] == server["serviceName"]
    assert int(conf["cluster_formation.target_cluster_size_hint"]) == server["replicas"] == 3
    assert server["podManagementPolicy"] == "Parallel"


def test_the_account_may_read_the_addresses_of_the_nodes_and_write_events_alone(three: Stack) -> None:
    rules = three.find("Role", names.RABBITMQ).inputs["rules"]
    assert [(rule["resources"], rule["verbs"], rule.get("resourceNames")) for rule in rules] == [
        (["endpoints"], ["get"], [names.RABBITMQ_NODES]),
        (["events"], ["create"], None),
    ]
    [subject] = three.find("RoleBinding", names.RABBITMQ).inputs["subjects"]
    assert subject["name"] == node(three)["serviceAccountName"] == names.RABBITMQ


def test_clients_nodes_the_configuration_and_prometheus_reach_the_nodes_and_nobody_else(three: Stack) -> None:
    configuring = names.RABBITMQ_CONFIGURATION_LABELS
    nodes = [names.RABBITMQ_LABELS]
    assert callers(three) == {
        names.RABBITMQ_PORT: [{"app.kubernetes.io/name": "task-manager"}, configuring],
        names.RABBITMQ_MANAGEMENT_PORT: [configuring],
        names.RABBITMQ_METRICS_PORT: [names.PROMETHEUS_LABELS],
        **dict.fromkeys(names.RABBITMQ_PORTS_AMONG_NODES, nodes),
    }
    for labels, kind, name in (
        (names.RABBITMQ_LABELS, "StatefulSet", names.RABBITMQ),
        (configuring, "Job", names.RABBITMQ_CONFIGURATION),
    ):
        template = three.find(kind, name).inputs["spec"]["template"]
        assert labels.items() <= template["metadata"]["labels"].items()


def test_without_monitoring_nobody_reaches_the_metrics(registered: Registered) -> None:
    assert names.RABBITMQ_METRICS_PORT not in callers(registered())


@pytest.mark.parametrize("job", ["rabbitmq", "rabbitmq-queues"])
def test_prometheus_finds_the_nodes_and_is_let_out_to_them(three: Stack, phase3: Stack, job: str) -> None:
    jobs = prometheus.configuration(prometheus.Proxies("edge"))["scrape_configs"]
    [scraped] = [each for each in jobs if each["job_name"] == job]
    [kept] = [
        rule for rule in scraped["relabel_configs"] if rule.get("action") == "keep" and len(rule["source_labels"]) > 1
    ]
    template = three.find("StatefulSet", names.RABBITMQ).inputs["spec"]["template"]
    component = template["metadata"]["labels"]["app.kubernetes.io/component"]
    ports = {port["name"]: int(port["containerPort"]) for port in template["spec"]["containers"][0]["ports"]}
    found = [ports[name] for name in ports if re.fullmatch(kept["regex"], f"{component};{name}")]
    assert found == [names.RABBITMQ_METRICS_PORT]
    let_out = [
        int(rule["ports"][0]["port"])
        for rule in phase3.find("NetworkPolicy", names.PROMETHEUS).inputs["spec"]["egress"]
        if rule["to"] == [{"podSelector": {"matchLabels": names.RABBITMQ_LABELS}}]
    ]
    assert let_out == found


def test_the_job_is_no_node_to_services_and_budgets(three: Stack) -> None:
    job = three.find("Job", names.RABBITMQ_CONFIGURATION).inputs["spec"]["template"]["metadata"]["labels"]
    for service in (names.RABBITMQ, names.RABBITMQ_NODES):
        assert not three.find("Service", service).inputs["spec"]["selector"].items() <= job.items()
    budget = three.find("PodDisruptionBudget").inputs["spec"]
    assert not budget["selector"]["matchLabels"].items() <= job.items()


def test_one_node_at_a_time_may_be_drained_and_a_single_one_has_no_budget(registered: Registered, three: Stack) -> None:
    assert three.find("PodDisruptionBudget").inputs["spec"]["maxUnavailable"] == 1
    assert not registered(1).has("PodDisruptionBudget")


def test_a_node_goes_when_no_queue_needs_it_and_its_hook_ends_before_it_is_killed(
    registered: Registered, three: Stack
) -> None:
    script = three.find("ConfigMap", names.RABBITMQ).inputs["data"]["stop.sh"]
    seconds = [int(found) for found in re.findall(r"--timeout (\d+)", script)]
    assert re.findall(r"rabbitmq-upgrade --timeout \d+ (\w+)", script) == ["await_online_quorum_plus_one", "drain"]
    assert sum(seconds) + 20 <= node(three)["terminationGracePeriodSeconds"]
    [container] = node(three)["containers"]
    assert container["lifecycle"]["preStop"]["exec"]["command"][-1].endswith("/stop.sh")
    [single] = node(registered(1))["containers"]
    assert "lifecycle" not in single, "no other node could take over"


def test_the_memory_and_the_disk_have_room_beyond_what_blocks_publishers(registered: Registered) -> None:
    conf = configuration(registered(storage=5))
    assert 0.3 < int(conf["vm_memory_high_watermark.absolute"].removesuffix("MiB")) / NODE.memory < 0.7
    assert 512 < int(conf["disk_free_limit.absolute"].removesuffix("MiB")) < 5 * 1024 / 2


def test_what_blocks_publishers_follows_the_sizes_that_a_stack_sets() -> None:
    sizes = {"rabbitmq.memory": 4000, "rabbitmq.storage": 50}
    stack = engine.run({**engine.stack_file("phase4"), **{f"task-manager:{key}": size for key, size in sizes.items()}})
    conf = configuration(stack)
    assert conf["vm_memory_high_watermark.absolute"] == "2400MiB"
    assert conf["disk_free_limit.absolute"] == "10240MiB"
    [container] = node(stack)["containers"]
    assert container["resources"]["limits"]["memory"] == "4000Mi"


def test_a_changed_configuration_changes_the_pod(registered: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    def pod(stack: Stack) -> Any:
        return stack.find("StatefulSet", names.RABBITMQ).inputs["spec"]["template"]

    before = pod(registered())
    monkeypatch.setattr(rabbitmq_config, "stop_sh", lambda: "true")
    assert pod(registered()) != before


def test_a_paused_node_takes_no_clients_and_is_not_restarted(three: Stack) -> None:
    [container] = node(three)["containers"]
    ports = {port["name"]: int(port["containerPort"]) for port in container["ports"]}
    assert ports[container["readinessProbe"]["tcpSocket"]["port"]] == names.RABBITMQ_PORT
    assert ports[container["livenessProbe"]["tcpSocket"]["port"]] in names.RABBITMQ_PORTS_AMONG_NODES


def parsed(*words: str) -> dict[str, Any]:
    """What the application makes of a command line."""
    code = (
        "import json, sys; from app.__main__ import parser;"
        " print(json.dumps(vars(parser().parse_args(sys.argv[1:])), default=str))"
    )
    python = engine.ROOT / ".venv" / "app" / "bin" / "python"
    printed = subprocess.run([python, "-c", code, *words], cwd=engine.ROOT, capture_output=True, check=True).stdout
    options: dict[str, Any] = json.loads(printed)
    return options


def test_the_command_takes_the_options_of_the_job_and_finds_its_files(three: Stack) -> None:
    pod = three.find("Job", names.RABBITMQ_CONFIGURATION).inputs["spec"]["template"]["spec"]
    [container] = pod["containers"]
    options = parsed(container["command"][-1], *container["args"])
    assert [service for service, _ in options["users"]] == list(SERVICES)
    paths = {}
    for mount in container["volumeMounts"]:
        [volume] = [volume for volume in pod["volumes"] if volume["name"] == mount["name"]]
        for source in volume.get("projected", {}).get("sources", [volume]):
            for item in source["secret"]["items"]:
                secret = source["secret"].get("secretName") or source["secret"]["name"]
                paths[f"{mount['mountPath']}/{item['path']}"] = (secret, item["key"])
    assert paths == {
        f"{SECRETS}/administrator-password": (names.RABBITMQ, "administrator-password"),
        options["ca_file"]: (names.RABBITMQ_CERTIFICATE, "ca.crt"),
        **{file: (f"task-manager-{service}-rabbitmq", "password") for service, file in options["users"]},
    }
    assert options["password_file"] == f"{SECRETS}/administrator-password"


def test_the_job_waits_for_the_nodes(three: Stack) -> None:
    server = three.find("StatefulSet", names.RABBITMQ)
    assert server.urn in three.find("Job", names.RABBITMQ_CONFIGURATION).dependencies


def test_volumes_are_claims_of_the_program(three: Stack) -> None:
    claims = {each.object_name for each in three.objects if each.kind == "PersistentVolumeClaim"}
    assert claims == {f"data-{names.RABBITMQ}-{index}" for index in range(3)}
    assert three.find("StatefulSet").ignored == ("spec.volumeClaimTemplates",)


def test_the_local_cluster_has_the_image() -> None:
    assert images.RABBITMQ_IMAGE.reference == rabbitmq.IMAGE
