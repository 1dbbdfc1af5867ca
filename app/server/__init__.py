"""Extension of gunicorn's threaded worker: slow clients occupy no worker thread."""
