"""Names: the program's own, or the resource's name with a random tail."""

from dataclasses import dataclass

from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.objects import Object, dig, flag, name_of

AUTONAMED = "pulumi.com/autonamed"

# Names end as host names and label values: at most 63 characters for most kinds.
_LONGEST = 63
_TAIL_DIGITS = 8


@dataclass(frozen=True)
class Autonaming:
    """What the engine's configuration says about names of its own making."""

    proposed: str = ""
    enforced: bool = False
    disabled: bool = False


def random_name(resource_name: str, seed: bytes) -> str:
    """Give `<resource name>-<8 hex digits>`.

    Args:
        resource_name: the resource's name in the program.
        seed: the engine's random bytes for this resource; the same bytes give the same name.
    """
    tail = seed.hex()[:_TAIL_DIGITS]
    stem = resource_name.lower()[: _LONGEST - len(tail) - 1].rstrip("-.")
    return f"{stem}-{tail}"


def assign_name(obj: Object, old: Object, resource_name: str, seed: bytes, naming: Autonaming) -> None:
    """Give the object a name where the program has given none; keep the one it already got that way.

    Args:
        obj: the new inputs, changed in place.
        old: the inputs of the last update; empty for a new or replaced object.
        resource_name: the resource's name in the program.
        seed: the engine's random bytes.
        naming: the engine's configuration.

    Raises:
        ProviderError: automatic names are switched off.
    """
    metadata = obj.setdefault("metadata", {})
    if not isinstance(metadata, dict) or metadata.get("name"):
        return
    if metadata.get("generateName"):
        raise ProviderError(
            "metadata.generateName does not go together with server-side apply: leave the name out instead"
        )
    if name_of(old) and flag(old, AUTONAMED):
        metadata["name"] = name_of(old)
    elif naming.disabled:
        raise ProviderError(f"{resource_name} has no metadata.name, and automatic naming is switched off: name it")
    elif naming.proposed and naming.enforced:
        metadata["name"] = naming.proposed
    else:
        metadata["name"] = naming.proposed or random_name(resource_name, seed)
    if not isinstance(metadata.get("annotations"), dict):
        metadata["annotations"] = {}
    metadata["annotations"][AUTONAMED] = "true"


def is_explicit(obj: Object) -> bool:
    """Tell whether the program itself has chosen the name."""
    return bool(dig(obj, "metadata", "name")) and not flag(obj, AUTONAMED)
