"""Domain events: outbox, relay, dispatcher and inbox."""
