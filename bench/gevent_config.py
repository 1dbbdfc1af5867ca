"""The server's own configuration with gunicorn's gevent worker, which has to patch before the application is loaded."""

from app.server.gunicorn_config import *  # noqa: F403

preload_app = False
worker_class = "gevent"
