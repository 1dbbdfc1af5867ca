"""Object store in an S3 bucket."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, BinaryIO, cast
from uuid import UUID

from app.core.errors import UnavailableError
from app.core.objects.model import CHUNK_BYTES, MissingObjectError
from app.core.settings import Settings

if TYPE_CHECKING:
    from minio import Minio

SECONDS = 10
"""Connect and read time-out, in seconds."""


class S3Objects:
    """Stores objects in a bucket.

    Args:
        settings: endpoint, bucket and keys. The bucket must exist, and must be private.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Minio | None = None

    def put(self, key: UUID, file: IO[bytes], size: int) -> None:
        with _translated_errors():
            # One part at a time: each is held in memory while it is sent, and has 5 MiB.
            self._connected().put_object(
                self._settings.s3_bucket, key.hex, cast("BinaryIO", file), size, num_parallel_uploads=1
            )

    def get(self, key: UUID) -> Iterator[bytes]:
        with _translated_errors():
            response = self._connected().get_object(self._settings.s3_bucket, key.hex)
            try:
                yield from response.stream(CHUNK_BYTES)
            finally:
                response.close()
                response.release_conn()

    def delete(self, key: UUID) -> None:
        with _translated_errors():
            self._connected().remove_object(self._settings.s3_bucket, key.hex)

    def _connected(self) -> "Minio":
        if self._client is None:
            # imported lazily: not needed by a server with another object store
            import urllib3
            from minio import Minio

            settings = self._settings
            self._client = Minio(
                settings.s3_endpoint or "",
                access_key=settings.s3_access_key.get_secret_value() if settings.s3_access_key else None,
                secret_key=settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else None,
                region=settings.s3_region,
                secure=settings.s3_tls,
                http_client=urllib3.PoolManager(
                    timeout=urllib3.Timeout(SECONDS), retries=urllib3.Retry(2, backoff_factor=0.2), maxsize=16
                ),
            )
        return self._client


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Translate the client's exceptions to MissingObjectError and UnavailableError."""
    from minio.error import MinioException, S3Error
    from urllib3.exceptions import HTTPError

    try:
        yield
    except S3Error as error:
        if error.code == "NoSuchKey":
            raise MissingObjectError(error.resource) from error
        raise UnavailableError("The store of files refuses.") from error
    except (MinioException, HTTPError, OSError) as error:
        raise UnavailableError("The store of files can't be reached.") from error
