"""Awaiters: wait until an object is ready, and report meanwhile what is missing.

Each kind has a file with one function from the object (and look-ups of its pods and events) to a `Readiness`; the rules
and most messages follow the official provider. `wait.py` polls until the object is ready or has failed.
"""
