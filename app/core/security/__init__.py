"""Keys, tokens, signatures and password hashing."""
