"""The gateway of phase 1 by setting, certificates by ACME, DNS, and whose addresses are believed."""

from typing import Any, cast

import pulumi
import pytest

from infra import names
from infra.components.edge.gateway import dns_record
from infra.config.settings import load_settings, plain_text_warnings
from local.plugins.kubernetes_provider.awaiters import wait_for_annotation
from local.plugins.kubernetes_provider.awaiters.lookups import Lookups
from tests.infra import engine
from tests.infra.engine import Stack

HOST = "tasks.example.com"
PHASE2 = {"task-manager:phase": "2", "task-manager:hostname": HOST}
# Cloudflare's package uses names of its own that it has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_cloudflare")


def run(**settings: str) -> Stack:
    """Phase 2 under a host name, with these settings of the section `gateway`."""
    return engine.run({**PHASE2, **{f"task-manager:gateway.{key}": value for key, value in settings.items()}})


def listener(name: str, *, programmed: str) -> dict[str, Any]:
    return {"name": name, "conditions": [{"type": "Programmed", "status": programmed}]}


def test_phase_1_has_a_gateway_by_setting_and_then_no_node_port(phase1_gateway: Stack) -> None:
    spec = phase1_gateway.find("Gateway").inputs["spec"]
    assert {each["hostname"] for each in spec["listeners"]} == {HOST}
    assert phase1_gateway.values["service"]["type"] == "ClusterIP"
    assert phase1_gateway.values["route"]["hostnames"] == [HOST]
    assert phase1_gateway.values["networkPolicy"]["ingressFrom"]
    assert not phase1_gateway.values["networkPolicy"].get("ingressFromAnywhere")
    assert phase1_gateway.values["env"]["APP_TRUSTED_HOPS"] == "1"
    assert phase1_gateway.outputs["url_tls"] == f"https://{HOST}"


def test_growing_from_a_gateway_in_phase_1_keeps_what_is_there_and_opens_no_node_port(phase1_gateway: Stack) -> None:
    grown = engine.run(
        {
            **engine.stack_file("phase1"),
            **PHASE2,
            "task-manager:gateway.enabled": "true",
            "task-manager:gateway.certificate": "acme",
            "task-manager:gateway.redirect_http": "true",
        },
        "phase1-gateway",
    )

    def of_the_edge(stack: Stack) -> dict[str, Any]:
        return {each.urn: each.inputs for each in stack.objects if ":components:Gateway$" in each.urn}

    assert of_the_edge(grown) == of_the_edge(phase1_gateway)
    assert grown.values["carry"]["nodePort"] == 0
    assert run().values["carry"]["nodePort"] == 30080, "where clients of phase 1 still are"


def test_cert_manager_certifies_the_gateway_by_the_issuer_of_the_settings(phase1_gateway: Stack) -> None:
    annotations = phase1_gateway.find("Gateway").inputs["metadata"]["annotations"]
    assert annotations["cert-manager.io/cluster-issuer"] == "letsencrypt"
    other = run(certificate="acme", issuer="letsencrypt-staging").find("Gateway").inputs["metadata"]["annotations"]
    assert other["cert-manager.io/cluster-issuer"] == "letsencrypt-staging"
    assert "cert-manager.io/cluster-issuer" not in run().find("Gateway").inputs["metadata"]["annotations"]


def test_with_acme_nobody_else_makes_the_certificate(phase1_gateway: Stack) -> None:
    made = [word for job in phase1_gateway.objects if job.kind == "Job" for _, word in engine.walk(job.inputs)]
    assert names.TLS_SECRET not in made
    assert not phase1_gateway.has("CronJob")


