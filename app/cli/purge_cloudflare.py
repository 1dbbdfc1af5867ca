"""`purge-cloudflare`: have Cloudflare drop some answers that it keeps, since a release may have changed them."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

API = "https://api.cloudflare.com/client/v4"
SECONDS = 10
"""How long an answer is waited for."""


def purge_cloudflare(zone: str, urls: Sequence[str], token_file: Path, api: str = API) -> int:
    """Tell Cloudflare to drop these answers; return the exit status.

    Without a token nothing is dropped, and what is kept ends by itself: no reason to call the release a failure.

    Args:
        zone: its identifier.
        urls: of the answers, 30 at most.
        token_file: holds a token that may purge this zone's cache, and need do nothing else.
        api: where the API answers.
    """
    if not token_file.exists():
        sys.stdout.write("there is no token: what is kept ends by itself\n")
        return 0
    request = urllib.request.Request(  # noqa: S310 - the scheme is ours
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
