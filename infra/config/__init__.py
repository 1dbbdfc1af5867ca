"""Settings of a stack, by section, with their types and messages."""
