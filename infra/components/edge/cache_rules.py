"""Cache rules of the CDN: paths that a shared cache may store, for how long; one table for every CDN.

Everything else goes past it. What is listed is kept only where the answer itself says `public` and nobody has logged in
for it: path and answer have to agree. A test holds this table against the application.
"""

from dataclasses import dataclass
from typing import Final

from infra.names import FRONT_END, KEYS_PATH


@dataclass(frozen=True)
class Rule:
    """Storage of a path's responses.

    Args:
        path: a whole path, or the beginning of one that ends in a slash.
        keep: seconds at the edge.
        stale: seconds for which it is still given afterwards, while the edge asks for a new one.
        service: who answers there, where each service has a release of its own.
    """

    path: str
    keep: int
    stale: int
    service: str = FRONT_END

    @property
    def whole(self) -> bool:
        """Whether the rule is for one path alone. The front page's is a slash, and no beginning."""
        return self.path == "/" or not self.path.endswith("/")

    def fits(self, path: str) -> bool:
        """Tell whether the rule is about this path."""
        return path == self.path if self.whole else path.startswith(self.path)


_KEYS: Final = (KEYS_PATH, "/api/v1/auth/jwks.json")
_PAGES: Final = (
    "/",
    "/favicon.ico",
    *_KEYS,
    "/api/v1/openapi.json",
    "/api/v1/docs",
    "/api/v1/docs.css",
)

RULES: Final = (
    # Their names change with their content.
    Rule("/static/", keep=365 * 24 * 3600, stale=0),
    *(Rule(path, keep=60, stale=30, service="auth" if path in _KEYS else FRONT_END) for path in _PAGES),
)


def rule_of(path: str) -> Rule | None:
    """Return the rule for a path, without its query; None where nothing may be kept."""
    return next((rule for rule in RULES if rule.fits(path)), None)
