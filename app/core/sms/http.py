"""One HTTP exchange with a provider, which is never repeated on its own."""

import ssl
from collections.abc import Mapping

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError, SSLError

from app.core.errors import UnavailableError
from app.core.sms.port import SmsUnknownError

CONNECT_TIMEOUT, READ_TIMEOUT = 5, 15
"""Seconds; together within a job's lease."""

UNREACHABLE = (ConnectTimeoutError, NewConnectionError, NameResolutionError)
"""Errors from before the request was sent."""

LARGEST_ANSWER = 64 << 10


class HttpClient:
    """Posts forms. Neither redirects nor retries: what a provider has taken may be sent."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT), retries=False, maxsize=8
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Return status and body of the answer.

        Raises:
            UnavailableError: the request was not sent.
            SmsUnknownError: there was no answer.
        """
        try:
            # A fresh connection each: on one that is kept open, a request that meets its end may have been read.
            headers = {**headers, "Connection": "close"}
            answer = self._pool.request("POST", url, body=body, headers=headers, redirect=False, preload_content=False)
            try:
                return answer.status, answer.read(LARGEST_ANSWER)
            finally:
                answer.close()
        except UNREACHABLE as error:
            raise UnavailableError("The SMS provider can't be reached.") from error
        except (HTTPError, OSError) as error:
            if isinstance(error, SSLError) and isinstance(error.args[0], ssl.SSLCertVerificationError):
                raise UnavailableError("The SMS provider's certificate is not valid.") from error
            raise SmsUnknownError("no answer of the provider") from error
