"""`purge-cloudflare`: purge responses from Cloudflare's cache that a release may have changed."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

API = "https://api.cloudflare.com/client/v4"
SECONDS = 10
"""Time-out of the request."""


def purge_cloudflare(zone: str, urls: Sequence[str], token_file: Path, api: str = API) -> int:
    """Purge URLs from Cloudflare's cache; return the exit status.

    Without a token nothing is purged and the exit status is 0: cached responses expire by themselves, so the release
    need not fail.

    Args:
        zone: id of the zone.
        urls: URLs to purge, 30 at most.
        token_file: file with an API token; the permission to purge this zone's cache suffices.
        api: base URL of the API.
    """
    if not token_file.exists():
        sys.stdout.write("there is no token: what is kept ends by itself\n")
        return 0
    request = urllib.request.Request(  # noqa: S310 - the scheme is fixed
        f"{api}/zones/{zone}/purge_cache",
        json.dumps({"files": list(urls)}).encode(),
        {"Authorization": f"Bearer {token_file.read_text().strip()}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310 - likewise
            pass
    except urllib.error.HTTPError as error:
        sys.stderr.write(f"purge-cloudflare: {error.code}: {error.read(1000).decode(errors='replace')}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"purge-cloudflare: {error}\n")
        return 1
    sys.stdout.write(f"Cloudflare has dropped {len(urls)} answers\n")
    return 0
