"""`purge-edge` and `purge-cloudflare`."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from app.__main__ import main
from app.cli.purge_cloudflare import purge_cloudflare
from tests.support.origin import origin
from tests.support.ports import free_port
from tests.support.varnish import edge

ZONE = "0123456789abcdef" * 2
URLS = ["https://tasks.example.com/", "https://tasks.example.com/api/v1/docs"]


class Cloudflare(HTTPServer):
    """Stand-in for Cloudflare's API; records the last request: path, token and body."""

    status = 200
    asked: tuple[str, str, object] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Cloudflare

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked = (self.path, self.headers["Authorization"], body)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(json.dumps({"success": self.server.status == 200, "errors": ["why"]}).encode())

    def log_message(self, *_arguments: object) -> None:
        """Suppress the access log."""


@pytest.fixture
def cloudflare() -> Iterator[Cloudflare]:
    server = Cloudflare(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("a-token\n")
    return file


def test_the_edge_drops_everything(tmp_path: Path) -> None:
    with origin() as behind, edge(tmp_path, behind.port) as before:
        behind.headers = {"Cache-Control": "public, max-age=0, s-maxage=60"}
        old = httpx.get(before.url).text
        assert httpx.get(before.url).text == old
        assert main(["purge-edge", "--server", before.purge_url.removeprefix("http://")]) == 0
        assert httpx.get(before.url).text != old


def test_an_edge_that_is_unreachable_or_rejects_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["purge-edge", "--server", f"127.0.0.1:{free_port()}"]) == 1
    assert "refused" in capsys.readouterr().err
    with origin() as behind, edge(tmp_path, behind.port) as before:
        behind.status = 405
        assert main(["purge-edge", "--server", before.url.removeprefix("http://")]) == 1
        assert "127.0.0.1 answered" in capsys.readouterr().err


def test_cloudflare_purges_the_urls_with_the_token(cloudflare: Cloudflare, token: Path) -> None:
    assert purge_cloudflare(ZONE, URLS, token, cloudflare.url) == 0
    assert cloudflare.asked == (f"/zones/{ZONE}/purge_cache", "Bearer a-token", {"files": URLS})


def test_an_error_of_cloudflare_is_printed_without_the_token(
    cloudflare: Cloudflare, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloudflare.status = 403
    assert purge_cloudflare(ZONE, URLS, token, cloudflare.url) == 1
    said = capsys.readouterr().err
    assert "403" in said
    assert "why" in said
    assert "a-token" not in said


def test_without_a_token_nothing_is_purged_and_the_command_succeeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["purge-cloudflare", "--zone", ZONE, "--url", URLS[0], "--token-file", str(tmp_path / "none")]
    assert main(command) == 0
    assert "there is no token" in capsys.readouterr().out
