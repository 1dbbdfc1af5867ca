"""What gunicorn's threaded worker lacks: clients that are slow hold no thread that others need."""
