"""Policies: rules that the resources of a stack, or of a platform, have to keep before they are made."""
