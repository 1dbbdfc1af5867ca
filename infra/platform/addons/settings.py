"""Settings of the add-ons."""

from infra.config.sections import Section


class AddonSettings(Section):
    """Add-ons of the cluster."""
