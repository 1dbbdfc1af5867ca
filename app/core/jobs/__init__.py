"""Background jobs: queue, runner, scheduler and the endpoints that show them."""
