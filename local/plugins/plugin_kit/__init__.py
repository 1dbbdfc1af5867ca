"""Shared by both plugins: serving gRPC as the engine expects it, and messages to the engine."""
