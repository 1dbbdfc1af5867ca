"""Phase 1: one instance, on a volume or on PostgreSQL by setting."""

from tests.infra.engine import Stack


def test_phase_1_is_one_instance_on_a_volume_that_the_chart_mounts(phase1: Stack) -> None:
    assert phase1.values["autoscaling"] == {"minReplicas": 1, "maxReplicas": 1}
    claim = phase1.find("PersistentVolumeClaim")
    assert phase1.values["persistence"] == {"enabled": True, "claimName": claim.object_name, "mountPath": "/data"}
    assert phase1.values["env"]["APP_DATABASE_URL"] == "sqlite:////data/tasks.sqlite"


def test_phase_1_needs_no_operator_gateway_or_cache(phase1: Stack) -> None:
    assert not any(phase1.has(kind) for kind in ("Cluster", "Pooler", "Gateway", "StatefulSet", "Middleware"))


def test_phase_1_does_not_wait_for_a_volume_that_waits_for_its_first_pod(phase1: Stack) -> None:
    annotations = phase1.find("PersistentVolumeClaim").inputs["metadata"]["annotations"]
    assert annotations["pulumi.com/skipAwait"] == "true"


def test_phase_1_is_reached_at_its_node_port_and_believes_no_proxy(phase1: Stack) -> None:
    assert phase1.values["service"] == {"type": "NodePort", "port": 8000, "nodePort": 30080}
    assert phase1.values["env"]["APP_TRUSTED_HOPS"] == "0"
    assert phase1.outputs["url"] == "http://127.0.0.1:30080"


def test_phase_1_runs_on_one_instance_of_postgresql_by_setting(phase1_postgresql: Stack) -> None:
    spec = phase1_postgresql.find("Cluster").inputs["spec"]
    assert spec["instances"] == 1
    assert spec["enablePDB"] is False, "it would block the drain of the node"
    assert "synchronous" not in spec["postgresql"], "no standby: every write would wait for ever"
    assert not phase1_postgresql.has("Pooler")
    assert not phase1_postgresql.has("PersistentVolumeClaim")
    assert phase1_postgresql.values["env"]["APP_DATABASE_HOST"] == "task-manager-database-rw"
