"""Redis: client, response cache, ended sessions, counters of rate limits."""
