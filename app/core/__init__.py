"""What every service may use, by subject. It knows no service."""
