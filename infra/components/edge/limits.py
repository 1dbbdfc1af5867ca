"""Limits of an API gateway, whichever it is."""

from typing import Final

MAX_BODY: Final = 1 << 20
"""Bytes: the API's own limit of a JSON body."""
PER_USER: Final = 12_000
"""Requests a minute of a user: the API's own limit, which is exact. Each pod of a gateway counts for itself."""
PER_ADDRESS: Final = 60_000
"""Requests a minute of an address: of five users at their limit, since a company or a proxy has one address."""
