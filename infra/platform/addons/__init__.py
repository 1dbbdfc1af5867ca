"""Add-ons of a cluster: what environments of the task manager stand on."""

from infra.platform.addons.install import Addons, install
from infra.platform.addons.settings import AddonSettings

__all__ = ["AddonSettings", "Addons", "install"]
