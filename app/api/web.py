"""The front end: one page at `/` and its assets under `/static`."""

from pathlib import Path

from flask import Blueprint, Response, send_from_directory

WEB = Path(__file__).resolve().parents[1] / "web"
STATIC = WEB / "static"


def blueprint() -> Blueprint:
    """Serve the files of `app/web`. They are asked for again with their ETag each time, and mostly answered by 304: a
    release must not leave a page with the scripts of the one before."""
    web = Blueprint("web", __name__)

    @web.get("/")
    def index() -> Response:
        return _file(WEB, "index.html")

    @web.get("/static/<path:name>")
    def static(name: str) -> Response:
        return _file(STATIC, name)

    @web.get("/favicon.ico")
    def favicon() -> Response:
        return _file(STATIC, "favicon.svg")

    return web


def _file(directory: Path, name: str) -> Response:
    response = send_from_directory(directory, name)
    response.headers["Cache-Control"] = "no-cache"
    return response
