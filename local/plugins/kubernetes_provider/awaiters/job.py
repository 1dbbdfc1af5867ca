"""A Job is ready when it has completed."""

from local.plugins.kubernetes_provider.awaiters.lookups import Lookups
from local.plugins.kubernetes_provider.awaiters.pods import all_problems
from local.plugins.kubernetes_provider.awaiters.readiness import Readiness, ready
from local.plugins.kubernetes_provider.objects import Object, condition, dig, identity


def completed(live: Object) -> bool:
    """Tell whether a Job has done its work."""
    return bool(condition(live, "Complete").get("status") == "True")


def assess(live: Object, lookups: Lookups) -> Readiness:
    """Assess a Job."""
    if completed(live):
        return ready("Job completed")
    if dig(live, "spec", "suspend"):
        return ready("Job is suspended")
    status = live.get("status") or {}
    failed = condition(live, "Failed")
    found = all_problems(lookups.pods(f"batch.kubernetes.io/job-name={live['metadata']['name']}"), lookups)
    if failed.get("status") == "True":
        reason = f"Job {identity(live)} has failed: [{failed.get('reason', '')}] {failed.get('message', '')}"
        return Readiness(done=False, message=reason, problems=(reason, *found), failed=True)
    if not status.get("startTime"):
        return Readiness(done=False, message=f'Waiting for Job "{identity(live)}" to start', problems=found)
    active, succeeded, failures = (status.get(key, 0) for key in ("active", "succeeded", "failed"))
    counts = f"(Active: {active} | Succeeded: {succeeded} | Failed: {failures})"
    return Readiness(done=False, message=f'Waiting for Job "{identity(live)}" to succeed {counts}', problems=found)
