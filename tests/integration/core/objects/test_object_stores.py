"""Contract of all object stores: an object is readable in chunks until it is deleted."""

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.core.database.engine import connect
from app.core.errors import UnavailableError
from app.core.objects.database import DatabaseObjects
from app.core.objects.directory import DirectoryObjects
from app.core.objects.model import CHUNK_BYTES, MissingObjectError, ObjectStore
from app.core.objects.s3 import S3Objects
from app.core.settings import Settings
from tests.support.ports import free_port
from tests.support.s3 import ACCESS, BUCKET, SECRET, Bucket, s3
from tests.support.settings import make_settings
from tests.support.storage import SystemStorage

LARGE = 12 << 20


def s3_settings(port: int, **more: str) -> Settings:
    values = {"s3_access_key": ACCESS, "s3_secret_key": SECRET, "s3_bucket": BUCKET, **more}
    return make_settings("sqlite:///unused", objects="s3", s3_endpoint=f"127.0.0.1:{port}", s3_tls=False, **values)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with s3() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql", "directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "directory":
        yield DirectoryObjects(tmp_path / "not" / "yet")
    elif request.param == "s3":
        yield S3Objects(s3_settings(request.getfixturevalue("bucket").port))
    else:
        name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
        database = connect(make_settings(request.getfixturevalue(name)))
        yield DatabaseObjects(SystemStorage(database))
        database.dispose()


class Made(io.BytesIO):
    """A file whose content is generated as it is read."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._left = size

    def read(self, size: int | None = -1) -> bytes:
        count = self._left if size is None or size < 0 else min(size, self._left)
        self._left -= count
        return b"x" * count


def put(store: ObjectStore, content: bytes) -> UUID:
    key = uuid4()
    store.put(key, io.BytesIO(content), len(content))
    return key


@pytest.mark.parametrize("size", [1, CHUNK_BYTES, CHUNK_BYTES + 1, (5 << 20) + 1])
def test_an_object_is_readable_until_it_is_deleted(store: ObjectStore, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    key, other = put(store, content), put(store, b"other")
    assert b"".join(store.get(key)) == content
    store.delete(key)
    store.delete(key)
    with pytest.raises(MissingObjectError):
        list(store.get(key))
    assert b"".join(store.get(other)) == b"other"


def test_memory_does_not_grow_with_the_file(store: ObjectStore) -> None:
    key = uuid4()
    tracemalloc.start()
    store.put(key, Made(LARGE), LARGE)
    assert sum(len(piece) for piece in store.get(key)) == LARGE
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # the fake S3 server holds the whole object in this process; the next test checks what is sent to it
    assert peak < (8 << 20) or isinstance(store, S3Objects)


def test_a_large_file_goes_to_a_bucket_in_parts(bucket: Bucket) -> None:
    S3Objects(s3_settings(bucket.port)).put(uuid4(), io.BytesIO(bytes(LARGE)), LARGE)
    assert bucket.largest == 5 << 20


def test_an_incomplete_file_is_rejected(store: ObjectStore) -> None:
    with pytest.raises(UnavailableError):
        store.put(uuid4(), io.BytesIO(b"short"), 6)


def test_errors_of_the_bucket_are_reported_as_unavailable(bucket: Bucket) -> None:
    for settings in (
        s3_settings(free_port()),
        s3_settings(bucket.port, s3_secret_key="wrong"),
        s3_settings(bucket.port, s3_bucket="another"),
    ):
        store = S3Objects(settings)
        with pytest.raises(UnavailableError):
            put(store, b"x")
        with pytest.raises(UnavailableError):
            list(store.get(uuid4()))
        with pytest.raises(UnavailableError):
            store.delete(uuid4())


def test_a_directory_that_can_not_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = DirectoryObjects(tmp_path / "file")
    with pytest.raises(UnavailableError):
        put(store, b"x")
