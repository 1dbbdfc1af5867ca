"""Auth service: accounts, log-in and sessions. Owns the tables `users`, `sessions` and `refresh_tokens`."""
