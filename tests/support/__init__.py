"""Support for tests: real servers started for them, fakes, and small helpers."""
