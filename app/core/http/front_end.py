"""The front end: one page at `/`, and its assets under `/static`."""

import hashlib
from pathlib import Path

from flask import Blueprint, Response, send_from_directory

from app.core.http.cache_control import FOR_EVER, OWN_USER, kept, public

WEB = Path(__file__).resolve().parents[2] / "web"
STATIC = WEB / "static"


def digest(directory: Path) -> str:
    """Return a short content hash over the names and contents of all files of a directory."""
    total = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(directory)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def blueprint(*, versioned: bool) -> Blueprint:
    """Serve the files of `app/web`.

    The page links its assets under one hash of all of them (`/static/v-<digest>/app.js`). ES modules import each other
    by relative paths, so a page never loads scripts of another release, and a browser fetches each file only once.

    Args:
        versioned: whether the page links by hash. Not in development, where files change: the hash is computed once.
    """
    web = Blueprint("web", __name__)
    version = digest(STATIC)

    @web.get("/")
    def index() -> Response:
        page = (WEB / "index.html").read_text()
        if versioned:
            page = page.replace('"/static/', f'"/static/v-{version}/')
        return kept(Response(page, mimetype="text/html"), public())

    # During a rollout a pod gets requests for assets of the other release, too. It serves its own, as for paths without
    # a hash, but not to be cached under that path.
    @web.get("/static/<path:name>", defaults={"asked": ""})
    @web.get("/static/v-<asked>/<path:name>")
    def static(asked: str, name: str) -> Response:
        response = send_from_directory(STATIC, name)
        response.headers["Cache-Control"] = FOR_EVER if asked == version else OWN_USER
        return response

    @web.get("/favicon.ico")
    def favicon() -> Response:
        return kept(send_from_directory(STATIC, "favicon.svg"), public())

    return web
