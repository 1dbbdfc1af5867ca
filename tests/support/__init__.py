"""What tests lean on: real servers started for them, and small helpers."""
