"""Reasons why a pod is not ready."""

from local.plugins.kubernetes_provider.awaiters.pods import all_problems, problems
from local.plugins.kubernetes_provider.objects import Object
from tests.plugins.fakes import RecordedLookups


def pod(name: str = "api-1", *, phase: str = "Pending", **status: object) -> Object:
    """Make a pod with one container, api, of image example.org/api:2."""
    container = {"name": "api", "image": "example.org/api:2"}
    return {"metadata": {"name": name}, "spec": {"containers": [container]}, "status": {"phase": phase, **status}}


def waiting(reason: str, message: str = "", **more: object) -> list[Object]:
    """Make the status of a container that waits."""
    return [{"name": "api", "image": "", "state": {"waiting": {"reason": reason, "message": message}}, **more}]


def test_an_image_that_cannot_be_pulled_is_named_with_the_reason() -> None:
    message = 'failed to pull and unpack image "example.org/api:2": not found'
    found = problems(pod(containerStatuses=waiting("ErrImagePull", message)), RecordedLookups())
    assert found == (f"Pod api-1: image example.org/api:2 of container api cannot be pulled (ErrImagePull): {message}",)


def test_a_back_off_that_only_repeats_the_image_is_not_repeated() -> None:
    status = waiting("ImagePullBackOff", 'Back-off pulling image "example.org/api:2"')
    assert problems(pod(containerStatuses=status), RecordedLookups())[0].endswith("cannot be pulled (ImagePullBackOff)")


def test_a_back_off_that_has_the_reason_is_reported_whole() -> None:
    status = waiting("ImagePullBackOff", 'Back-off pulling image "example.org/api:2": ErrImagePull: denied')
    assert problems(pod(containerStatuses=status), RecordedLookups())[0].endswith("ErrImagePull: denied")


def test_a_crash_loop_shows_exit_code_and_last_log_lines() -> None:
    ended = {"terminated": {"exitCode": 2, "reason": "Error"}}
    status = waiting("CrashLoopBackOff", "back-off 10s", restartCount=3, lastState=ended)
    lookups = RecordedLookups(logs={("api", True): "starting\nAPP_SECRET_KEY is missing"})
    assert problems(pod(phase="Running", containerStatuses=status), lookups) == (
        (
            "Pod api-1: container api ends with exit code 2 and is being restarted (3 restarts so far); "
            "its last log lines:\n    starting\n    APP_SECRET_KEY is missing"
        ),
    )


def test_a_container_that_ran_out_of_memory_says_so() -> None:
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    found = problems(pod(containerStatuses=waiting("CrashLoopBackOff", lastState=ended)), RecordedLookups())
    assert "ran out of its memory limit (OOMKilled)" in found[0]


def test_a_failed_init_container_is_reported_with_its_log() -> None:
    status = [{"name": "migrate", "state": {"terminated": {"exitCode": 1}}}]
    lookups = RecordedLookups(logs={("migrate", False): "no such table"})
    found = problems(pod(phase="Failed", initContainerStatuses=status), lookups)
    assert "container migrate ends with exit code 1; its last log lines:\n    no such table" in found[0]


def test_a_failing_probe_is_reported_with_what_it_answered() -> None:
    status = [{"name": "api", "ready": False, "state": {"running": {}}}]
    event = {
        "reason": "Unhealthy",
        "message": "Readiness probe failed: HTTP probe failed with statuscode: 503",
        "involvedObject": {"fieldPath": "spec.containers{api}"},
    }
    found = problems(pod(phase="Running", containerStatuses=status), RecordedLookups(event_lists={"api-1": [event]}))
    assert found == (
        (
            "Pod api-1: container api runs but is not ready: "
            "Readiness probe failed: HTTP probe failed with statuscode: 503"
        ),
    )


def test_a_pod_that_no_node_can_take_is_reported_with_the_schedulers_reason() -> None:
    reason = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1: Insufficient cpu"}
    assert problems(pod(conditions=[reason]), RecordedLookups()) == (
        "Pod api-1: no node can take it: 0/1: Insufficient cpu",
    )


def test_a_missing_config_key_is_reported() -> None:
    status = waiting("CreateContainerConfigError", 'secret "keys" not found')
    assert (
        'cannot be started (CreateContainerConfigError): secret "keys" not found'
        in (problems(pod(containerStatuses=status), RecordedLookups())[0])
    )


def test_a_volume_that_cannot_be_mounted_is_reported() -> None:
    event = {"reason": "FailedMount", "message": 'MountVolume.SetUp failed: configmap "x" not found'}
    found = problems(
        pod(containerStatuses=waiting("ContainerCreating")), RecordedLookups(event_lists={"api-1": [event]})
    )
    assert "a volume cannot be mounted: MountVolume.SetUp failed" in found[0]


def test_a_pod_that_just_starts_has_no_problem() -> None:
    assert problems(pod(containerStatuses=waiting("ContainerCreating")), RecordedLookups()) == ()
    assert problems(pod(containerStatuses=waiting("PodInitializing")), RecordedLookups()) == ()


def test_a_pod_that_is_ready_or_on_its_way_out_has_no_problem() -> None:
    broken = pod(containerStatuses=waiting("ErrImagePull", "x"))
    ready = {**broken, "status": {**broken["status"], "conditions": [{"type": "Ready", "status": "True"}]}}
    ending = {**broken, "metadata": {"name": "api-1", "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert problems(ready, RecordedLookups()) == ()
    assert problems(ending, RecordedLookups()) == ()


def test_the_same_problem_of_several_pods_is_reported_once() -> None:
    pods = [pod(name, containerStatuses=waiting("ErrImagePull", "no")) for name in ("a", "b", "c")]
    found = all_problems(pods, RecordedLookups())
    assert len(found) == 1
    assert found[0].startswith("Pod a and 2 more: ")
