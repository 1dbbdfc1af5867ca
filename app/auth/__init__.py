"""Who somebody is: accounts, log-ins, sessions. Owns the tables `users`, `sessions` and `refresh_tokens`."""