def test_the_challenge_of_the_authority_reaches_the_solver_through_the_gateway_alone(phase1_gateway: Stack) -> None:
    policy = phase1_gateway.find("NetworkPolicy", "task-manager-acme-solver").inputs["spec"]
    assert policy["podSelector"]["matchLabels"] == {"acme.cert-manager.io/http01-solver": "true"}
    (rule,) = policy["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8089]
    assert [peer["namespaceSelector"]["matchLabels"] for peer in rule["from"]] == [
        {"kubernetes.io/metadata.name": "traefik"}
    ]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert not policy.get("egress")


def test_the_redirect_leaves_the_challenge_to_the_solver(phase1_gateway: Stack) -> None:
    (rule,) = phase1_gateway.find("HTTPRoute").inputs["spec"]["rules"]
    assert "matches" not in rule, "the solver's route names the whole path, which is more than every path"


@pytest.mark.parametrize(("http", "done"), [("True", True), ("False", False)])
def test_an_update_waits_for_the_listener_of_the_challenge_and_not_for_its_certificate(
    phase1_gateway: Stack, http: str, *, done: bool
) -> None:
    waited = phase1_gateway.find("Gateway").inputs["metadata"]["annotations"]["pulumi.com/waitFor"]
    live = {"status": {"listeners": [listener("http", programmed=http), listener("https", programmed="False")]}}
    assert wait_for_annotation.rule(waited)(live, cast(Lookups, None)).done is done


@pytest.mark.parametrize(
    ("addresses", "record"),
    [
        ([{"type": "IPAddress", "value": "192.0.2.1"}], f"{HOST} A 192.0.2.1"),
        ([{"type": "IPAddress", "value": "2001:db8::1"}], f"{HOST} AAAA 2001:db8::1"),
        ([{"type": "Hostname", "value": "lb.example.net"}], f"{HOST} CNAME lb.example.net"),
    ],
)
def test_the_record_is_of_the_kind_of_the_gateways_address(addresses: list[dict[str, str]], record: str) -> None:
    assert dns_record(HOST, {"addresses": addresses}) == record


@pytest.mark.parametrize("status", [None, {}, {"addresses": []}, {"addresses": None}])
def test_a_gateway_without_an_address_yet_is_said_to_have_none(status: dict[str, Any] | None) -> None:
    assert dns_record(HOST, status).startswith(f"{HOST}: the gateway had no address")


def test_the_record_is_an_output_unless_the_program_makes_it(phase1_gateway: Stack, phase2: Stack) -> None:
    assert phase1_gateway.outputs["dns"] == f"{HOST} A 192.0.2.20"
    assert "dns" not in phase2.outputs, "it answers for every name"
    cloudflare = {"cdn.kind": "cloudflare", "cdn.zone": "0" * 32, "cdn.origin": "192.0.2.10"}
    assert "dns" not in engine.run({**PHASE2, **{f"task-manager:{k}": v for k, v in cloudflare.items()}}).outputs


def test_whose_addresses_are_believed_can_be_set() -> None:
    assert run(trusted_hops="3").values["env"]["APP_TRUSTED_HOPS"] == "3"
    assert run(trusted_hops="0").values["env"]["APP_TRUSTED_HOPS"] == "0"


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({}, ""),
        ({"url": "http://127.0.0.9:8080"}, ""),
        ({"url": "http://[::1]:8080"}, ""),
        ({"url": "http://localhost:8080"}, ""),
        ({"url": "https://tasks.example.com"}, ""),
        ({"url": "http://tasks.example.com"}, "gateway.enabled to true"),
        ({"url": "http://192.0.2.1:30080"}, "gateway.enabled to true"),
        ({"hostname": HOST}, "gateway.enabled to true"),
        ({"hostname": HOST, "gateway.enabled": "true"}, "gateway.redirect_http to true"),
        ({"hostname": HOST, "gateway.enabled": "true", "gateway.redirect_http": "true"}, ""),
        ({"phase": "2", "hostname": HOST}, "gateway.redirect_http to true"),
        ({"phase": "2", "url": "http://127.0.0.1:1", "url_tls": "https://127.0.0.1:2"}, ""),
    ],
)
def test_one_line_warns_where_passwords_travel_in_plain_text(settings: dict[str, str], remedy: str) -> None:
    config = engine.as_engine({f"task-manager:{key}": value for key, value in settings.items()})
    lines = plain_text_warnings(load_settings(config))
    assert len(lines) == bool(remedy)
    assert all(remedy in line and "\n" not in line for line in lines)


def test_the_warning_is_said_when_the_stack_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda line, *_: said.append(line))
    load_settings({"task-manager:hostname": HOST})
    assert [line for line in said if "plain text" in line]
