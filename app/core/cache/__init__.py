"""Redis: client, response cache, session states, rate counters."""
