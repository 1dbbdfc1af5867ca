"""Background jobs: queue, runner, scheduler and endpoints."""
