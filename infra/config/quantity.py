"""Quantities of Kubernetes, such as those of CPU, memory and storage, in canonical form.

Controllers write objects back in this form, and the provider would show any other spelling as a change with each
update: `1000m` becomes `1`, `1024Mi` becomes `1Gi`. The rule is that of apimachinery's `resource.Quantity`: no
fraction, and the largest suffix that fits.
"""

from typing import Final

_DECIMAL: Final = ("m", "", "k", "M", "G", "T", "P", "E")
_BINARY: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def quantity(amount: int, suffix: str = "") -> str:
    """Write so many of a unit.

    Args:
        amount: not negative.
        suffix: of the unit: `m` for thousandths, `Mi` for MiB, …
    """
    base, units = (1024, _BINARY) if suffix.endswith("i") else (1000, _DECIMAL)
    index = units.index(suffix)
    while amount and amount % base == 0 and index + 1 < len(units):
        amount, index = amount // base, index + 1
    return f"{amount}{units[index]}" if amount else "0"
