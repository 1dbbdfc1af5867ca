"""What a shared cache in front of the API may keep, by path: one table for each maker of a CDN.

Everything else goes past it. What is listed is kept only where the answer itself says `public` and nobody has logged in
for it: path and answer have to agree. A test holds this table against the application.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Rule:
    """What may be kept, and for how long.

    Args:
        path: a whole path, or the beginning of one that ends in a slash.
        keep: seconds at the edge.
        stale: seconds for which it is still given afterwards, while the edge asks for a new one.
    """

    path: str
    keep: int
    stale: int

    @property
    def whole(self) -> bool:
        """Whether the rule is for one path alone. The front page's is a slash, and no beginning."""
        return self.path == "/" or not self.path.endswith("/")

    def fits(self, path: str) -> bool:
        """Tell whether the rule is about this path."""
        return path == self.path if self.whole else path.startswith(self.path)


_PAGES: Final = (
    "/",
    "/favicon.ico",
    "/.well-known/jwks.json",
    "/api/v1/auth/jwks.json",
    "/api/v1/openapi.json",
    "/api/v1/docs",
    "/api/v1/docs.css",
)

RULES: Final = (
    # Their names change with their content.
    Rule("/static/", keep=365 * 24 * 3600, stale=0),
    *(Rule(path, keep=60, stale=30) for path in _PAGES),
)


def rule_of(path: str) -> Rule | None:
    """Return the rule for a path, without its query; None where nothing may be kept."""
    return next((rule for rule in RULES if rule.fits(path)), None)
