"""The machine itself: running programs, files, processes, packages, mounts, control groups and kernel settings."""
